"""Forms for what a definition file says: shares, volumes, the writable store overlay. Nothing here writes a file."""
