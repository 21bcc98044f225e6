"""Cancelling the jobs of a microVM. systemd drops the job alone: what a unit is doing goes on without it."""

from collections.abc import Sequence

from mvtui.errors import MvtuiError
from mvtui.host.systemd_bus import SystemBus
from mvtui.host.systemd_errors import ReplyError
from mvtui.host.systemd_outcome import UNDER_WAY
from mvtui.host.systemd_units import UnitTable
from mvtui.model.unit import Job, UnitKind, UnitStatus

_NO_SUCH_JOB = "org.freedesktop.systemd1.NoSuchJob"
_HINT = "stop ends what is under way without one"

_STARTED = tuple(UnitKind)

_UnitJob = tuple[UnitStatus, Job]


async def cancel(bus: SystemBus, table: UnitTable, microvm: str) -> str:
    """As `Units.cancel`. Raises ReplyError too."""
    jobs = _in_order(await _units_of(table, microvm))
    if not jobs:
        raise MvtuiError(f"{microvm} has no job to cancel", _HINT)
    cancelled = [(unit, job) for unit, job in jobs if await _cancel(bus, job)]
    if not cancelled:
        raise MvtuiError(f"{microvm} has no job to cancel any more", _HINT)
    return _words(microvm, cancelled, await _units_of(table, microvm))


def _in_order(units: Sequence[UnitStatus]) -> list[_UnitJob]:
    """What waits first, and of that the hypervisor's, so that no job begins, or fails as a dependency, because another
    one is gone."""
    jobs = [(unit, unit.job) for unit in units if unit.job is not None]
    return sorted(jobs, key=lambda each: each[1].state != "waiting")


async def _units_of(table: UnitTable, microvm: str) -> list[UnitStatus]:
    """The hypervisor first, then what it needs."""
    units = [unit for unit in (await table.read()).values() if unit.microvm == microvm]
    return sorted(units, key=lambda unit: _STARTED.index(unit.kind), reverse=True)


async def _cancel(bus: SystemBus, job: Job) -> bool:
    """False where the job has ended by itself."""
    try:
        await bus.call("CancelJob", "u", job.id)
    except ReplyError as error:
        if error.name != _NO_SUCH_JOB:
            raise
        return False
    return True


def _words(microvm: str, cancelled: Sequence[_UnitJob], units: Sequence[UnitStatus]) -> str:
    """`start of web is cancelled; microvm-virtiofsd@web.service is still activating (stop ends it)`."""
    of_hypervisor = [f"{job.kind} of {microvm}" for unit, job in cancelled if unit.kind is UnitKind.HYPERVISOR]
    gone = of_hypervisor or [f"{job.kind} of {unit.name}" for unit, job in cancelled]
    clauses = [f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} cancelled"]
    moving = [unit for unit in units if unit.active_state in UNDER_WAY]
    clauses += [f"{unit.name} is still {unit.active_state}" for unit in moving]
    # Daemons that outlive their hypervisor serve no other one: its next start fails once.
    to_stop = {unit.name for unit, job in cancelled if job.kind != "start"}
    spared = [unit.name for unit in units if unit.name in to_stop and unit.active_state == "active"]
    if spared:
        clauses.append(f"{', '.join(spared)} {'stays' if len(spared) == 1 else 'stay'} active")
    left = len(moving) + len(spared)
    return "; ".join(clauses) + (f" (stop ends {'it' if left == 1 else 'them'})" if left else "")
