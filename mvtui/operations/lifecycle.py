"""Start, stop, restart, kill: jobs that are awaited until all of a microVM's units have arrived, or cancelled."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host import journal
from mvtui.host.event_record import record_event
from mvtui.host.own_program import own_argv
from mvtui.host.ports import Host
from mvtui.model.own_command import own_command
from mvtui.model.timeline import Event, kind_of
from mvtui.model.unit import JobResult, UnitKind, UnitStatus, UnitVerb, unit_name
from mvtui.operations.states import result_words

Progress = Callable[[tuple[UnitStatus, ...]], None]

# A job ends when `microvm@` has arrived; its other units take 1-4 s more to stop (their own time-out is 90 s).
SETTLE_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.2
# "active" is a unit whose program was started; a hypervisor that lacks an image or a right ends sooner than that.
STAYS_SECONDS = 1.0


_UPWARD = (UnitVerb.START, UnitVerb.RESTART)


class Outcome(NamedTuple):
    """What came of a verb on one microVM. `words` is one sentence; `hint` what to do next, or ""."""

    microvm: str
    verb: UnitVerb
    ok: bool
    words: str
    seconds: float
    hint: str = ""


async def run(host: Host, verb: UnitVerb, microvm: str, on_progress: Progress | None = None) -> Outcome:
    """Do it and wait. `on_progress` gets all units of the microVM whenever one of them changed.

    Raises RightsMissingError where the host refuses, MvtuiError where the manager does not answer.
    """
    refuse_what_is_no_name(microvm)
    began = time.monotonic()
    watcher = asyncio.create_task(_watch(host, microvm, on_progress)) if on_progress is not None else None
    try:
        job = await host.units.run_job(verb, unit_name(UnitKind.HYPERVISOR, microvm))
        # What others do to it now is theirs to wait for.
        left = await _settle(host, microvm) if job.result != "canceled" else ()
        if job.ok and verb in _UPWARD:
            left = await _stays(host, microvm, left)
    except MvtuiError as error:
        _record(host, verb, microvm, error.message, began, ok=False)
        raise
    finally:
        if watcher is not None:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher
    outcome = _outcome(verb, microvm, job, left, time.monotonic() - began)
    _record(host, verb, microvm, outcome.words, began, ok=outcome.ok)
    return outcome


async def cancel(host: Host, microvm: str) -> str:
    """Cancel the jobs of the microVM's units, whoever asked for them; one sentence of what came of it. `run`, which
    waits for one, then ends with an outcome that is not ok.

    Raises RightsMissingError where the host refuses, MvtuiError where there is no job or the manager has none
    (`host.units.can_cancel`).
    """
    refuse_what_is_no_name(microvm)
    began = time.monotonic()
    try:
        words = await host.units.cancel(microvm)
    except MvtuiError as error:
        _record(host, "cancel", microvm, error.message, began, ok=False)
        raise
    _record(host, "cancel", microvm, words, began, ok=True)
    return words


def _outcome(verb: UnitVerb, microvm: str, job: JobResult, units: tuple[UnitStatus, ...], seconds: float) -> Outcome:
    unsettled = [unit.name for unit in units if not _arrived(unit)]
    hypervisor = next((unit for unit in units if unit.kind is UnitKind.HYPERVISOR), None)
    if not job.ok:
        return Outcome(microvm, verb, False, job.words, seconds, _hint(microvm))
    if unsettled:
        words = f"{microvm}: {verb} is done, but after {SETTLE_SECONDS:.0f} s not yet: {', '.join(unsettled)}"
        return Outcome(microvm, verb, False, words, seconds)
    if verb in _UPWARD and (hypervisor is None or hypervisor.active_state != "active"):
        words = job.words
        if hypervisor is not None and (hypervisor.active_state == "failed" or _comes_back(hypervisor)):
            words = f"{microvm}: started, and ended at once: {result_words(hypervisor)}"
        return Outcome(microvm, verb, False, words, seconds, _hint(microvm))
    return Outcome(microvm, verb, True, f"{job.words} ({seconds:.1f} s)", seconds)


def _hint(microvm: str) -> str:
    return f"why: {own_command('show', microvm)}"


async def _settle(host: Host, microvm: str) -> tuple[UnitStatus, ...]:
    """The units of `microvm` once all have arrived, or as they are after SETTLE_SECONDS."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        units = _units_of(microvm, await host.units.statuses())
        if all(_arrived(unit) for unit in units) or time.monotonic() > deadline:
            return units
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _stays(host: Host, microvm: str, units: tuple[UnitStatus, ...]) -> tuple[UnitStatus, ...]:
    """The units once the hypervisor has been active for STAYS_SECONDS, or is not any more."""
    deadline = time.monotonic() + STAYS_SECONDS
    while time.monotonic() < deadline and any(_is_young(unit) for unit in units):
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        units = _units_of(microvm, await host.units.statuses())
    return units


def _is_young(unit: UnitStatus) -> bool:
    if unit.kind is not UnitKind.HYPERVISOR or unit.active_state != "active" or unit.since is None:
        return False
    return (datetime.now(UTC) - unit.since).total_seconds() < STAYS_SECONDS


def _arrived(unit: UnitStatus) -> bool:
    """Nothing of it is under way; what is restarted again and again would never settle."""
    return unit.settled or _comes_back(unit)


def _comes_back(unit: UnitStatus) -> bool:
    return unit.sub_state.startswith("auto-restart")


async def _watch(host: Host, microvm: str, on_progress: Progress) -> None:
    """Tell of every change of the microVM's units; what can't be asked is told by the job itself."""
    before: tuple[UnitStatus, ...] = ()
    with suppress(MvtuiError):
        while True:
            units = _units_of(microvm, await host.units.statuses())
            if units != before:
                on_progress(units)
                before = units
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _units_of(microvm: str, statuses: Mapping[str, UnitStatus]) -> tuple[UnitStatus, ...]:
    own = {unit.kind: unit for unit in statuses.values() if unit.microvm == microvm}
    return tuple(own[kind] for kind in UnitKind if kind in own)


def refuse_what_is_no_name(microvm: str) -> None:
    """Raises MvtuiError for what is no name of an entry in a directory, or hidden."""
    if not microvm or microvm.startswith(".") or "/" in microvm or "\0" in microvm:
        raise MvtuiError(f"{microvm!r} is no name of a microVM", "mvtui list shows the names that there are")


def _record(host: Host, verb: str, microvm: str, result: str, began: float, *, ok: bool) -> None:
    """In the journal, and in the record of events: what is undone by the history of changes must stay in that."""
    seconds = time.monotonic() - began
    journal.record_change(verb, microvm, result, ok=ok, seconds=seconds)
    event = Event(datetime.now(UTC), kind_of(verb), result, verb, journal.user(), ok, seconds)
    record_event(host.records, microvm, event)


def sudo_argv(host: Host, verb: str, microvm: str, *options: str) -> list[str]:
    """The command that does the same with root's rights, to be run behind `sudo --`."""
    where = ["--state-dir", str(host.state_dir), "--manager", host.units.manager, *host.options]
    return [*own_argv(), verb, *options, *where, "--", microvm]
