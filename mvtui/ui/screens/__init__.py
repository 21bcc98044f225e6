"""The levels of the panel."""
