"""What a command writes, as lines that can be shown: bounded, without what acts on a terminal. Pure."""

import codecs
import re
from collections import deque
from itertools import islice

from mvtui.model.text import clean

# So many of the last lines are kept, and so many characters of each.
MOST_LINES = 2000
MOST_CHARACTERS = 400
# A line that has not ended yet is no longer than this.
_MOST_PENDING = 1 << 14

# ECMA-48: control sequences, strings that end with BEL or ST, and the other escapes of two characters.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")
_TAB = "    "


class OutputLines:
    """Takes bytes as they come. `gone` counts the lines that are no longer kept."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pending = ""
        self._overlong = False
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self.gone = 0

    def feed(self, data: bytes) -> None:
        """More of it."""
        *ended, self._pending = (self._pending + self._decoder.decode(data)).split("\n")
        for line in ended:
            if not self._overlong:
                self._add(_shown(line))
            self._overlong = False
        if self._overlong:
            self._pending = ""
        elif len(self._pending) > _MOST_PENDING:
            self._add(_shown(self._pending))
            self._pending, self._overlong = "", True

    def skip(self, count: int) -> None:
        """So many bytes were left out: more came than anybody could read."""
        self._pending, self._overlong = "", True
        self._decoder.reset()
        self._add(f"… {count} bytes left out")

    def _add(self, line: str) -> None:
        self.gone += len(self._lines) == MOST_LINES
        self._lines.append(line)

    @property
    def count(self) -> int:
        """How many lines have ended."""
        return self.gone + len(self._lines)

    def from_line(self, number: int) -> list[str]:
        """Those that have ended, from that number on, as far as they are kept."""
        return list(islice(self._lines, max(0, number - self.gone), None))

    @property
    def lines(self) -> list[str]:
        """The last of them; one that has not ended is the last."""
        shown = _shown(self._pending)
        return [*self._lines, shown] if shown else list(self._lines)

    @property
    def last(self) -> str:
        """The last one that says something, "" where none does."""
        return next((line for line in reversed(self.lines) if line.strip()), "")


def _shown(line: str) -> str:
    """What would stand there once all of it is written: a carriage return begins the line anew."""
    plain = _ESCAPES.sub("", line[: 8 * _MOST_PENDING]).rstrip("\r").rpartition("\r")[2]
    text = clean(plain[: 2 * MOST_CHARACTERS].replace("\t", _TAB)).rstrip()
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
