"""Which state a microVM is in, since when and why: from its directory, units, processes and shares together. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from mvtui.model.microvm import ShareHealth, ShareStatus, StateDirEntry
from mvtui.model.process import ProcessSample
from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitKind, UnitStatus
from mvtui.operations.shares import down_since

if TYPE_CHECKING:
    from mvtui.model.guest import GuestStatus

# A run shorter than this, ended and started again, is no reboot of the guest but a loop.
SHORT_RUN_SECONDS = 60.0
LOOP_RESTARTS = 2


class Evidence(NamedTuple):
    """All that speaks for one microVM's state. `units_known` is false where the manager has never answered;
    `restarting` is true where earlier looks saw it restart again and again; `guest` is None where it was not asked."""

    name: str
    entry: StateDirEntry | None
    units: Mapping[UnitKind, UnitStatus]
    units_known: bool
    manager: str
    hypervisor: ProcessSample | None
    shares: tuple[ShareStatus, ...]
    has_processes: bool = False
    restarting: bool = False
    guest: GuestStatus | None = None


def derive(seen: Evidence) -> State:
    """The state of one microVM, in the words of the list."""
    if seen.entry is None:
        return _orphan_without_directory(seen)
    unit = seen.units.get(UnitKind.HYPERVISOR)
    if unit is not None:
        state = _from_unit(seen, unit)
        if state is not None:
            return state
    if seen.hypervisor is not None:
        return _by_process(seen, seen.hypervisor)
    if not seen.units_known:
        return State(StateWord.UNKNOWN, None, "Its units can't be asked, and no hypervisor of it was found.")
    if "current" in seen.entry.dangling:
        return State(
            StateWord.ORPHAN,
            None,
            f"current points to {seen.entry.current}, which does not exist (collected as garbage?).",
        )
    if seen.manager == "direct" and seen.entry.problems and seen.entry.current is None:
        return State(StateWord.UNKNOWN, None, "Its directory can't be read, so nobody can tell what runs in it.")
    return _stopped(seen, unit)


def _from_unit(seen: Evidence, unit: UnitStatus) -> State | None:
    """The state by `microvm@NAME`; None where the unit is down and nothing is under way."""
    if _loops(seen, unit):
        return State(StateWord.LOOPING, unit.since, _why_looping(seen, unit), result_words(unit), unit.n_restarts)
    if unit.active_state == "deactivating":
        return _stopping(unit)
    if unit.active_state in ("activating", "reloading"):
        return State(StateWord.STARTING, unit.since, _why_starting(seen, unit))
    if unit.active_state == "active":
        return _up(seen, unit)
    if unit.job is not None and unit.job.kind in ("start", "restart"):
        return State(StateWord.STARTING, unit.since, _why_starting(seen, unit))
    required = _from_required_units(seen) if seen.hypervisor is None else None
    if unit.active_state == "failed" and not _is_newer(required, unit):
        return State(StateWord.FAILED, unit.since, f"{unit.name} failed: {result_words(unit)}.", result_words(unit))
    return required


def _loops(seen: Evidence, unit: UnitStatus) -> bool:
    restarts = unit.n_restarts or 0
    if unit.active_state in ("failed", "inactive") and unit.job is None:
        return False  # it was given up
    if seen.restarting and restarts >= LOOP_RESTARTS:
        return True
    coming_back = unit.sub_state.startswith("auto-restart") or (
        unit.active_state in ("inactive", "failed", "activating") and unit.job is not None and unit.job.kind != "stop"
    )
    short = unit.last_run is not None and unit.last_run < SHORT_RUN_SECONDS
    return coming_back and short and restarts >= LOOP_RESTARTS


def _up(seen: Evidence, unit: UnitStatus) -> State:
    if seen.hypervisor is not None and seen.hypervisor.frozen:
        return _frozen(seen.hypervisor)
    down = [status for status in seen.shares if status.health is ShareHealth.DOWN]
    if down:
        first = down[0]
        more = f" (and {len(down) - 1} more)" if len(down) > 1 else ""
        why = f'Share "{first.share.tag}" is down{more}: {first.why}'
        return State(StateWord.DEGRADED, down_since(down), why)
    against = _against(seen)
    if against is not None:
        return against
    served = sum(status.health is ShareHealth.UP for status in seen.shares)
    unknown = len(seen.shares) - served
    if unknown:
        why = f"{unit.name} is active; whether {unknown} of {len(seen.shares)} shares are served can't be told."
    elif seen.shares:
        why = f"{unit.name} is active, {'its share is' if served == 1 else f'all {served} shares are'} served."
    else:
        why = f"{unit.name} is active."
    return State(StateWord.RUNNING, unit.since, _with_guest(seen, why))


def _against(seen: Evidence) -> State | None:
    """What the guest, or its hypervisor, says against its running; None where it says nothing."""
    told = seen.guest.against() if seen.guest is not None else None
    return State(StateWord.DEGRADED, told[1], told[0]) if told is not None else None


def _with_guest(seen: Evidence, why: str) -> str:
    """`why`, and how far the guest has come, where it was asked."""
    return f"{why} {seen.guest.words}" if seen.guest is not None else why


def _by_process(seen: Evidence, hypervisor: ProcessSample) -> State:
    """A hypervisor lives though its unit is down, unknown, or was never there."""
    how = "its units can't be asked" if not seen.units_known else f"outside microvm@{seen.name}.service"
    if hypervisor.frozen:
        return _frozen(hypervisor)
    down = next((status for status in seen.shares if status.health is ShareHealth.DOWN), None)
    if down is not None:
        return State(StateWord.DEGRADED, down_since(seen.shares), f'Share "{down.share.tag}" is down: {down.why}')
    why = f"Its hypervisor runs (pid {hypervisor.pid}), {how}."
    return _against(seen) or State(StateWord.RUNNING, hypervisor.started, _with_guest(seen, why))


def _frozen(hypervisor: ProcessSample) -> State:
    why = f"Its hypervisor is frozen by a signal (SIGSTOP); kill -CONT {hypervisor.pid} lets it go on."
    return State(StateWord.DEGRADED, None, why)


def _stopping(unit: UnitStatus) -> State:
    deadline = None
    if unit.since is not None and unit.timeout_stop is not None and unit.sub_state == "stop":
        deadline = unit.since + timedelta(seconds=unit.timeout_stop)
    again = unit.job is not None and unit.job.kind in ("restart", "start", "try-restart")
    why = f"{unit.name} is being stopped{', to start again' if again else ''} ({unit.sub_state})."
    return State(StateWord.STOPPING, unit.since, why, deadline=deadline)


def _is_newer(state: State | None, unit: UnitStatus) -> bool:
    """Whether what the required units say came after `unit` failed: then that failure is an old one."""
    return state is not None and state.since is not None and (unit.since is None or state.since > unit.since)


def _from_required_units(seen: Evidence) -> State | None:
    """`microvm@NAME` is down; the units that it requires decide (one that failed leaves it inactive, not failed)."""
    required = [unit for kind, unit in seen.units.items() if kind not in (UnitKind.HYPERVISOR, UnitKind.INSTALL)]
    for unit in required:
        if unit.active_state == "deactivating":
            return State(StateWord.STOPPING, unit.since, f"The hypervisor has ended; {unit.name} still stops.")
    for unit in required:
        # systemd tries virtiofsd again and again, after the hypervisor has been given up.
        if unit.active_state == "failed" or (unit.kind is UnitKind.VIRTIOFSD and unit.active_state == "activating"):
            why = f"{unit.name} can't start ({_cause(seen, unit)}), and the hypervisor needs it."
            return State(StateWord.FAILED, unit.since, why, "dependency")
    return None


def _cause(seen: Evidence, unit: UnitStatus) -> str:
    missing = next((status for status in seen.shares if status.source_exists is False), None)
    if unit.kind is UnitKind.VIRTIOFSD and missing is not None:
        return f'share "{missing.share.tag}": {missing.share.source} does not exist'
    return result_words(unit)


def _why_starting(seen: Evidence, unit: UnitStatus) -> str:
    if unit.sub_state.startswith("auto-restart"):
        return f"Its hypervisor ended ({result_words(unit)}); it is started again."
    waits_for = next(
        (other for other in seen.units.values() if other is not unit and other.active_state == "activating"),
        None,
    )
    if waits_for is not None:
        missing = next((status for status in seen.shares if status.source_exists is False), None)
        cause = f': share "{missing.share.tag}": {missing.share.source} does not exist' if missing else ""
        return f"{unit.name} waits for {waits_for.name}{cause}."
    if unit.job is not None and unit.active_state in ("inactive", "failed"):
        return f"A {unit.job.kind} of {unit.name} is queued."
    return f"{unit.name} is starting ({unit.sub_state})."


def _why_looping(seen: Evidence, unit: UnitStatus) -> str:
    missing = next((status for status in seen.shares if status.source_exists is False), None)
    cause = f' Share "{missing.share.tag}": {missing.share.source} does not exist.' if missing else ""
    return f"Its hypervisor ends again and again ({result_words(unit)}), {unit.n_restarts} restarts so far.{cause}"


def _orphan_without_directory(seen: Evidence) -> State:
    """What runs was started with a directory, so it is an orphan for less long than that; nobody knows how long."""
    if seen.hypervisor is not None:
        why = f"Its hypervisor runs (pid {seen.hypervisor.pid}), but it has no directory."
        return State(StateWord.ORPHAN, None, why)
    if seen.has_processes:
        return State(StateWord.ORPHAN, None, "Processes of it run, but it has no directory.")
    unit = next(iter(seen.units.values()), None)
    what = f"{unit.name} is {unit.active_state}" if unit is not None else "Its units are known"
    since = unit.since if unit is not None and unit.active_state in ("failed", "inactive") else None
    return State(StateWord.ORPHAN, since, f"{what}, but it has no directory.")


def _stopped(seen: Evidence, unit: UnitStatus | None) -> State:
    since = unit.since if unit is not None else None
    entry = seen.entry
    if entry is not None and entry.current is None and not entry.problems:
        return State(StateWord.STOPPED, since, "There is no current, so there is nothing to start.")
    if unit is not None and unit.condition_failed:
        why = "The last start was skipped: current has no bin/microvm-run."
        return State(StateWord.STOPPED, since, why)
    return State(StateWord.STOPPED, since, "It is not started.")


_RESULTS = {
    "oom-kill": "oom",
    "timeout": "timeout",
    "watchdog": "watchdog",
    "core-dump": "core dump",
    "resources": "resources",
    "protocol": "protocol error",
    "start-limit-hit": "too many starts",
    "dependency": "dependency",
    "keeper-killed": "its keeper was killed",
}


def result_words(unit: UnitStatus) -> str:
    """How a unit's main process ended, in a word or two: `exit 1`, `signal 9`, `oom`, `timeout`."""
    if unit.result in _RESULTS:
        return _RESULTS[unit.result]
    if unit.result == "exit-code" and not unit.exec_status:
        return "its start or stop script failed"  # ExecStartPre=, ExecStop=: the main process itself ended well
    if unit.exec_status is not None and (unit.result in ("exit-code", "signal", "success", None)):
        return f"{'signal' if unit.exec_by_signal else 'exit'} {unit.exec_status}"
    return unit.result or "no result known"
