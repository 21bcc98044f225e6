"""What happened to a microVM: what logs of the host know without mvtui, and what mvtui did and saw."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from mvtui.host.event_record import read_events, stamp
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import HISTORY, Change, read_changes
from mvtui.model.text import clean
from mvtui.model.timeline import Event, EventKind, Timeline, kind_of, merged

_MAX_WORDS = 500


class TimelineReader:
    """Reads the timelines of one host; what has not changed is not read again."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._microvm = ""
        self._mark: object = None
        self._logged: tuple[list[Event], str] = [], ""
        self._stamp: object = None
        self._own: list[Event] = []

    def read(self, microvm: str, mark: object = None) -> Timeline:
        """The timeline of `microvm`; the host's log is read again where `mark` is another one than the last time.
        Blocking, for seconds at most. Never raises."""
        is_other = microvm != self._microvm
        if is_other or mark != self._mark or mark is None:
            self._logged = _logged(self._host, microvm)
            self._mark = mark
        now = (stamp(self._host.records), _stamp_of_changes(self._host))
        if is_other or now != self._stamp:
            self._own = list(_own(self._host, microvm))
            self._stamp = now
        self._microvm = microvm
        events, trouble = self._logged
        built = _built(self._host, microvm)
        troubles = tuple(words for words in (trouble, self._host.record_trouble) if words)
        return Timeline(merged([*events, *self._own, *built]), troubles)


def read_timeline(host: Host, microvm: str) -> Timeline:
    """The timeline of `microvm`, once. Blocking. Never raises."""
    return TimelineReader(host).read(microvm)


def _logged(host: Host, microvm: str) -> tuple[list[Event], str]:
    """What the host's log knows; without systemd the keepers write into mvtui's own record."""
    if host.units.manager != "systemd":
        return [], ""
    from mvtui.host.journal_events import JournalEvents  # noqa: PLC0415 (needed where there is a journal)

    return JournalEvents(host.calls).read(microvm)


def _own(host: Host, microvm: str) -> Iterator[Event]:
    own = clean(microvm)
    for recorded in read_events(host.records):
        if recorded.microvm == own:
            yield recorded.event
    for change in read_changes(host.records):
        if change.microvm == own:
            yield _of_change(change)


def _of_change(change: Change) -> Event:
    result = change.result[:_MAX_WORDS]
    return Event(change.time, kind_of(change.action), result, change.action, change.user, change.ok, change.seconds)


def _stamp_of_changes(host: Host) -> object:
    with suppress(OSError):
        facts = os.lstat(host.records / HISTORY)
        return facts.st_ino, facts.st_size
    return None


def _built(host: Host, microvm: str) -> list[Event]:
    with suppress(OSError, ValueError):
        return [built_event(host, microvm)]
    return []


def built_event(host: Host, microvm: str) -> Event:
    """That `current` became what it is, by the time of the link itself: who made it (`microvm -u`, the host's
    configuration, mvtui) does not matter. Raises OSError, ValueError."""
    link = host.on_disk(host.state_dir) / microvm / "current"
    target = target_key(os.readlink(link))
    at = datetime.fromtimestamp(int(os.lstat(link).st_mtime), UTC)
    return Event(at, EventKind.REBUILD, f"current became {target}", key=target)


def target_key(target: str) -> str:
    """What `current` leads to, as it stands on record."""
    return clean(target)[: _MAX_WORDS - 20]
