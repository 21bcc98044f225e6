"""Puts on record what no log of the host has: findings that came and went, and each `current` that was seen.

The panel looks all the time and closely; a command would see less, and what it does not see has not gone. Only what
changes is written, beside the looks. Several panels compare with the same record, one after the other, so each change
stands in it once. Where it can't be written, the looks go on, and the timeline says so.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime

from mvtui.host.event_record import Recorded, alone, read_events, record_events, stamp
from mvtui.host.ports import Host
from mvtui.model.finding import NO_UNITS, Finding
from mvtui.model.microvm import Snapshot
from mvtui.model.text import clean
from mvtui.model.timeline import Event, EventKind
from mvtui.operations.monitor import in_daemon_thread
from mvtui.operations.timeline import built_event, target_key

# A finding has gone when it was not there for so long; what flickers is one.
GONE_SECONDS = 10.0
# Seconds until the slow lane and the guests have told all; before, nothing has gone.
SETTLED_SECONDS = 30.0
# After a failure, not at every look.
AGAIN_SECONDS = 30.0

_MAX_KEY = 200
# (microVM, finding)
_Key = tuple[str, str]


def key_of(finding: Finding) -> str:
    """What a finding is called over its life: its sentence may change with its numbers."""
    return clean(f"{finding.subject}: {finding.note}")[:_MAX_KEY]


async def recorded(host: Host, looks: AsyncGenerator[Snapshot]) -> AsyncGenerator[Snapshot]:
    """The same looks, while what changes between them is put on record beside them."""
    watch: EventWatch | None = None
    lane: asyncio.Future[None] | None = None
    async with aclosing(looks) as source:
        async for snapshot in source:
            yield snapshot
            watch = watch or EventWatch(host)
            if watch.see(snapshot) and (lane is None or lane.done()):
                lane = in_daemon_thread(watch.record)


class EventWatch:
    """Compares what is with what is on record of one host."""

    def __init__(
        self,
        host: Host,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._host = host
        self._monotonic, self._now = monotonic, now
        self._began = monotonic()
        self._not_before = 0.0
        self._stamp: tuple[int, ...] | None = None  # of the record that was read
        self._open: dict[_Key, Event] = {}
        self._current: dict[str, str] = {}
        self._absent: dict[_Key, tuple[float, datetime]] = {}
        self._seen: dict[_Key, Finding] = {}
        self._built: dict[str, tuple[str, str]] = {}  # name and target of `current`, by the name as it is on record

    def see(self, snapshot: Snapshot) -> bool:
        """Take note of a look; whether there is something to put on record. Takes no time."""
        if any(finding.note == NO_UNITS for finding in snapshot.findings):
            return False  # what is not known has not gone
        names = {clean(one.name): one for one in snapshot.microvms}
        self._seen = {(name, key_of(one)): one for name, microvm in names.items() for one in microvm.findings}
        self._built = {
            name: (one.name, target_key(one.entry.current))
            for name, one in names.items()
            if one.entry is not None and one.entry.current is not None
        }
        at = self._monotonic()
        if at - self._began >= SETTLED_SECONDS:
            away = [key for key in self._open if key not in self._seen and key[0] in names]
            self._absent = {key: self._absent.get(key) or (at, self._now()) for key in away}
        if at < self._not_before:
            return False
        is_new = any(key not in self._open for key in self._seen)
        is_built = any(target != self._current.get(name) for name, (_, target) in self._built.items())
        return self._stamp is None or is_new or is_built or bool(self._gone())

    def _gone(self) -> dict[_Key, datetime]:
        at = self._monotonic()
        return {key: away for key, (since, away) in self._absent.items() if at - since >= GONE_SECONDS}

    def record(self) -> None:
        """Put on record what the last look saw. Blocking. Never raises."""
        trouble = ""
        try:
            with alone(self._host.records) as ours:
                if not ours:
                    return  # the next look finds out what is left to do
                self._read()
                trouble = self._write()
        except OSError as error:
            trouble = f"{self._host.records}: {(error.strerror or str(error)).lower()}"
        self._host.record_trouble = f"findings that come and go are not recorded: {trouble}" if trouble else ""
        # What can't be told apart from the record would else be tried at each look.
        self._not_before = self._monotonic() + (AGAIN_SECONDS if trouble else 0)

    def _read(self) -> None:
        now = stamp(self._host.records)
        if now == self._stamp:
            return
        opened: dict[_Key, Event] = {}
        current: dict[str, str] = {}
        for microvm, event in read_events(self._host.records):
            if event.kind is EventKind.FINDING:
                opened[microvm, event.key] = event
            elif event.kind is EventKind.MENDED:
                opened.pop((microvm, event.key), None)
            elif event.kind is EventKind.REBUILD and event.key:
                current[microvm] = event.key
        self._open, self._current, self._stamp = opened, current, now

    def _write(self) -> str:
        """Why it can't be, or ""."""
        seen, now, opened = self._seen, self._now(), self._open
        gone = {key: at for key, at in self._gone().items() if key in opened and key not in seen}
        came = {
            key: Event(_since(one, now), EventKind.FINDING, one.what, one.why, key=key[1])
            for key, one in seen.items()
            if key not in opened
        }
        made = dict(self._made())
        events = [
            *[Recorded(name, event) for name, event in made.items()],
            *[Recorded(key[0], event) for key, event in came.items()],
            *[Recorded(key[0], Event(at, EventKind.MENDED, opened[key].what, key=key[1])) for key, at in gone.items()],
        ]
        trouble = record_events(self._host.records, events) if events else ""
        if not trouble:
            # Another thread goes through them: each is replaced as a whole.
            self._open = {key: event for key, event in (opened | came).items() if key not in gone}
            self._current = self._current | {name: event.key for name, event in made.items()}
            self._stamp = stamp(self._host.records)
        return trouble

    def _made(self) -> Iterator[tuple[str, Event]]:
        for name, (microvm, target) in self._built.items():
            if target != self._current.get(name):
                with suppress(OSError, ValueError):
                    event = built_event(self._host, microvm)
                    if event.key == target:  # else it has changed since the look: the next one tells
                        yield name, event


def _since(finding: Finding, now: datetime) -> datetime:
    """When it came, as far as that is known."""
    return min(finding.since, now) if finding.since is not None else now
