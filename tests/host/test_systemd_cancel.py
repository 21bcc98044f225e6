"""Jobs that are cancelled: which, in what order, and what is said of what goes on without them."""

import asyncio

import pytest

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.calls import CallLog
from mvtui.host.systemd import SystemdUnits
from mvtui.model.unit import JobResult, UnitVerb
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

WEB = "microvm@web.service"
DAEMONS = "microvm-virtiofsd@web.service"
BOOTED = "microvm-set-booted@web.service"
SOON = 10.0


def start_that_waits(systemd: Systemd1) -> None:
    """As systemd has it when a share's source is missing: the daemons are tried, the hypervisor waits for them."""
    systemd.set(DAEMONS, "activating", "start")
    systemd.set(WEB)
    systemd.begin(DAEMONS, "start")
    systemd.begin(WEB, "start")
    systemd.set_job_state(WEB, "waiting")


async def test_start_that_waits(units: SystemdUnits, systemd: Systemd1) -> None:
    start_that_waits(systemd)
    words = await units.cancel("web")
    assert words == f"start of web is cancelled; {DAEMONS} is still activating (stop ends it)"
    assert all(status.job is None for status in (await units.statuses()).values())


async def test_who_waits_is_told(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB)
    systemd.outcomes[WEB] = "wait"
    start = asyncio.create_task(units.run_job(UnitVerb.START, WEB))
    await systemd.asked("StartUnit")
    assert await units.cancel("web") == "start of web is cancelled"
    assert await asyncio.wait_for(start, SOON) == JobResult(WEB, "canceled", f"{WEB}: cancelled")


async def test_who_is_replaced_is_told_so(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB)
    systemd.outcomes[WEB] = "wait"
    start = asyncio.create_task(units.run_job(UnitVerb.START, WEB))
    await systemd.asked("StartUnit")
    await units.statuses()
    systemd.begin(WEB, "stop")
    result = await asyncio.wait_for(start, SOON)
    assert result == JobResult(WEB, "canceled", f"{WEB}: cancelled, another job took its place")


async def test_what_waits_goes_first_and_the_hypervisor_of_that(
    bus: PrivateBus, nothing_left: None, systemd: Systemd1
) -> None:
    log = CallLog()
    units = SystemdUnits(bus.address, calls=log)
    systemd.set(BOOTED)
    systemd.begin(BOOTED, "start")
    systemd.set_job_state(BOOTED, "waiting")
    start_that_waits(systemd)
    await units.cancel("web")
    cancelled = [call.what for call in log.calls if call.what.startswith("CancelJob")]
    assert cancelled == ["CancelJob 3", "CancelJob 1", "CancelJob 2"]
    await units.close()


async def test_stop_that_runs_goes_on(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, "deactivating", "stop")
    systemd.set(DAEMONS, "active", "running")
    systemd.set(BOOTED, "active", "exited")
    systemd.begin(WEB, "stop")
    systemd.begin(DAEMONS, "stop")
    systemd.set_job_state(DAEMONS, "waiting")
    assert await units.cancel("web") == (
        f"stop of web is cancelled; {WEB} is still deactivating; {DAEMONS} stays active (stop ends them)"
    )


async def test_only_jobs_of_this_microvm(units: SystemdUnits, systemd: Systemd1) -> None:
    for unit in (DAEMONS, BOOTED, "microvm@web2.service"):
        systemd.set(unit)
        systemd.begin(unit, "start")
    words = await units.cancel("web")
    assert words == f"start of {DAEMONS}, start of {BOOTED} are cancelled"
    assert (await units.statuses())["microvm@web2.service"].job is not None


@pytest.mark.parametrize("name", ["web", "nowhere", "", "a/b", "two words"])
async def test_nothing_to_cancel(units: SystemdUnits, systemd: Systemd1, name: str) -> None:
    systemd.set(WEB, "activating", "auto-restart")
    with pytest.raises(MvtuiError, match=f"^{name} has no job to cancel") as caught:
        await units.cancel(name)
    assert "stop" in caught.value.hint
    assert not systemd.calls["CancelJob"]


async def test_job_that_ends_meanwhile(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB)
    systemd.begin(WEB, "start")
    systemd.refusals["CancelJob"] = ("org.freedesktop.systemd1.NoSuchJob", "Job 1 does not exist.")
    with pytest.raises(MvtuiError, match="has no job to cancel any more"):
        await units.cancel("web")


async def test_without_rights(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB)
    systemd.begin(WEB, "start")
    systemd.refusals["CancelJob"] = ("org.freedesktop.DBus.Error.AccessDenied", "Access denied")
    with pytest.raises(RightsMissingError, match="not allowed to cancel the jobs of web: Access denied") as caught:
        await units.cancel("web")
    assert caught.value.exit_code is ExitCode.NO_RIGHTS


async def test_without_systemd_on_the_bus(units: SystemdUnits) -> None:
    with pytest.raises(MvtuiError, match="systemd is not on the bus"):
        await units.cancel("web")
