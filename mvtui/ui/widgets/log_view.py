"""The tab of logs: its lines, and the keys that work on them."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Size
from textual.strip import Strip

from mvtui.host.ports import Logs
from mvtui.model.log import DEBUG, LEVELS, LogFilter, LogSource
from mvtui.model.text import clean
from mvtui.ui.command import Place
from mvtui.ui.commands import bindings
from mvtui.ui.keys import Keys
from mvtui.ui.lines import Line, Lines, folded, to_strip
from mvtui.ui.logs.rows import Look, rows
from mvtui.ui.logs.walk import LogWalk
from mvtui.ui.questions import Answer, Question
from mvtui.ui.roles import cursor_style
from mvtui.ui.widgets.log_title import LogTitle

# What comes is painted so often at most, and less where that would send more bytes than these a second.
_PAINT_SECONDS = 0.25
_BYTES_A_SECOND = 16_000
# What a line takes beside its text: to get there, and the colours.
_LINE_BYTES = 30
# A log that says nothing is known to be empty after so long.
_EMPTY_SECONDS = 0.5
_WHEEL_LINES = 3
# The rows of so long a record are kept: to make them takes longer than a key may. Of so many.
_LONG_BYTES = 4096
_MOST_LONG = 100

_LEVEL_KEYS = {DEBUG: "a", 6: "i", 5: "n", 4: "w", 3: "e", 2: "c"}
_SOURCE_KEYS = dict(zip(LogSource, "gvitsm", strict=True)) | {LogSource.INTERFACES: "i", LogSource.INSTALL: "b"}

Ask = Callable[[Question], None]
OpenLogs = Callable[[str], Logs]


class LogView(Lines, can_focus=True, inherit_bindings=False):
    """The lines of one microVM's log; it is read from `open` to `stop`. Its `title` is to stand above it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Place.MOVE), *bindings(Place.LOGS)]

    def __init__(self, open_logs: OpenLogs, ask: Ask, type_search: Callable[["LogView"], None]) -> None:
        super().__init__()
        self._open_logs, self._ask, self._type_search = open_logs, ask, type_search
        self.title = LogTitle()
        self._look = Look(80)
        self._walk: LogWalk | None = None
        self._paints = False
        self._paused = False
        self._next_paint = 0.0
        self._now: datetime | None = None
        self._numbers: list[int] = []
        self._keys: Keys = {}
        self._long: dict[tuple[bytes, Look], list[Line]] = {}
        self.microvm = ""

    # Open and closed

    def open(self, microvm: str) -> None:
        """Show the end of its log, and what comes."""
        self.stop()
        self.microvm = microvm
        wanted = self._walk.wanted if self._walk is not None else LogFilter()
        walk = self._walk = LogWalk(
            self._open_logs(microvm), wanted, self._rows, lambda work: self.run_worker(work, group="log"), self._changed
        )
        walk.follow()
        self.set_timer(_EMPTY_SECONDS, self._paint_now)
        self._tell()

    def stop(self) -> None:
        """Read no more."""
        if self._walk is not None:
            self._walk.stop()

    def on_unmount(self) -> None:
        """Nobody sees it any more."""
        self.stop()

    def present(self, now: datetime, *, paused: bool) -> None:
        """What the panel as a whole shows."""
        self._now = now
        if self._look.zone != now.tzinfo:
            self._look = self._look._replace(zone=now.tzinfo)
        if self._paused and not paused:
            self._paused = False
            self._paint_now()
        self._paused = paused

    @property
    def walk(self) -> LogWalk:
        """Where it is."""
        assert self._walk is not None
        return self._walk

    # Painting

    def _rows(self, record: bytes) -> list[Line]:
        if len(record) < _LONG_BYTES:
            return rows(self.walk.logs.entry(record), self._look)
        key = (record, self._look)
        if key not in self._long:
            if len(self._long) >= _MOST_LONG:
                self._long.clear()
            self._long[key] = rows(self.walk.logs.entry(record), self._look)
        return self._long[key]

    def fitted(self, size: Size) -> list[Line]:
        """What is in sight, or why nothing is."""
        self._numbers = []
        if self._walk is None:
            return []
        if self._look.width != size.width:
            self._look = self._look._replace(width=size.width)
        if len(self._walk.window) == 0:
            return self._nothing(size.width)
        visible = self._walk.viewport.visible(size.height)
        self._numbers = [number for number, _ in visible]
        return [line for _, line in visible]

    def _nothing(self, width: int) -> list[Line]:
        walk = self.walk
        role = "warning" if walk.trouble else "text"
        filtered = walk.wanted != LogFilter()
        words = walk.trouble or f"Nothing has been logged{' that is wanted here' if filtered else ''}."
        return [(), *[(("  ", "text"), (line, role)) for line in folded(clean(words), max(10, width - 4), 10)]]

    def render_line(self, y: int) -> Strip:
        """One line; the one that was found last has the cursor's colours."""
        strip = super().render_line(y)
        match = self._walk.match if self._walk is not None else None
        if match is None or y >= len(self._numbers) or self._numbers[y] != match:
            return strip
        return to_strip(self, self._lines[y], highlight=cursor_style(self))

    def _changed(self, at_once: bool) -> None:
        wait = self._next_paint - time.monotonic()
        if at_once or (wait <= 0 and not self._paused):
            self._paint_now()
        elif not self._paints and not self._paused:
            self._paints = True
            self.set_timer(wait, self._paint)

    def _paint(self) -> None:
        self._paints = False
        if not self._paused:
            self._paint_now()

    def _paint_now(self) -> None:
        before, numbers = self._lines, self._numbers
        self.update()
        changed = [line for line, old in zip(self._lines, before, strict=False) if line != old]
        if self.walk.match is not None or numbers[:1] != self._numbers[:1]:
            self.refresh()
        count = sum(
            _LINE_BYTES + sum(len(text.rstrip().encode(errors="replace")) for text, _ in line) for line in changed
        )
        self._next_paint = time.monotonic() + max(_PAINT_SECONDS, count / _BYTES_A_SECOND)
        self._tell()

    def _tell(self) -> None:
        """Show in the title what is shown."""
        self.title.tell(self.walk, self._look, self._now, self._keys)

    def show_keys(self, keys: Keys) -> None:
        """These work from now on."""
        self._keys = keys
        self._tell()

    def _look_so(self, look: Look) -> None:
        self._look = look
        self._paint_now()

    # The keys

    def _scroll(self, step: int) -> None:
        self.walk.scroll(step, max(1, self.size.height))

    def action_cursor_down(self) -> None:
        """One line down."""
        self._scroll(1)

    def action_cursor_up(self) -> None:
        """One line up."""
        self._scroll(-1)

    def action_page_down(self) -> None:
        """A page down; a line of the last stays in sight."""
        self._scroll(max(1, self.size.height - 1))

    def action_page_up(self) -> None:
        """A page up."""
        self._scroll(-max(1, self.size.height - 1))

    def action_half_down(self) -> None:
        """Half a page down."""
        self._scroll(max(1, self.size.height // 2))

    def action_half_up(self) -> None:
        """Half a page up."""
        self._scroll(-max(1, self.size.height // 2))

    def on_mouse_scroll_down(self, _event: MouseScrollDown) -> None:
        """The wheel."""
        self._scroll(_WHEEL_LINES)

    def on_mouse_scroll_up(self, _event: MouseScrollUp) -> None:
        """The wheel."""
        self._scroll(-_WHEEL_LINES)

    def action_first(self) -> None:
        """To the first line that there is."""
        self.walk.to_start()

    def action_last(self) -> None:
        """To the end; what comes is followed again."""
        if not self.walk.follows:
            self.walk.follow()
            self._tell()

    def action_search(self) -> None:
        """Type what is searched for."""
        self._type_search(self)

    def mark(self, text: str) -> None:
        """Let what reads so stand out."""
        self._look_so(self._look._replace(found=text))

    def search(self, text: str) -> None:
        """Go to the last line that has it and stands not below what is in sight; "" ends the search."""
        self.mark(text)
        self.walk.search(text, self.size.height)

    def action_search_next(self) -> None:
        """The next match below."""
        self.walk.search_on(self.size.height, up=False)

    def action_search_previous(self) -> None:
        """The next match above."""
        self.walk.search_on(self.size.height, up=True)

    def action_log_wrap(self) -> None:
        """Cut long lines, or show all of them."""
        self._look_so(self._look._replace(wrap=not self._look.wrap))

    def action_log_times(self) -> None:
        """Time, date and time, or none."""
        self._look_so(self._look._replace(times=self._look.times.next))

    def action_log_level(self) -> None:
        """Ask for the level."""
        answers = [
            Answer(key, "all" if level == DEBUG else LEVELS[level], self._chooses(level=level))
            for level, key in _LEVEL_KEYS.items()
        ]
        self._ask(Question("show what is at least", tuple(answers), harmless=True))

    def action_log_source(self) -> None:
        """Ask for the source."""
        answers = [Answer("a", "all", self._chooses(source=None))]
        answers += [Answer(_SOURCE_KEYS[source], str(source), self._chooses(source=source)) for source in LogSource]
        self._ask(Question("show", tuple(answers), harmless=True))

    def _chooses(self, **changes: object) -> Callable[[], None]:
        def choose() -> None:
            wanted = self.walk.wanted._replace(**changes)  # type: ignore[arg-type]
            self.walk.choose(wanted, max(1, self.size.height))
            self.set_timer(_EMPTY_SECONDS, self._paint_now)
            self._tell()

        return choose
