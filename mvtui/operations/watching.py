"""What changes on a host, as it changes: for who reads lines instead of a panel."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from mvtui.host.aside import aside
from mvtui.host.ports import Host
from mvtui.host.state_dir import STATE_DIRECTORY
from mvtui.model.changes import Change, ChangeKind, changes
from mvtui.model.finding import NO_UNITS
from mvtui.model.microvm import Snapshot
from mvtui.operations.closer import look_closer
from mvtui.operations.event_watch import recorded
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.monitor import in_daemon_thread, snapshots

# A look that takes so much longer than the time between two, or so many seconds, does not come soon.
LATE_INTERVALS = 3
LATE_SECONDS = 10.0
# The first one asks all guests, and waits for file servers as long as it waits for any.
FIRST_SECONDS = 30.0
# This process may have stood still itself (^Z): who looks late waits so much longer.
_GRACE_SECONDS = 1.0
_SILENT = "A look at it does not end: its disks, /proc or its units give no answer."


class Told(NamedTuple):
    """`first` is the first look, with all microVMs and no changes; then come the changes of each look that has some.
    `at` is in UTC."""

    at: datetime
    changes: tuple[Change, ...] = ()
    first: Snapshot | None = None


async def watch(
    host: Host, *, interval: float = 2.0, names: Collection[str] | None = None, record: bool = True, cpu: float = 0.0
) -> AsyncGenerator[Told]:
    """The host, or its microVMs `names`, and what changes on it, seen as the panel sees it: also that it does not
    answer any more, and that it answers again. With `record`, findings that come and go are put on record; with `cpu`
    the first look knows how busy processes are, and takes so many seconds longer. Ends only when cancelled."""
    last: Snapshot | None = None
    is_silent = False
    async with aclosing(_looks(host, interval, record=record, cpu=cpu)) as looks:
        while True:
            late = max(LATE_INTERVALS * interval, LATE_SECONDS) if last is not None else FIRST_SECONDS
            look = asyncio.ensure_future(anext(looks))
            try:
                if not is_silent and not await _comes(look, late):
                    is_silent = True
                    yield Told(datetime.now(UTC), (Change(ChangeKind.SILENT, why=_SILENT),))
                whole = await look
                snapshot = _with_what_was(_only(whole, names), last)
            finally:
                look.cancel()
                with suppress(asyncio.CancelledError):
                    await look
            found = tuple(changes(last, snapshot)) if last is not None else ()
            if is_silent and _answers(snapshot) and not any(one.kind is ChangeKind.ANSWERS for one in found):
                found = (Change(ChangeKind.ANSWERS), *found)
            is_silent = False
            if found or last is None:
                yield Told(datetime.now(UTC), found, whole if last is None else None)
            last = snapshot


async def _looks(host: Host, interval: float, *, record: bool, cpu: float) -> AsyncGenerator[Snapshot]:
    """The first knows all that the panel knows after a while: what is there from the beginning has not come."""
    kept = Kept(host, inline=False)
    if cpu:
        await aside(host.processes.sample)
        await asyncio.sleep(cpu)
    await take_snapshot(host, kept)
    await in_daemon_thread(partial(_look_closer, host, kept))
    looks = snapshots(host, interval=interval, kept=kept)
    async with aclosing(recorded(host, looks) if record else looks) as source:
        async for snapshot in source:
            yield snapshot


def _look_closer(host: Host, kept: Kept) -> None:
    look_closer(host, kept)


async def _comes(look: "asyncio.Future[Snapshot]", seconds: float) -> bool:
    for patience in (seconds, _GRACE_SECONDS):
        if (await asyncio.wait({look}, timeout=patience))[0]:
            return True
    return False


def _with_what_was(snapshot: Snapshot, last: Snapshot | None) -> Snapshot:
    """A state directory that can't be read has not lost its microVMs."""
    is_read = not any(finding.subject == STATE_DIRECTORY for finding in snapshot.findings)
    return snapshot if is_read or last is None else snapshot._replace(microvms=last.microvms)


def _answers(snapshot: Snapshot) -> bool:
    return not any(finding.note == NO_UNITS for finding in snapshot.findings)


def _only(snapshot: Snapshot, names: Collection[str] | None) -> Snapshot:
    if names is None:
        return snapshot
    return snapshot._replace(microvms=tuple(one for one in snapshot.microvms if one.name in names))
