"""What happens before anything is imported that takes time: the names stand on the screen 30 ms after the key."""

import errno
import os
import stat

from mvtui import first_names
from mvtui.host.configuration_files import configuration_files
from mvtui.model.locale import moves_cursor

_DEFAULT_STATE_DIR = "/var/lib/microvms"
_LARGE = 1 << 20
# Options that may stand before a verb, each with a value behind it.
TAKE_A_VALUE = ("--state-dir", "--definitions", "--manager", "--interval", "--theme", "--ascii", "--mouse")


def paint_names(argv: list[str]) -> None:
    """Paint the names of the microVMs where `argv` opens the panel and the terminal can show one."""
    state_dir = panel_state_dir(argv)
    if state_dir is not None and can_show_panel():
        first_names.paint(state_dir)


def can_show_panel() -> bool:
    """Whether standard input and output are a terminal that can move its cursor."""
    return os.isatty(0) and os.isatty(1) and moves_cursor(os.environ.get("TERM", ""))


def panel_state_dir(argv: list[str]) -> str | None:
    """The state directory of the panel that `argv` opens; None where it asks for something else, or is wrong.

    A first look only, that errs towards None: the parser that explains mistakes costs too much time here, and so does
    a configuration file, which is searched for the one word alone.
    """
    state_dir = ""
    files = True
    words = iter(argv)
    for word in words:
        option, equals, value = word.partition("=")
        if option in TAKE_A_VALUE:
            value = value if equals else next(words, "")
            if not value:
                return None
            if option == "--state-dir":
                state_dir = value
        elif word == "--no-config":
            files = False
        elif word not in ("--read-only", "--no-read-only"):
            return None
    state_dir = state_dir or os.environ.get("MVTUI_STATE_DIR", "")
    return state_dir or (None if files and _is_in_a_file(b"state_dir") else _DEFAULT_STATE_DIR)


def _is_in_a_file(word: bytes) -> bool:
    """Whether a configuration file may have `word` in it."""
    for path in configuration_files():
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError:
            return True
        try:
            if word in _read_regular(place):
                return True
        except OSError:
            return True
        finally:
            os.close(place)
    return False


def _read_regular(place: int) -> bytes:
    """What is in the file that `place` (O_PATH) is. Raises OSError, also where it is of another kind: only opening a
    device can already be a command to it."""
    if not stat.S_ISREG(os.fstat(place).st_mode):
        raise OSError(errno.EINVAL, "is not a regular file")
    fd = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        return os.read(fd, _LARGE)
    finally:
        os.close(fd)


def leave_names() -> None:
    """Undo `paint_names` where no panel comes after all."""
    first_names.leave()
