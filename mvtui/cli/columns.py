"""Columns of plain text, aligned by the cells that a terminal uses for them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from unicodedata import combining, east_asian_width


def width(text: str) -> int:
    """How many cells a terminal takes for `text` (no control characters in it)."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def cut(text: str, cells: int, ellipsis: str) -> str:
    """`text` in at most `cells` cells; what has no room ends in `ellipsis`, which takes one."""
    if width(text) <= cells:
        return text
    room, end = cells - 1, 0
    while (room := room - width(text[end])) >= 0:
        end += 1
    return text[:end] + ellipsis


def aligned(
    rows: Sequence[Sequence[str]],
    right: frozenset[int] = frozenset(),
    most: Mapping[int, int] = MappingProxyType({}),
    gap: int = 2,
) -> list[str]:
    """`rows` with their cells in columns, `gap` blanks apart; columns in `right` are set flush right, empty ones left
    out. A column is at `most` so many cells wide: a text that is wider moves its own row alone."""
    columns = range(max((len(row) for row in rows), default=0))
    widths = [max((width(row[column]) for row in rows if column < len(row)), default=0) for column in columns]
    widths = [min(each, most.get(column, each)) for column, each in enumerate(widths)]
    lines = []
    for row in rows:
        cells = []
        for column, text in enumerate(row):
            blanks = " " * (widths[column] - width(text))
            if widths[column]:
                cells.append(blanks + text if column in right else text + blanks)
        lines.append((" " * gap).join(cells).rstrip())
    return lines
