"""The terminal, kept as it was while a child does to it what it likes."""

import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# What one that died may have left on: mouse, paste, keys of the keypad, colours; a hidden cursor.
_RESET = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[m\x1b[?25h\x1b[?1049l"


@contextmanager
def kept_terminal() -> Iterator[Callable[[], None]]:
    """Within, a child may do to the terminal what it likes; what it gives switches off what one that died left on."""
    fd = 0
    if not os.isatty(fd):
        yield lambda: None
        return
    kept, group = termios.tcgetattr(fd), os.tcgetpgrp(fd)

    def switch_off() -> None:
        with suppress(OSError):
            sys.stdout.write(_RESET)
            sys.stdout.flush()

    try:
        yield switch_off
    finally:
        # Whoever is not in the foreground is stopped for it, unless it does not mind.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            with suppress(OSError, termios.error):
                os.tcsetpgrp(fd, group)
                termios.tcsetattr(fd, termios.TCSADRAIN, kept)
        finally:
            signal.signal(signal.SIGTTOU, before)
