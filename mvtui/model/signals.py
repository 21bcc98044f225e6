"""Signals by their names. Pure."""

import signal


def signal_name(number: int) -> str:
    """`SIGKILL`; of those between SIGRTMIN and SIGRTMAX, which have none of their own, `SIGRTMIN+3`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if number > signal.SIGRTMIN else str(number)
