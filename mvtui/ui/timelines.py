"""Reads the timeline that is in sight, beside the panel: when it is opened, and when something may have happened."""

from collections.abc import Awaitable, Callable, Coroutine

from mvtui.model.microvm import MicroVM
from mvtui.model.timeline import Timeline
from mvtui.ui.picture import Picture

# Seconds between two looks at mvtui's own record; the host's log is read where the microVM has changed.
LOOK_SECONDS = 2.0

# The timeline of a microVM; the log is read again where the mark is another one.
ReadTimeline = Callable[[str, object], Awaitable[Timeline]]
RunWorker = Callable[[Coroutine[None, None, None]], object]


class Timelines:
    """`changed` is called when another timeline is there."""

    def __init__(
        self, read: ReadTimeline, run: RunWorker, changed: Callable[[], None], monotonic: Callable[[], float]
    ) -> None:
        self._read, self._run, self._changed, self._monotonic = read, run, changed, monotonic
        self._of = ""
        self._timeline: Timeline | None = None
        self._reads = False
        self._read_at = float("-inf")

    def of(self, microvm: MicroVM) -> Timeline | None:
        """What is known of it; None where it was not read yet."""
        return self._timeline if self._of == microvm.name else None

    def want(self, microvm: MicroVM, picture: Picture) -> None:
        """It is in sight: read it, unless that was done just now."""
        is_other = microvm.name != self._of
        if self._reads or not (is_other or self._monotonic() - self._read_at >= LOOK_SECONDS):
            return
        units = tuple((one.name, one.active_state, one.sub_state, one.since, one.n_restarts) for one in microvm.units)
        mark = (units, microvm.findings, microvm.entry, picture.message, f"{picture.now:%H:%M}")
        self._reads = True
        self._run(self._renew(microvm.name, mark))

    async def _renew(self, name: str, mark: object) -> None:
        try:
            timeline = await self._read(name, mark)
        finally:
            self._reads, self._read_at = False, self._monotonic()
        if (name, timeline) != (self._of, self._timeline):
            self._of, self._timeline = name, timeline
            self._changed()
