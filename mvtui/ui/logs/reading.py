"""Reads a log for the panel: what comes, at a pace that lets keys through, and pages of what is older or newer.

Of a log that comes faster than anybody reads, only the end is read, once a second: who leafs up gets the rest in pages,
so nothing is lost, and journalctl costs a tenth.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol

from mvtui.errors import MvtuiError
from mvtui.host.ports import Logs, LogStream
from mvtui.model.log import LogFilter

# So many records are read when the tab is opened, and with each page.
PAGE = 500
SEARCH_PAGE = 5000
# Seconds between two reads of what comes without end; a log that cannot be waited for is looked at as often as
# is shown.
_PAUSE = 0.1
_LOOK = 0.25
# Seconds after which journalctl has said what it has to say about the rights of who calls it.
_COMPLAINS_WITHIN = 1.0
# So many records a second are a flood, and so few are none any more.
_FLOOD, _CALM = 2000, 1000
# Seconds in which records are counted, and between two looks at the end of a flood.
_COUNTS = 1.0
_SKIM = 1.0

# Gets records, and whether there may be others between those that came before and these.
Take = Callable[[list[bytes], bool], None]


class Work(Protocol):
    """Something under way."""

    def cancel(self) -> object:
        """End it."""


# Begins what takes long.
Spawn = Callable[[Coroutine[Any, Any, None]], Work]


class Follower:
    """Hands records on to `take` as they come, until it is stopped; then `end` gets what went wrong, "" where it only
    ended. Runs in the event loop, and never waits there."""

    def __init__(
        self,
        logs: Logs,
        wanted: LogFilter,
        after: bytes | None,
        take: Take,
        end: Callable[[str], None],
        spawn: Spawn,
    ) -> None:
        """Raises MvtuiError."""
        self._logs, self._wanted, self._take, self._end, self._spawn = logs, wanted, take, end, spawn
        self._loop = asyncio.get_running_loop()
        self._is_empty = True
        self._waits = False
        self._next: asyncio.TimerHandle | None = None
        self._skimming: Work | None = None
        self.rate: int | None = None
        """Records a second, of a flood; None where there is none."""
        self._open(after)
        self._timer = self._loop.call_later(_COMPLAINS_WITHIN, self._check)

    def _open(self, after: bytes | None) -> None:
        self._count, self._counts_since = 0, self._loop.time()
        self._stream: LogStream | None = self._logs.stream(
            self._wanted, after=after, last=None if after is not None else PAGE
        )
        self._wait()

    def _wait(self) -> None:
        if self._stream is None:
            return
        descriptor = self._stream.fileno()
        if descriptor is None:
            self._next = self._loop.call_later(_LOOK if not self._is_empty else 0.0, self._read)
        else:
            self._loop.add_reader(descriptor, self._read)
            self._waits = True

    def _read(self) -> None:
        self._wait_no_more()
        if self._stream is None:
            return
        records = self._stream.read()
        if records is None:
            self._check()
            if self._stream is not None:
                self._stop_with("")
            return
        if records:
            self._is_empty = False
            self._take([record for record in records if self._logs.matches(record, self._wanted)], False)
        descriptor = self._stream.fileno()
        if descriptor is not None and self._is_flood(len(records)):
            self._close()
            self._skimming = self._spawn(self._skim())
            return
        # Not at once: 10,000 lines a second, each written by itself, would be 10,000 reads.
        self._next = self._loop.call_later(_PAUSE if descriptor is not None else _LOOK, self._wait_now)

    def _wait_now(self) -> None:
        if self._stream is not None and self._stream.fileno() is None:
            self._read()
        else:
            self._wait()

    def _is_flood(self, count: int) -> bool:
        """Whether it is one, with so many more."""
        self._count += count
        seconds = self._loop.time() - self._counts_since
        if seconds < _COUNTS:
            return False
        rate = self._count / seconds
        self._count, self._counts_since = 0, self._loop.time()
        self.rate = round(rate) if rate > _FLOOD else None
        return self.rate is not None

    async def _skim(self) -> None:
        """Show the end of the log once a second, until the flood is over."""
        records: list[bytes] = []
        try:
            while self.rate is not None:
                await asyncio.sleep(_SKIM)
                records = await page(self._logs, self._wanted) or records
                self.rate = self._rate_of(records)
                self._take(records, True)
            if self._skimming is not None:
                self._skimming = None
                self._open(records[-1] if records else None)
        except MvtuiError as error:
            self._stop_with(str(error))

    def _rate_of(self, records: list[bytes]) -> int | None:
        """Of a flood that goes on."""
        first, last = (self._logs.entry(records[at]).at if len(records) == PAGE else None for at in (0, -1))
        if first is None or last is None or not 0 < (datetime.now(UTC) - first).total_seconds() * _CALM < PAGE:
            return None
        return round(PAGE / max(0.01, (last - first).total_seconds()))

    def _check(self) -> None:
        if self._stream is None or not self._stream.complaint:
            return
        try:
            self._logs.check(self._stream.complaint, is_empty=self._is_empty)
        except MvtuiError as error:
            self._stop_with(str(error))

    def _wait_no_more(self) -> None:
        if self._waits and self._stream is not None:
            descriptor = self._stream.fileno()
            if descriptor is not None:
                self._loop.remove_reader(descriptor)
        self._waits = False

    def _close(self) -> None:
        self._wait_no_more()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _stop_with(self, trouble: str) -> None:
        self.stop()
        self._end(trouble)

    def stop(self) -> None:
        """No more is wanted; what was read on the side of the log ends."""
        self._timer.cancel()
        if self._next is not None:
            self._next.cancel()
        if self._skimming is not None:
            self._skimming.cancel()
            self._skimming = None
        self._close()


async def page(
    logs: Logs, wanted: LogFilter, limit: int = PAGE, *, before: bytes | None = None, after: bytes | None = None
) -> list[bytes]:
    """As Logs.page, beside the event loop."""
    return await asyncio.to_thread(logs.page, wanted, limit, before=before, after=after)
