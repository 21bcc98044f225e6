"""What a terminal obeys of what the panel could write, by its name. Pure.

By terminfo(5) of these terminals, and, where that says nothing, by the VT100 and VT220 manuals, console_codes(4) and
screen(1). What is not obeyed is at best lost (an attribute that is never turned off again), at worst shown as text.
"""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Abilities:
    """`attributes`: the codes of SGR that it shows; `colours`: any at all; `turns_off`: attributes one by one (SGR 22
    to 29), not only all at once; `moves_lines`: scrolls some between others; `answers`: knows, or passes over,
    what newer terminals are asked for: a mode (DECRQM), the keyboard protocol of kitty, the pointer's shape;
    `fills`: what is erased gets the background that is written on (bce)."""

    attributes: frozenset[str] = frozenset("1234579")
    colours: bool = True
    turns_off: bool = True
    moves_lines: bool = True
    answers: bool = True
    fills: bool = False


ALL = Abilities()
# Bold, underline, blink, reverse: what a VT100 has; dim came with the others.
_VT100 = Abilities(frozenset("1457"), colours=False, turns_off=False, answers=False)
_ANSI = replace(_VT100, moves_lines=False)
_VT220 = Abilities(frozenset("1457"), colours=False, answers=False)
# Linux until 4.20 prints the end of what it does not know; screen takes italics for standout.
_CONSOLE = Abilities(frozenset("12457"), answers=False)

_XTERM = Abilities(fills=True)

_FAMILIES = (
    (re.compile(r"(xterm|rxvt)(-(16|88|256)?color|-direct|-unicode.*)?$"), _XTERM),
    (re.compile(r"linux\b"), replace(_CONSOLE, fills=True)),
    (re.compile(r"vt[2-5]\d\d"), _VT220),
    (re.compile(r"vt\d"), _VT100),
    (re.compile(r"ansi"), _ANSI),
    (re.compile(r"screen\b"), _CONSOLE),
)


def abilities_of(term: str) -> Abilities:
    """Those of the terminal of that name (TERM); of one that is not known, all."""
    return next((one for name, one in _FAMILIES if name.match(term)), ALL)
