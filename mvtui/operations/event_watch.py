"""Puts on record what no log of the host has: findings that came and went, and each `current` that was seen.

The panel looks all the time and closely. A command that looks as closely (`mvtui check`) looks once: what it does not
see has gone only where nothing is under way. One that must be fast sees less, and records nothing. Only what changes is
written, beside the looks. Several mvtui compare with the same record, one after the other, so each change stands in it
once. Where it can't be written, the looks go on, and the timeline says so.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import aclosing, suppress
from datetime import datetime

from mvtui.host.event_record import Recorded, alone, read_events, record_events, stamp
from mvtui.host.ports import Host
from mvtui.model.finding import NO_UNITS, Finding
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.timeline import Event, EventKind
from mvtui.operations.history import utc_now
from mvtui.operations.monitor import in_daemon_thread, is_free
from mvtui.operations.timeline import built_event, target_key

# A finding has gone when it was not there for so long; what flickers is one.
GONE_SECONDS = 10.0
# Seconds until the slow lane and the guests have told all; before, nothing has gone.
SETTLED_SECONDS = 30.0
# A single look takes what is younger than that for something under way.
STEADY_SECONDS = 60.0
# After a failure, not at every look.
AGAIN_SECONDS = 30.0

_MAX_KEY = 200
_STEADY = frozenset(
    (StateWord.RUNNING, StateWord.DEGRADED, StateWord.STOPPED, StateWord.FAILED, StateWord.ORPHAN),
)
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
            if watch.see(snapshot) and is_free(lane):
                lane = in_daemon_thread(watch.record)


def record_close_look(host: Host, snapshot: Snapshot, now: Callable[[], datetime] = utc_now) -> None:
    """Put on record what one close look at all microVMs of `snapshot` has seen. Blocking. Never raises."""
    watch = EventWatch(host, now=now)
    if watch.see(snapshot):
        watch.record(steady={one.name for one in snapshot.microvms if _is_steady(one, watch.now())})


def _is_steady(microvm: MicroVM, now: datetime) -> bool:
    """Whether a finding that one look does not see has gone."""
    began = microvm.hypervisor.started if microvm.hypervisor is not None else None
    times = [at for at in (microvm.state.since, began) if at is not None]
    return microvm.state.word in _STEADY and all((now - at).total_seconds() >= STEADY_SECONDS for at in times)


class EventWatch:
    """Compares what is with what is on record of one host."""

    def __init__(
        self,
        host: Host,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._host = host
        self._monotonic, self.now = monotonic, now
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
            self._absent = {key: self._absent.get(key) or (at, self.now()) for key in away}
        if at < self._not_before:
            return False
        is_new = any(key not in self._open for key in self._seen)
        is_built = any(target != self._current.get(name) for name, (_, target) in self._built.items())
        return self._stamp is None or is_new or is_built or bool(self._gone())

    def _gone(self) -> dict[_Key, datetime]:
        at = self._monotonic()
        return {key: away for key, (since, away) in self._absent.items() if at - since >= GONE_SECONDS}

    def record(self, steady: Collection[str] = ()) -> None:
        """Put on record what the last look saw; of the microVMs `steady`, what it did not see has gone. Blocking. Never
        raises."""
        trouble = ""
        try:
            with alone(self._host.records) as ours:
                if not ours:
                    return  # the next look finds out what is left to do
                self._read()
                if steady:
                    names = {clean(name) for name in steady}
                    away = [key for key in self._open if key[0] in names and key not in self._seen]
                    self._absent = dict.fromkeys(away, (float("-inf"), self.now()))
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
        seen, now, opened = self._seen, self.now(), self._open
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
