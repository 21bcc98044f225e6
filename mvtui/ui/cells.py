"""What stands on the terminal, cell by cell, and the escape sequences that make it read otherwise. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

# So many cells that are as they should be are sent once more sooner than the cursor is moved, which costs as much.
GAP = 6

_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "blink": "5", "reverse": "7", "strike": "9"}
# The characters of the attributes that a blank does not show: bold, dim, italic.
_UNSEEN = frozenset("123;")


class Look(NamedTuple):
    """How a cell looks, in codes of SGR; `colour` is "" in a blank, where it does not show."""

    attributes: str
    colour: str
    background: str


_PLAIN = Look("", "39", "49")

# Text and look. The second cell of a wide character has no text.
Cell = tuple[str, Look]


def cells_of(strip: Strip, colours: ColorSystem) -> list[Cell]:
    """The strip cell by cell, for a terminal of so many colours."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        look, blank = _looks(style, colours)
        if text.isascii():
            cells += [(char, blank if char == " " else look) for char in text]
        else:
            cells += [(part, blank if part == " " else look) for part in _parts(text)]
    return cells


@lru_cache(512)
def _parts(text: str) -> tuple[str, ...]:
    """The text of each cell."""
    spans, _ = split_graphemes(text)
    return tuple([part for start, end, width in spans for part in (text[start:end], "")[:width]])


@lru_cache(512)
def _looks(style: Style | None, colours: ColorSystem) -> tuple[Look, Look]:
    """How text in that style looks, and how a blank does."""
    if style is None:
        return _PLAIN, _PLAIN._replace(colour="")
    attributes = ";".join([code for name, code in _ATTRIBUTES.items() if getattr(style, name)])
    look = Look(attributes, _codes(style.color, colours, True), _codes(style.bgcolor, colours, False))
    return look, Look("", "", look.background) if _UNSEEN.issuperset(attributes) else look


def _codes(colour: Color | None, colours: ColorSystem, foreground: bool) -> str:
    return ";".join((colour or Color.default()).downgrade(colours).get_ansi_codes(foreground))


class Screenful:
    """What stands on a terminal, as far as it is known: at the beginning, nothing is."""

    def __init__(self) -> None:
        self._lines: dict[int, list[Cell]] = {}

    def forget(self) -> None:
        """Something else may stand there now."""
        self._lines.clear()

    def line(self, y: int) -> list[Cell]:
        """The cells of a line; empty where they are not known."""
        return self._lines.get(y, [])

    def paint(self, lines: Mapping[int, list[Cell]]) -> str:
        """What makes the terminal show these lines, by their number; it is taken for sent. The terminal's own look is
        plain before and after."""
        pen = _Pen()
        for y, cells in lines.items():
            for start, end in _changes(self.line(y), cells):
                pen.write(y, start, cells[start:end])
            self._lines[y] = cells
        return pen.lifted()


def _changes(old: Sequence[Cell], new: Sequence[Cell]) -> Iterator[tuple[int, int]]:
    """Where `new` reads otherwise than `old`: first cell, and the one behind the last."""
    start = end = -1
    for x, (was, now) in enumerate(zip_longest(old, new)):
        if was != now:
            if start < 0:
                start = x
            elif x - end > GAP:
                yield start, end
                start = x
            end = x + 1
    if start >= 0:
        yield start, end


class _Pen:
    """Writes cells, and remembers the look that the terminal is in."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._look = _PLAIN

    def write(self, y: int, x: int, cells: Sequence[Cell]) -> None:
        """These from there on."""
        self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        for text, look in cells:
            if look is not self._look:
                self._take(look)
            self._parts.append(text)

    def _take(self, look: Look) -> None:
        """Change what is to be changed of the terminal's look."""
        now = self._look
        if look.colour == "":  # a blank: what it does not show stays
            look = Look(now.attributes if _UNSEEN.issuperset(now.attributes) else "", now.colour, look.background)
        if look.attributes != now.attributes:
            codes = ["0", *[code for code in look if code]]
        else:
            codes = [code for code, had in zip(look, now, strict=True) if code != had]
        if codes:
            self._parts.append(f"\x1b[{';'.join(codes)}m")
        self._look = look

    def lifted(self) -> str:
        """All that was written, the look plain again."""
        if self._look != _PLAIN:
            self._parts.append("\x1b[m")
            self._look = _PLAIN
        return "".join(self._parts)
