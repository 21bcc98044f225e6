"""How an entry of a log reads on the screen: one row that is cut, or as many as it takes. Pure."""

import re
from datetime import datetime, tzinfo
from enum import Enum, auto
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from mvtui.model.log import DEBUG, ERROR, WARNING, LogEntry, LogSource
from mvtui.model.text import clean
from mvtui.ui.charset import fit
from mvtui.ui.lines import CARET, Line, clipped

# Of a longer message the rest is left out, and how much that is. journald and log files cut lines sooner.
MOST_CHARACTERS = 1 << 17
_WHO_WIDTH = 10
# A row that goes on in the next one has its text at least so wide.
_LEAST_TEXT = 20
# Colours, which a guest's console is full of; a wrapped line shows them too.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Times(Enum):
    """What stands before each entry."""

    CLOCK = auto()
    FULL = auto()
    NONE = auto()

    @property
    def next(self) -> "Times":
        """The one after it, round and round."""
        return {Times.CLOCK: Times.FULL, Times.FULL: Times.NONE, Times.NONE: Times.CLOCK}[self]


class Look(NamedTuple):
    """`wrap`: entries are shown whole; `found` is what matches are marked of, in lower case where case does not count;
    `zone` is that of the times."""

    width: int
    wrap: bool = False
    times: Times = Times.CLOCK
    found: str = ""
    zone: tzinfo | None = None


def rows(entry: LogEntry, look: Look) -> list[Line]:
    """The rows of an entry, each in the width of the look."""
    head = (*_head(entry, look), *_mark(entry))
    indent = sum(len(text) for text, _ in head)
    role = _role(entry)
    if not look.wrap:
        text = _COLOURS.sub("", entry.message[entry.start :][: 4 * look.width + 200])
        text = clean(text.replace("\t", "  ").strip("\r\n")[: 4 * look.width])
        return [clipped((*head, *_marked(text, role, look.found)), look.width)]
    room = max(_LEAST_TEXT, look.width - indent)
    pieces = _chopped(whole(entry), room)
    first: Line = (*head, *_marked(pieces[0], role, look.found))
    gap = (" " * indent, "text")
    return [
        clipped(line, look.width)
        for line in (first, *[(gap, *_marked(piece, role, look.found)) for piece in pieces[1:]])
    ]


def whole(entry: LogEntry) -> str:
    """All that it says, as it is shown."""
    message = entry.message
    if len(message) > MOST_CHARACTERS:
        more = len(message) - MOST_CHARACTERS
        return clean(f"{message[:MOST_CHARACTERS]} … and {more} characters more, which mvtui logs --json has")
    return clean(message)


def has(entry: LogEntry, found: str) -> bool:
    """Whether it says that (in lower case: in either case)."""
    return _find(clean(entry.message), found, 0) >= 0


def moment_of(entry: LogEntry, zone: tzinfo | None, now: datetime) -> str:
    """When it was, for a title; "" where that is not known."""
    if entry.at is None:
        return ""
    local = entry.at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%d %b %H:%M}"


def _head(entry: LogEntry, look: Look) -> Line:
    at = entry.at.astimezone(look.zone) if entry.at is not None else None
    time = ""
    if look.times is Times.CLOCK:
        time = f"{at:%H:%M:%S} " if at is not None else " " * 9
    elif look.times is Times.FULL:
        time = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} " if at is not None else " " * 24
    return ((time, "dim"), (f"{fit(_who(entry), _WHO_WIDTH)} ", "dim"))


def _who(entry: LogEntry) -> str:
    if entry.source is LogSource.VIRTIOFSD:
        return clean(f"fsd {entry.speaker}") if entry.speaker else "virtiofsd"
    if entry.source is LogSource.GUEST or not entry.speaker:
        return str(entry.source)
    return clean(f"mvtui {entry.speaker}" if entry.source is LogSource.MVTUI else entry.speaker)


def _mark(entry: LogEntry) -> Line:
    """What tells an error or a warning from the rest where there are no colours."""
    if entry.level > WARNING:
        return ()
    return (("× " if entry.level <= ERROR else "! ", _role(entry)),)


def _role(entry: LogEntry) -> str:
    if entry.level <= ERROR:
        return "error"
    return "warning" if entry.level == WARNING else "dim" if entry.level == DEBUG else "text"


def _find(text: str, found: str, start: int) -> int:
    """Where it stands next; a text in lower case means either."""
    return (text.lower() if found == found.lower() else text).find(found, start)


def _marked(text: str, role: str, found: str) -> Line:
    """The text, what was found in it standing out."""
    if not found or len(text.lower()) != len(text):  # a few letters are two in lower case
        return ((text, role),)
    pieces: list[tuple[str, str]] = []
    start = 0
    while (at := _find(text, found, start)) >= 0:
        pieces += [(text[start:at], role), (text[at : at + len(found)], CARET)]
        start = at + len(found)
    return (*[piece for piece in pieces if piece[0]], (text[start:], role))


def _chopped(text: str, room: int) -> list[str]:
    """All of it in pieces of that many cells; words are broken, as a terminal does it."""
    if not text:
        return [""]
    if text.isascii():
        return [text[start : start + room] for start in range(0, len(text), room)]
    return chop_cells(text, room) if cell_len(text) > room else [text]
