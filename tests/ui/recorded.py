"""Screens with the look of each cell as text that a person reads, compared with recorded ones.

Below the lines of a screen stands, cell by cell, a letter for how it looks (`.` where it is plain), and then what each
letter means. What does not show (the colour of a blank) is left out.
"""

import os
import string
from difflib import unified_diff
from pathlib import Path

import pyte
from pyte.screens import Char

from tests.ui.terminal import RENEW

_RECORDED = Path(__file__).parent / "terminals"
_LETTERS = string.ascii_letters + string.digits
_PLAIN = "."


def recorded(screen: pyte.Screen, title: str) -> str:
    """The screen and its looks, below a title."""
    letters: dict[str, str] = {"": _PLAIN}
    looks = []
    for y in range(screen.lines):
        cells = [screen.buffer[y][x] for x in range(screen.columns)]
        looks.append("".join([letters.setdefault(look_of(cell), _LETTERS[len(letters) - 1]) for cell in cells]))
    lines = [line.rstrip() for line in screen.display]
    told = [f"  {letter} {words}" for words, letter in letters.items() if words]
    shown = [line.rstrip(_PLAIN) for line in looks]
    return "\n".join((f"=== {title}", *lines, f"--- {title}: looks", *shown, *told)) + "\n\n"


def look_of(cell: Char) -> str:
    """How it looks in words; "" where it is plain."""
    background = cell.bg if cell.bg != "default" else ""
    if cell.data in ("", " ") and not (cell.reverse or cell.underscore):
        return f"on {background}" if background else ""
    flags = {
        "bold": cell.bold,
        "dim": cell.blink,
        "italic": cell.italics,
        "underline": cell.underscore,
        "reverse": cell.reverse,
    }
    if cell.data in ("", " "):
        flags |= {"bold": False, "dim": False, "italic": False}
    words = [word for word, on in flags.items() if on]
    colour = [cell.fg] if cell.fg != "default" and (cell.data.strip() or cell.reverse) else []
    return " ".join((*words, *colour, *(["on", background] if background else [])))


def compare(text: str, name: str) -> None:
    """Raises AssertionError with the difference to what is recorded in `terminals/NAME.txt`.

    With MVTUI_RENEW_SCREENS set, it is recorded: look at what git says has changed.
    """
    path = _RECORDED / f"{name}.txt"
    if os.environ.get(RENEW):
        path.write_text(text, encoding="utf-8")
        return
    wanted = path.read_text(encoding="utf-8")
    difference = unified_diff(wanted.splitlines(), text.splitlines(), str(path), "the screen", lineterm="", n=1)
    assert text == wanted, "\n".join(("the screen is another:", *difference))
