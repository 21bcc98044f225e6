"""What a tab is made of, and of what."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from mvtui.model.finding import Finding
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.model.timeline import EventGroup, Timeline
from mvtui.ui.commands import hint
from mvtui.ui.key_words import with_keys
from mvtui.ui.keys import Keys
from mvtui.ui.lines import Line, Piece, folded
from mvtui.ui.moment import moment
from mvtui.ui.roles import SEVERITY_ROLES
from mvtui.ui.trends import Trends


@dataclass(frozen=True, slots=True)
class Page:
    """One microVM at `now`; `trends` has its last minutes. `cursor` is the key of the entry under the cursor,
    `unfolded` that of the one that shows all of itself; `keys` are those that work; `timeline` is None where it was not
    read, and `events` are those of it that are wanted (None: all)."""

    microvm: MicroVM
    now: datetime
    trends: Trends
    ascii_only: bool = False
    cursor: str | None = None
    keys: Keys = field(default_factory=dict)
    unfolded: str | None = None
    timeline: Timeline | None = None
    events: EventGroup | None = None

    def offer(self, id: str, words: str) -> Line:  # noqa: A002
        """The key of that command, and what it does, behind something else."""
        return (("  ", "text"), (hint(id, self.keys), "key"), (f" {words}", "text"))


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines that belong together; where there is a key, the cursor can stand on the first of them. A `section` can be
    brought into sight by its name."""

    lines: tuple[Line, ...]
    key: str = ""
    section: str = ""


# The entries of a tab, for a width.
Tab = Callable[[Page, int], list[Entry]]

LABEL_WIDTH = 11


def labelled(label: str, pieces: Iterable[Piece]) -> Line:
    """A line with its label in the first column."""
    return ((f"{label:<{LABEL_WIDTH}} ", "dim"), *pieces)


def paragraph(label: str, text: str, width: int, role: str = "text", most: int = 50) -> list[Line]:
    """Text (of the host) in as many lines as it takes, at most `most`, the label before the first."""
    room = max(10, width - LABEL_WIDTH - 1)
    lines = folded(clean(text), room, most)
    return [labelled(label if number == 0 else "", ((line, role),)) for number, line in enumerate(lines)]


def finding_lines(finding: Finding, now: datetime, width: int, keys: Keys) -> Iterator[Line]:
    """What is wrong, why and since when; then what mends it, with its key where one does it."""
    since = f" Since {moment(finding.since, now)}." if finding.since is not None else ""
    text = f"{finding.what} {finding.why}".strip() + since
    yield from paragraph(finding.severity.name.capitalize(), text, width, SEVERITY_ROLES[finding.severity])
    if finding.fix:
        yield from paragraph("", f"→ {with_keys(finding.fix, keys)}", width)
