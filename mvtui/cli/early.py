"""What happens before anything is imported that takes time: the names stand on the screen 30 ms after the key."""

import os

from mvtui import first_names

_DEFAULT_STATE_DIR = "/var/lib/microvms"
_TAKE_A_VALUE = ("--state-dir", "--definitions", "--manager", "--interval")


def paint_names(argv: list[str]) -> None:
    """Paint the names of the microVMs where `argv` opens the panel and the terminal can show one."""
    state_dir = panel_state_dir(argv)
    if state_dir is not None and can_show_panel():
        first_names.paint(state_dir)


def can_show_panel() -> bool:
    """Whether standard input and output are a terminal that can move its cursor."""
    return os.isatty(0) and os.isatty(1) and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def panel_state_dir(argv: list[str]) -> str | None:
    """The state directory of the panel that `argv` opens; None where it asks for something else, or is wrong.

    A first look only, that errs towards None: the parser that explains mistakes costs too much time here.
    """
    state_dir = _DEFAULT_STATE_DIR
    words = iter(argv)
    for word in words:
        option, equals, value = word.partition("=")
        if option in _TAKE_A_VALUE:
            value = value if equals else next(words, "")
            if not value:
                return None
            if option == "--state-dir":
                state_dir = value
        elif word != "--read-only":
            return None
    return state_dir


def leave_names() -> None:
    """Undo `paint_names` where no panel comes after all."""
    first_names.leave()
