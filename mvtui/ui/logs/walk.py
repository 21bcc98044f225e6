"""Where one is in a log: at its end, which moves, or somewhere above it, which stays."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from mvtui.errors import MvtuiError
from mvtui.host.ports import Logs
from mvtui.model.log import LogFilter
from mvtui.ui.logs.reading import PAGE, Follower, Spawn, Work, page
from mvtui.ui.logs.search import find, find_beyond
from mvtui.ui.logs.viewport import Rows, Top, Viewport
from mvtui.ui.logs.window import LogWindow

# With so few records left above, the next page is read.
_SOON = 100


class LogWalk:
    """One log, and a place in it. `rows` makes the rows of a record, `spawn` runs what takes long, one at a time; after
    `changed` there is something else to see, at once or (`came`) when there is time for it."""

    def __init__(
        self, logs: Logs, wanted: LogFilter, rows: Callable[[bytes], Any], spawn: Spawn, changed: Callable[[bool], None]
    ) -> None:
        self.logs, self.wanted = logs, wanted
        self._rows, self._spawn, self._changed = rows, spawn, changed
        self._follower: Follower | None = None
        self._work: Work | None = None
        self._owed = 0
        self._is_start = False
        self._afresh = False
        self._searches = False
        self.trouble = ""
        self.note = ""
        self.looking_at: bytes | None = None
        self.found = ""
        self.match: int | None = None
        self._renew(LogWindow())

    def _renew(self, window: LogWindow) -> None:
        self.window = window
        self.viewport = Viewport(window, self._rows_of())
        self.match, self._is_start = None, False

    def _rows_of(self) -> Rows:
        window = self.window
        return lambda number: self._rows(window[number])

    @property
    def follows(self) -> bool:
        """Whether what comes is shown."""
        return self._follower is not None

    @property
    def rate(self) -> int | None:
        """Records a second where so many come that only the end of them is shown, once a second; else None."""
        return self._follower.rate if self._follower is not None else None

    @property
    def is_busy(self) -> bool:
        """Whether something is read that was asked for."""
        return self._work is not None

    # At the end

    def follow(self) -> None:
        """From the end of the log on, whatever was shown."""
        self.stop()
        self._afresh, self.trouble = True, ""
        self._follow(None)

    def _follow(self, after: bytes | None) -> None:
        self.viewport.top = None
        try:
            self._follower = Follower(self.logs, self.wanted, after, self._take, self._end, self._spawn)
        except MvtuiError as error:
            self._end(str(error))

    def _take(self, records: list[bytes], skipped: bool) -> None:
        if self._afresh or skipped:  # what was not read is read in pages
            self._afresh = False
            self._renew(LogWindow())
        self.window.append(records)
        self._changed(False)

    def _end(self, trouble: str) -> None:
        self._follower = None
        self.trouble = trouble or "The log has ended."
        self._changed(True)

    def stop(self) -> None:
        """Read no more; what was read stays."""
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        self._cancel()

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()
        self._work, self.looking_at, self._owed, self._searches = None, None, 0, False

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._cancel()
        self._work = self._spawn(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except MvtuiError as error:
            self.note = str(error)
        self._work, self.looking_at, self._searches = None, None, False
        self._changed(True)

    # Through it

    def scroll(self, step: int, height: int) -> None:
        """By so many rows; up ends the following, down to the end begins it again."""
        self.note = ""
        if self._searches:
            self._cancel()
        left = self.viewport.scroll(step, height)
        at_end = self.viewport.top is not None and self.viewport.top >= self.viewport.last_top(height)
        if step < 0:
            self._scrolled_up(left, height, at_end=at_end)
        elif self.follows:
            self.viewport.top = None
        elif at_end and len(self.window):
            self._begin(self._go_on(left, height))
        self._changed(True)

    def _scrolled_up(self, left: int, height: int, *, at_end: bool) -> None:
        top = self.viewport.top
        assert top is not None
        if at_end and self.follows and self._is_start:
            self.viewport.top = None  # all of it is in sight
            return
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        if left < 0 or top.number - self.window.first < _SOON:
            if self._work is None and not self._is_start and len(self.window):
                self._begin(self._more_above(height))
            self._owed = max(self._owed + left, -4 * height)

    async def _more_above(self, height: int) -> None:
        records = await page(self.logs, self.wanted, before=self.window[self.window.first])
        self._is_start = len(records) < PAGE
        self.window.prepend(records)
        owed, self._owed = self._owed, 0
        if owed:
            self.viewport.scroll(owed, height)
        self._follow_where_all_is_in_sight(height)

    def _follow_where_all_is_in_sight(self, height: int) -> None:
        if self._is_start and self.viewport.last_top(height) == Top(self.window.first):
            self._follow(self.window[self.window.end - 1])

    async def _go_on(self, left: int, height: int) -> None:
        records = await page(self.logs, self.wanted, after=self.window[self.window.end - 1])
        self.window.append(records)
        self.viewport.scroll(left, height)
        if len(records) < PAGE and self.viewport.top == self.viewport.last_top(height):
            self._follow(self.window[self.window.end - 1])

    def to_start(self) -> None:
        """To the first record of all."""
        self.stop()

        async def go() -> None:
            records = await page(self.logs, self.wanted, after=b"")
            self._renew(LogWindow())
            self.window.append(records)
            self.viewport.top, self._is_start = Top(self.window.first), True

        self._begin(go())

    def choose(self, wanted: LogFilter, height: int) -> None:
        """Show that part of the log from now on: the end where it is followed, else what stands round the same
        place."""
        if wanted == self.wanted:
            return
        visible = self.viewport.visible(height)
        if self.follows or not visible:
            self.wanted = wanted
            self._renew(LogWindow())
            self.follow()
            return
        self.stop()
        place, self.wanted = self.window[visible[0][0]], wanted

        async def go() -> None:
            above = await page(self.logs, wanted, before=place)
            below = await page(self.logs, wanted, after=place)
            own = [place] if self.logs.matches(place, wanted) and self._is_of_source(place) else []
            self._renew(LogWindow())
            self.window.append([*above, *own, *below])
            if not len(self.window):
                self.follow()
                return
            self.viewport.top = Top(self.window.first + min(len(above), len(self.window) - 1))
            self.viewport.scroll(0, height)
            self._is_start = len(above) < PAGE
            if len(below) < PAGE:
                self._follow_where_all_is_in_sight(height)

        self._begin(go())

    def _is_of_source(self, record: bytes) -> bool:
        return self.wanted.source in (None, self.logs.entry(record).source)

    # Searching

    def search(self, text: str, height: int) -> None:
        """The last match that stands not below what is in sight."""
        self.found, self.match = text, None
        if text:
            visible = self.viewport.visible(height)
            self._look(visible[-1][0] if visible else self.window.end - 1, height, up=True)
        else:
            self._changed(True)

    def search_on(self, height: int, *, up: bool) -> None:
        """The next match above the last one, or below it."""
        visible = self.viewport.visible(height)
        if not self.found or not visible:
            self.note = "nothing is searched for" if not self.found else ""
            self._changed(True)
            return
        start = self.match if self.match is not None else visible[-1 if up else 0][0] + (1 if up else -1)
        self._look(start + (-1 if up else 1), height, up=up)

    def _look(self, start: int, height: int, *, up: bool) -> None:
        """From record `start` on."""
        if self._follower is not None:
            self.viewport.top = self.viewport.last_top(height)
            self._follower.stop()
            self._follower = None
        self.note = ""
        self._begin(self._find(start, height, up=up))
        self._searches = True

    async def _find(self, start: int, height: int, *, up: bool) -> None:
        window = self.window
        if not len(window):
            return
        near = (
            range(window.first, min(start, window.end - 1) + 1) if up else range(max(start, window.first), window.end)
        )
        records = [window[number] for number in near]
        index = await asyncio.to_thread(find, self.logs, records, self.found, up=up)
        if index is not None:
            self._show_match(near[index], height)
            return
        place = window[window.first if up else window.end - 1]
        beyond = await find_beyond(self.logs, self.wanted, self.found, place, up=up, on_page=self._look_at)
        if beyond is None:
            self.note = f"it stands nowhere {'above' if up else 'below'}"
            return
        records, index = beyond
        self._renew(LogWindow())
        self.window.append(records)
        self._show_match(self.window.end - len(records) + index, height)

    def _look_at(self, record: bytes) -> None:
        self.looking_at = record
        self._changed(False)

    def _show_match(self, number: int, height: int) -> None:
        self.match = number
        self.viewport.show(number, height)
