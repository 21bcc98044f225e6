"""What systemd does when its jobs are cancelled, and what mvtui says of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.systemd import SystemdUnits
from mvtui.model.unit import UnitKind, UnitStatus, UnitVerb, unit_name
from tests.real.host import RealHost, sample

Statuses = Mapping[str, UnitStatus]


@pytest.fixture
async def units(host: RealHost, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SystemdUnits]:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", host.nested.bus)
    units = SystemdUnits()
    yield units
    await units.close()


async def until(units: SystemdUnits, holds: Callable[[Statuses], bool]) -> Statuses:
    """The first look at which this holds."""
    changes = aiter(units.changes())
    change = asyncio.ensure_future(anext(changes))
    try:
        async with asyncio.timeout(30):
            while not holds(statuses := await units.statuses()):
                await change
                change = asyncio.ensure_future(anext(changes))
        return statuses
    finally:
        change.cancel()


def of(name: str) -> tuple[str, str]:
    return unit_name(UnitKind.HYPERVISOR, name), unit_name(UnitKind.VIRTIOFSD, name)


async def waiting_start(host: RealHost, units: SystemdUnits, name: str) -> "asyncio.Task[tuple[str, str]]":
    """A start, by another mvtui, that waits for daemons whose source is missing; its result and words."""
    hypervisor, daemons = of(name)
    host.add(sample(name))
    host.nested.run("rmdir", f"/srv/{name}/home")
    # supervisord may take daemons that end within its first second for running, and say so.
    host.drop_in(daemons, "[Service]\nNotifyAccess=none\n")

    async def start() -> tuple[str, str]:
        other = SystemdUnits()
        try:
            result = await other.run_job(UnitVerb.START, hypervisor)
        finally:
            await other.close()
        return result.result, result.words

    def waits(statuses: Statuses) -> bool:
        job = statuses[hypervisor].job if hypervisor in statuses else None
        return job is not None and job.state == "waiting" and statuses[daemons].active_state == "activating"

    task = asyncio.create_task(start())
    await until(units, waits)
    return task


async def test_start_that_waits_for_daemons(host: RealHost, ending: list[str], units: SystemdUnits) -> None:
    name = "waits"
    ending.append(name)
    hypervisor, daemons = of(name)
    start = await waiting_start(host, units, name)
    words = await units.cancel(name)
    assert words == f"start of {name} is cancelled; {daemons} is still activating (stop ends it)"
    async with asyncio.timeout(10):
        assert await start == ("canceled", f"{hypervisor}: cancelled")
    assert name not in host.systemctl("list-jobs", "--no-legend")
    assert host.property(daemons, "ActiveState") == "activating"
    assert host.property(hypervisor, "ActiveState") == "inactive"
    with pytest.raises(MvtuiError, match="has no job to cancel"):
        await units.cancel(name)

    assert (await units.run_job(UnitVerb.STOP, hypervisor)).ok
    await until(units, lambda statuses: daemons not in statuses or statuses[daemons].active_state == "inactive")


async def test_start_that_a_stop_replaces(host: RealHost, ending: list[str], units: SystemdUnits) -> None:
    name = "replaced"
    ending.append(name)
    hypervisor, _ = of(name)
    start = await waiting_start(host, units, name)
    assert (await units.run_job(UnitVerb.STOP, hypervisor)).ok
    async with asyncio.timeout(10):
        assert await start == ("canceled", f"{hypervisor}: cancelled, another job took its place")


async def test_stop_that_runs(host: RealHost, ending: list[str], units: SystemdUnits) -> None:
    """It stays on its way down; what was to stop after it stays up, until it is stopped again."""
    name = host.add(sample("stops"))
    ending.append(name)
    hypervisor, daemons = of(name)
    booted = unit_name(UnitKind.SET_BOOTED, name)
    host.drop_in(hypervisor, "[Service]\nExecStop=\nExecStop=/bin/sleep 1000\n")
    assert (await units.run_job(UnitVerb.START, hypervisor)).ok
    stop = asyncio.create_task(units.run_job(UnitVerb.STOP, hypervisor))
    await until(units, lambda statuses: statuses[hypervisor].active_state == "deactivating")
    words = await units.cancel(name)
    assert words == (
        f"stop of {name} is cancelled; {hypervisor} is still deactivating; {daemons}, {booted} stay active "
        "(stop ends them)"
    )
    async with asyncio.timeout(10):
        result = await stop
    assert (result.result, result.words) == ("canceled", f"{hypervisor}: cancelled, but it is still deactivating")
    states = [host.property(unit, "ActiveState") for unit in (hypervisor, daemons, booted)]
    assert states == ["deactivating", "active", "active"]

    assert (await units.run_job(UnitVerb.KILL, hypervisor)).ok
    await until(
        units,
        lambda statuses: all(
            unit.active_state in ("inactive", "failed") for unit in statuses.values() if unit.microvm == name
        ),
    )
