"""What stands on the terminal, cell by cell, and the escape sequences that make it read otherwise. No I/O."""

from collections import Counter
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

from mvtui.ui.abilities import ALL, Abilities
from mvtui.ui.line_moves import move_of
from mvtui.ui.pen import PLAIN, Look, Pen

# So many bytes of cells that are as they should be are sent once more sooner than the cursor is moved, which costs as
# much.
GAP = 4

_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "blink": "5", "reverse": "7", "strike": "9"}
# The colours of xterm's cube and of its greys, by what they are made of.
_STEPS = (0, 95, 135, 175, 215, 255)
_NUMBERS: dict[tuple[int, ...] | None, int] = {
    **{(level, level, level): 232 + number for number, level in enumerate(range(8, 248, 10))},
    **{one: 16 + number for number, one in enumerate(product(_STEPS, repeat=3))},
}
# Text and look. The second cell of a wide character has no text.
Cell = tuple[str, Look]
# By their number, from the top.
Lines = dict[int, list[Cell]]


def cells_of(strip: Strip, colours: ColorSystem, abilities: Abilities = ALL) -> list[Cell]:
    """The strip cell by cell, for a terminal of so many colours that shows no more than it can."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        look, blank = _looks(style, colours, abilities)
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
def _looks(style: Style | None, colours: ColorSystem, abilities: Abilities) -> tuple[Look, Look]:
    """How text in that style looks, and how a blank does."""
    if style is None:
        return PLAIN, PLAIN.blank
    shown = abilities.attributes
    attributes = ";".join([code for name, code in _ATTRIBUTES.items() if code in shown and getattr(style, name)])
    look = PLAIN._replace(attributes=attributes)
    if abilities.colours:
        look = Look(attributes, _codes(style.color, colours, True), _codes(style.bgcolor, colours, False))
    return look, look.blank


def _codes(colour: Color | None, colours: ColorSystem, foreground: bool) -> str:
    shown = colour or Color.default()
    if colours is ColorSystem.EIGHT_BIT and shown.triplet in _NUMBERS:  # rich takes a darker grey for a grey
        shown = Color.from_ansi(_NUMBERS[shown.triplet])
    return ";".join(shown.downgrade(colours).get_ansi_codes(foreground))


class Screenful:
    """What stands on a terminal of such abilities, as far as it is known: at the beginning, nothing is."""

    def __init__(self, abilities: Abilities = ALL) -> None:
        self._abilities = abilities
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
        painted = _painted(self._lines, lines, self._abilities)
        move = move_of(_texts(self._lines), _texts(lines)) if self._abilities.moves_lines else None
        if move is not None:
            moved = {y: self.line(at) for y in self._lines if (at := move.source_of(y)) is not None}
            rest = {y: wanted[y] for y in sorted({*lines, *move.lines})}
            with_move = move.sequence + _painted(moved, rest, self._abilities)
            painted = min(painted, with_move, key=lambda text: len(text.encode()))
        self._lines = wanted
        return painted


def _painted(had: Lines, lines: Lines, abilities: Abilities) -> str:
    """What makes a terminal that has the first show the second: look by look, since another look takes more bytes than
    another place."""
    groups: dict[Look, list[_Part]] = {}
    for y, cells in lines.items():
        for part in _parts_of(y, had.get(y, []), cells):
            groups.setdefault(part.look, []).append(part)
    for look in [look for look in groups if look.colour and look.blank in groups and look.blank != look]:
        groups[look] += groups.pop(look.blank, [])
    # Those that few lead to go first, or in the end they are far from what is left.
    akin = Counter([code for look in groups for code in look[1:]])
    pen = Pen(turns_off=abilities.turns_off, fills=abilities.fills)
    while groups:
        look = min(groups, key=lambda look: (pen.bytes_to(look), akin[look.colour] + akin[look.background]))
        pen.take(look)
        for y, start, end, _ in sorted(groups.pop(look)):
            cells = lines[y]
            text = "".join([text for text, _ in cells[start:end]])
            pen.write(y, start, text, to_margin=end == len(cells))
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
    known = len(old)
    start, end, look = 0, -1, PLAIN
    for x, cell in enumerate(new):
        if x < known and old[x] == cell:
            continue
        if x == end and cell[1] is look:  # as most are
            end += 1
            continue
        shared = _shared(look, new[end : x + 1]) if end >= 0 and _is_short(new[end:x]) else None
        if shared is None:
            if end >= 0:
                parts.append(_Part(y, start, end, look))
            start = x
        end, look = x + 1, shared or cell[1]
    return [*parts, _Part(y, start, end, look)] if end >= 0 else parts


def _is_short(gap: list[Cell]) -> bool:
    """Whether it takes no more bytes to write it than to go over it."""
    return not gap or (len(gap) <= GAP and len("".join([text for text, _ in gap]).encode()) <= GAP)


def _shared(look: Look, cells: list[Cell]) -> Look | None:
    """The look in which these can be painted behind what has `look`; None where there is none."""
    for _, other in cells:
        if other == look:
            continue
        if look.background != other.background or (look.colour and other.colour):
            return None
        look = look if look.colour else other
        if look.blank == look:
            return None
    return look
