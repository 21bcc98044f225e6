"""The terminal, kept as it was while a child does to it what it likes."""

import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mvtui.ui.abilities import abilities_of

# What one that died may have left on: every way to report the mouse, focus, paste, a held frame, keys of the keypad,
# colours, line graphics, a part of the screen that scrolls alone, places counted from that part, no wrap, a hidden
# cursor. The cursor goes home with two of them, and back; some terminals count as before then (see the driver).
_MODES = (9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 1)
_RESET = (
    "".join(f"\x1b[?{mode}l" for mode in _MODES)
    + "\x1b>\x1b[4l\x1b[m\x0f\x1b(B\x1b7\x1b[r\x1b[?6l\x1b8\x1b[?7h\x1b[?25h"
)
# The same of newer ways to report keys, xterm's (vim has them on) and kitty's: afterwards a shell would not know ^c.
_KEYS = "\x1b[>4m\x1b[=0u"
# Only of one that ended badly: a terminal on its first screen may put the cursor elsewhere for it.
_LEAVE = "\x1b[?1049l"


@contextmanager
def kept_terminal() -> Iterator[Callable[[], None]]:
    """Within, a child may do to the terminal what it likes. What is given has also the other screen left, for one that
    died in it."""
    fd = 0
    try:
        kept, group = termios.tcgetattr(fd), os.tcgetpgrp(fd)
    except (OSError, termios.error):  # no terminal, not ours, or gone
        yield lambda: None
        return
    ended_badly = True

    def leave_its_screen() -> None:
        _write(_LEAVE)

    try:
        yield leave_its_screen
        ended_badly = False
    finally:
        newer = _KEYS if abilities_of(os.environ.get("TERM", "")).answers else ""
        _write(newer + _RESET + (_LEAVE if ended_badly else ""))
        # Whoever is not in the foreground is stopped for it, unless it does not mind.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            with suppress(OSError, termios.error):
                os.tcsetpgrp(fd, group)
                termios.tcsetattr(fd, termios.TCSADRAIN, kept)
        finally:
            signal.signal(signal.SIGTTOU, before)


def _write(text: str) -> None:
    with suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()
