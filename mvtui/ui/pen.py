"""Escape sequences in few bytes: what leads from place to place, and from look to look. Pure.

On some terminals (GNU screen), what is erased loses its background: there, only the terminal's own is erased with. In
ASCII, only what a VT100 knows is written, and attributes are turned off one by one only where the terminal does that.
"""

from functools import lru_cache
from typing import NamedTuple

# What turns an attribute off; bold and dim go together.
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
# The characters of the attributes that a blank does not show: bold, dim, italic.
_UNSEEN = frozenset("123;")
# Erases the line from the cursor on (EL).
_ERASE = "\x1b[K"
# So many blanks at least are longer than that.
_ERASE_BLANKS = " " * (len(_ERASE) + 1)


class Look(NamedTuple):
    """How a cell looks, in codes of SGR; `colour` is "" in a blank, where it does not show."""

    attributes: str
    colour: str
    background: str

    @property
    def blank(self) -> "Look":
        """How a blank in it looks."""
        return Look("", "", self.background) if _UNSEEN.issuperset(self.attributes) else self


PLAIN = Look("", "39", "49")


class Pen:
    """Writes text, and remembers where the cursor is and the look that the terminal is in."""

    def __init__(self, *, turns_off: bool = True, fills: bool = False) -> None:
        """`turns_off` and `fills`: as Abilities has them."""
        self._turns_off, self._fills = turns_off, fills
        self._written: list[str] = []
        self._look = PLAIN
        self._place = _Place()

    def bytes_to(self, look: Look) -> int:
        """How many bytes it takes to take that look."""
        return len(_turn(self._look, _kept(self._look, look), self._turns_off))

    def take(self, look: Look) -> None:
        """Change what is to be changed of the terminal's look."""
        look = _kept(self._look, look)
        self._written.append(_turn(self._look, look, self._turns_off))
        self._look = look

    def write(self, y: int, x: int, text: str, *, to_margin: bool) -> None:
        """Write at that place; `to_margin` where the text ends at the terminal's right margin."""
        end = ""
        if to_margin and text.endswith(_ERASE_BLANKS) and self._erases:
            text, end, to_margin = text.rstrip(" "), _ERASE, False
        self._written += (_way(self._place, y, x), text, end)
        in_ascii = text.isascii()
        self._place = _Place(y, x + len(text) if in_ascii and not to_margin else None, in_ascii)

    @property
    def _erases(self) -> bool:
        """Whether what is erased looks like a blank in this look."""
        own_ground = self._fills or self._look.background == PLAIN.background
        return own_ground and _UNSEEN.issuperset(self._look.attributes)

    def lifted(self) -> str:
        """All that was written, the look plain again."""
        if self._look != PLAIN:
            self._written.append("\x1b[m")
            self._look = PLAIN
        return "".join(self._written)


def _kept(now: Look, look: Look) -> Look:
    """What the terminal's look becomes: what blanks do not show stays."""
    if look.colour:
        return look
    return Look(now.attributes if _UNSEEN.issuperset(now.attributes) else "", now.colour, look.background)


@lru_cache(1024)
def _turn(now: Look, look: Look, turns_off: bool) -> str:
    """The shortest that changes the one look into the other: what differs, or all of it from a plain one."""
    if now == look:
        return ""
    differ = [code for code, had in zip(look[1:], now[1:], strict=True) if code != had]
    afresh = [code for code, had in zip(look[1:], PLAIN[1:], strict=True) if code != had]
    attributes = look.attributes.split(";") if look.attributes else []
    before = now.attributes.split(";") if now.attributes else []
    codes = [*_turned(before, attributes), *differ]
    plain = [*attributes, *afresh]
    ways = [["0", *plain] if plain else []]
    if turns_off or set(before) <= set(attributes):
        ways.append(codes)
    return min([f"\x1b[{';'.join(one)}m" for one in ways], key=len)


def _turned(before: list[str], after: list[str]) -> list[str]:
    """The codes that turn some attributes off and others on."""
    off = dict.fromkeys([_OFF[code] for code in before if code not in after])
    return [*off, *[code for code in after if code not in before or _OFF[code] in off]]


class _Place(NamedTuple):
    """Where the cursor is, as far as that is sure. `x` is not behind the last column, where terminals differ, and not
    behind what is not `in_ascii`: they differ in how wide some of that is."""

    y: int | None = None
    x: int | None = None
    in_ascii: bool = True


@lru_cache(4096)
def _way(now: _Place, y: int, x: int) -> str:
    """The shortest that moves the cursor."""
    ways = []
    if now.y is not None:
        # Sideways first: a carriage return also ends what is left to do behind the last column.
        sideways = ["\r" + _step(x, "C")]
        if now.x is not None:
            sideways.append(_across(x - now.x))
        if not now.in_ascii:
            sideways.append(f"\x1b[{x + 1}G")
        ways = [one + _down(y - now.y) for one in sideways]
    ways.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H")
    return min(ways, key=len)


def _across(count: int) -> str:
    """To the right, or to the left where it is negative."""
    return min("\b" * -count, _step(-count, "D"), key=len) if count < 0 else _step(count, "C")


def _down(count: int) -> str:
    """Down, or up where it is negative. A vertical tab is a line feed of which the kernel makes no new line; not every
    terminal has the reverse of it (RI)."""
    return _step(-count, "A") if count < 0 else min("\v" * count, _step(count, "B"), key=len)


def _step(count: int, letter: str) -> str:
    return f"\x1b[{count}{letter}" if count > 1 else f"\x1b[{letter}" if count else ""
