"""What stands on the terminal, cell by cell, and the escape sequences that make it read otherwise. No I/O."""

from functools import lru_cache
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

from mvtui.ui.line_moves import move_of

# So many cells that are as they should be are sent once more sooner than the cursor is moved, which costs as much.
GAP = 6

_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "blink": "5", "reverse": "7", "strike": "9"}
# What turns an attribute off; bold and dim go together.
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
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
# By their number, from the top.
Lines = dict[int, list[Cell]]


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
        self._lines: Lines = {}

    def forget(self) -> None:
        """Something else may stand there now."""
        self._lines = {}

    def line(self, y: int) -> list[Cell]:
        """The cells of a line; empty where they are not known."""
        return self._lines.get(y, [])

    def paint(self, lines: Lines) -> str:
        """What makes the terminal show these lines; it is taken for sent. The terminal's own look is plain before and
        after. Lines that only stand at another height now are moved where that is shorter."""
        wanted = {**self._lines, **lines}
        painted = _painted(self._lines, lines)
        move = move_of(_texts(self._lines), _texts(lines))
        if move is not None:
            moved = {y: self.line(at) for y in self._lines if (at := move.source_of(y)) is not None}
            rest = {y: wanted[y] for y in sorted({*lines, *move.lines})}
            painted = min(painted, move.sequence + _painted(moved, rest), key=lambda text: len(text.encode()))
        self._lines = wanted
        return painted


def _painted(had: Lines, lines: Lines) -> str:
    """What makes a terminal that has the first show the second: look by look, since another look takes more bytes than
    another place."""
    pen = _Pen()
    parts = [part for y, cells in lines.items() for part in _parts_of(y, had.get(y, []), cells)]
    for part in sorted(parts, key=lambda part: part.look):
        pen.write(part, lines[part.y])
    return pen.lifted()


def _texts(lines: Lines) -> dict[int, str]:
    return {y: "".join([text for text, _ in cells]) for y, cells in lines.items()}


class _Part(NamedTuple):
    """Neighbouring cells of line `y` that are painted in one look; `end` is behind the last."""

    y: int
    start: int
    end: int
    look: Look


def _parts_of(y: int, old: list[Cell], new: list[Cell]) -> list[_Part]:
    """The parts of a line in which it reads otherwise than it did."""
    parts: list[_Part] = []
    for x, cell in enumerate(new):
        if x < len(old) and old[x] == cell:
            continue
        last = parts[-1] if parts else None
        if last is not None and x - last.end <= GAP and (look := _shared(last.look, new[last.end : x + 1])):
            parts[-1] = _Part(y, last.start, x + 1, look)
        else:
            parts.append(_Part(y, x, x + 1, cell[1]))
    return parts


def _shared(look: Look, cells: list[Cell]) -> Look | None:
    """The look in which these can be painted behind what has `look`; None where there is none."""
    for _, other in cells:
        if other == look:
            continue
        if look.background != other.background or (look.colour and other.colour):
            return None
        look = look if look.colour else other
        if not _UNSEEN.issuperset(look.attributes):
            return None
    return look


def _turned(had: str, attributes: str) -> list[str]:
    """The codes that turn some attributes off and others on."""
    before, after = had.split(";") if had else [], attributes.split(";") if attributes else []
    off = {_OFF[code] for code in before if code not in after}
    return [*off, *[code for code in after if code not in before or _OFF[code] in off]]


class _Pen:
    """Writes parts of lines, and remembers the look that the terminal is in."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._look = _PLAIN

    def write(self, part: _Part, line: list[Cell]) -> None:
        """That part of the line."""
        self._take(part.look)
        column = f";{part.start + 1}" if part.start else ""
        self._written.append(f"\x1b[{part.y + 1}{column}H")
        self._written += [text for text, _ in line[part.start : part.end]]

    def _take(self, look: Look) -> None:
        """Change what is to be changed of the terminal's look."""
        now = self._look
        if not look.colour:  # blanks: what they do not show stays
            look = Look(now.attributes if _UNSEEN.issuperset(now.attributes) else "", now.colour, look.background)
        codes = _turned(now.attributes, look.attributes)
        codes += [code for code, had in zip(look[1:], now[1:], strict=True) if code != had]
        if codes:
            self._written.append(f"\x1b[{';'.join(codes)}m")
        self._look = look

    def lifted(self) -> str:
        """All that was written, the look plain again."""
        if self._look != _PLAIN:
            self._written.append("\x1b[m")
            self._look = _PLAIN
        return "".join(self._written)
