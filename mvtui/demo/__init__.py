"""A host of sample microVMs with real processes, in a folder of its own."""
