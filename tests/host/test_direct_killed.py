"""What became of a microVM without systemd whose keeper was killed."""

import os
import select
import signal

import pytest

from mvtui.model.unit import UnitKind, UnitStatus, UnitVerb
from tests.host.direct_host import HOME, QUICK, DirectHost, need_root, serves, unit_until, until

START, STOP, KILL = UnitVerb.START, UnitVerb.STOP, UnitVerb.KILL


async def test_a_killed_keeper_takes_nothing_with_it(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    await host.run(START)
    hypervisor, daemon = await host.main_pid(), await host.main_pid(UnitKind.VIRTIOFSD)
    await _kill_keeper(host)
    states = {unit.kind: unit.active_state for unit in (await host.units().statuses()).values()}
    assert states == dict.fromkeys((UnitKind.HYPERVISOR, UnitKind.VIRTIOFSD, UnitKind.SET_BOOTED), "active")

    assert (await host.run(START)).words == "web: started"
    assert (await host.main_pid(), await host.main_pid(UnitKind.VIRTIOFSD)) == (hypervisor, daemon)
    assert len(host.keepers()) == 1

    await _kill_keeper(host)
    assert (await host.run(STOP)).words == "web: stopped"
    assert host.working() == []
    assert host.booted() is None


async def test_killed_without_a_keeper(host: DirectHost) -> None:
    host.add(scripts={"microvm-run": "trap '' TERM; exec -a microvm@web sleep 1000"})
    await host.run(START)
    await _kill_keeper(host)
    assert (await host.run(KILL)).words == "web: killed"
    assert host.working() == []


async def test_a_hypervisor_that_ended_without_a_keeper(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    await host.run(START)
    hypervisor, daemon = await host.main_pid(), await host.main_pid(UnitKind.VIRTIOFSD)
    await _kill_keeper(host)
    os.kill(hypervisor, signal.SIGKILL)
    await until(lambda: len(host.working()) == 1, "the hypervisor has gone")
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    assert (unit.active_state, unit.main_pid) == ("active", daemon)

    assert (await host.run(START)).words == "web: started"
    assert await host.main_pid(UnitKind.VIRTIOFSD) != daemon
    assert len(host.working()) == 2


async def test_a_hypervisor_that_was_killed_with_its_keeper_has_failed(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    await host.run(START)
    await _kill_both(host)
    unit = await _hypervisor(host)
    assert (unit.active_state, unit.sub_state, unit.result) == ("failed", "failed", "keeper-killed")
    assert (unit.main_pid, unit.job, unit.since) == (None, None, None), "nobody saw when"

    stopped = await host.run(STOP)
    assert (stopped.result, stopped.words) == ("done", "web: stopped")
    assert await host.units().statuses() == {}
    assert host.working() == []
    assert host.booted() is None


async def test_a_keeper_that_was_killed_before_it_restarted_its_hypervisor(host: DirectHost) -> None:
    host.add(scripts={"microvm-run": "exit 1"})
    await host.units(QUICK._replace(restart=1000.0)).run_job(START, "microvm@web.service")
    await unit_until(host, UnitKind.HYPERVISOR, "it waits", "auto-restart")
    await _kill_keeper(host)
    unit = await _hypervisor(host)
    assert (unit.active_state, unit.result) == ("failed", "keeper-killed")


async def test_a_keeper_that_ends_in_peace_during_a_look_was_not_killed(
    host: DirectHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.add()
    await host.run(START)
    (path,) = host.folder.rglob("status.json")

    def ends_now(_: object) -> None:
        path.unlink()

    monkeypatch.setattr("mvtui.host.direct.live_keeper", ends_now)
    assert await host.units().statuses() == {}


async def test_devices_that_a_killed_keeper_left_are_taken_down(host: DirectHost) -> None:
    need_root()
    says = f"echo $0 | sed s,.*/,, >>{host.folder}/order"
    host.add(scripts=dict.fromkeys(("tap-up", "tap-down"), says))
    await host.run(START)
    await _kill_both(host)
    assert (await host.run(START)).ok
    await _kill_both(host)
    assert (await host.run(STOP)).words == "web: stopped"
    assert (host.folder / "order").read_text().split() == ["tap-up", "tap-down"] * 2
    assert host.booted() is None


async def _hypervisor(host: DirectHost) -> UnitStatus:
    unit = await host.unit()
    assert unit is not None
    return unit


async def _kill_both(host: DirectHost) -> None:
    hypervisor = await host.main_pid()
    await _kill_keeper(host)
    os.kill(hypervisor, signal.SIGKILL)
    await until(lambda: "microvm@web 1000" not in host.working(), "the hypervisor has gone")


async def _kill_keeper(host: DirectHost) -> None:
    (keeper,) = host.keepers()
    pidfd = os.pidfd_open(keeper)
    try:
        os.kill(keeper, signal.SIGKILL)
        await until(lambda: select.select([pidfd], [], [], 0)[0], "the keeper has gone")
    finally:
        os.close(pidfd)
