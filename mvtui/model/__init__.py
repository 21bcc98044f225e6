"""What things are: pure values, no I/O, no clock. Imports nothing of mvtui but itself."""
