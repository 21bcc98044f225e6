"""Reads a log for the panel: what comes, at a pace that lets keys through, and pages of what is older or newer."""

import asyncio
from collections.abc import Callable

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

Take = Callable[[list[bytes]], None]


class Follower:
    """Hands records on to `take` as they come, until it is stopped; then `end` gets what went wrong, "" where it only
    ended. Runs in the event loop, and never waits there."""

    def __init__(
        self, logs: Logs, wanted: LogFilter, after: bytes | None, take: Take, end: Callable[[str], None]
    ) -> None:
        """Raises MvtuiError."""
        self._logs, self._wanted, self._take, self._end = logs, wanted, take, end
        self._loop = asyncio.get_running_loop()
        self._is_empty = True
        self._stream: LogStream | None = logs.stream(wanted, after=after, last=None if after is not None else PAGE)
        self._waits = False
        self._timer = self._loop.call_later(_COMPLAINS_WITHIN, self._check)
        self._next: asyncio.TimerHandle | None = None
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
                self.stop()
                self._end("")
            return
        if records:
            self._is_empty = False
            self._take([record for record in records if self._logs.matches(record, self._wanted)])
        # Not at once: 10,000 lines a second, each written by itself, would be 10,000 reads.
        self._next = self._loop.call_later(_PAUSE if self._stream.fileno() is not None else _LOOK, self._wait_now)

    def _wait_now(self) -> None:
        if self._stream is not None and self._stream.fileno() is None:
            self._read()
        else:
            self._wait()

    def _check(self) -> None:
        if self._stream is None or not self._stream.complaint:
            return
        try:
            self._logs.check(self._stream.complaint, is_empty=self._is_empty)
        except MvtuiError as error:
            self.stop()
            self._end(str(error))

    def _wait_no_more(self) -> None:
        if self._waits and self._stream is not None:
            descriptor = self._stream.fileno()
            if descriptor is not None:
                self._loop.remove_reader(descriptor)
        self._waits = False

    def stop(self) -> None:
        """No more is wanted; what was read on the side of the log ends."""
        self._timer.cancel()
        if self._next is not None:
            self._next.cancel()
        self._wait_no_more()
        if self._stream is not None:
            self._stream.close()
            self._stream = None


async def page(
    logs: Logs, wanted: LogFilter, limit: int = PAGE, *, before: bytes | None = None, after: bytes | None = None
) -> list[bytes]:
    """As Logs.page, beside the event loop."""
    return await asyncio.to_thread(logs.page, wanted, limit, before=before, after=after)
