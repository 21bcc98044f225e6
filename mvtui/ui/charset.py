"""Text in terminal cells: fitted to a column, and in ASCII where the terminal can't show more."""

import re
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from mvtui.model.text import ASCII_TWINS

ELLIPSIS = "…"

# One that stands for the start of a path: a tilde there is somebody's home.
_START_LEFT_OUT = re.compile(r"(?<!\S)…(?=\S)")


@lru_cache(2048)
def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: padded (at the left where `right`), or cut with an ellipsis."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""
    padding = " " * (width - length)
    return padding + text if right else text + padding


def fit_end(text: str, width: int) -> str:
    """`text` in exactly `width` cells; of what is too long (a path), the end is kept, behind an ellipsis."""
    if cell_len(text) <= width:
        return fit(text, width)
    if width <= 0:
        return ""
    kept = text[-width:]
    while cell_len(kept) > width - 1:
        kept = kept[1:]
    return fit(ELLIPSIS + kept, width)


def to_ascii(text: str) -> str:
    """`text` with a twin for each character that is not ASCII, as many cells wide: a known one, or `?`."""
    if text.isascii():
        return text
    told = _START_LEFT_OUT.sub("*", text).translate(ASCII_TWINS)
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in told)
