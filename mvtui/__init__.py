"""mvtui: a control panel in the terminal for the microVMs of a microvm.nix host."""

__version__ = "0.1.0"
