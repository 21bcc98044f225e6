"""Which characters and colours standard output can show."""

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from mvtui.model.locale import has_colours, has_plain_font, is_utf8
from mvtui.model.settings import Switch
from mvtui.model.state import StateWord
from mvtui.model.text import ASCII_TWINS

# SGR codes of ECMA-48; the 16 colours that every terminal has.
_COLOURS = {
    StateWord.RUNNING: "32",
    StateWord.STARTING: "33",
    StateWord.STOPPING: "33",
    StateWord.DEGRADED: "33",
    StateWord.LOOPING: "31",
    StateWord.FAILED: "31",
    StateWord.STOPPED: "2",
    StateWord.ORPHAN: "35",
    StateWord.UNKNOWN: "2",
}


class Glyphs(NamedTuple):
    """`unicode`: the encoding has them; `colour`: a terminal that wants them (https://no-color.org). `marks`: the glyph
    of a state stands beside its word."""

    unicode: bool
    colour: bool
    marks: bool = True

    def state(self, word: StateWord) -> str:
        """The glyph of a state."""
        return word.glyph if self.unicode else word.ascii_glyph

    def lines(self, lines: Iterable[str]) -> list[str]:
        """`lines` with ASCII for mvtui's own characters where there is nothing else."""
        return list(lines) if self.unicode else [line.translate(ASCII_TWINS) for line in lines]

    def painted(self, word: StateWord, text: str) -> str:
        """`text` in the colour of a state."""
        return f"\x1b[{_COLOURS[word]}m{text}\x1b[0m" if self.colour else text

    @property
    def ellipsis(self) -> str:
        """One cell: something was cut off here."""
        return "…" if self.unicode else "~"

    @property
    def arrow(self) -> str:
        """From host to guest."""
        return "→" if self.unicode else "->"


def of_stdout(ascii: Switch) -> Glyphs:  # noqa: A002
    """What this program's standard output can show, where `ascii` (as the settings have it) leaves it to that."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    tty, term = sys.stdout.isatty(), os.environ.get("TERM", "")
    has_glyphs = is_utf8(os.environ) and not (tty and has_plain_font(term))
    unicode = encoding == "utf8" and (has_glyphs if ascii == "auto" else ascii == "off")
    return Glyphs(unicode, tty and has_colours(term) and not os.environ.get("NO_COLOR"))
