"""Units without systemd, as the rest of mvtui sees them."""

import asyncio
import json
import os
import shlex
import signal
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.host.direct import DirectUnits
from mvtui.model.call import CallKind
from mvtui.model.unit import UnitKind, UnitVerb
from tests.host.direct_host import QUICK, DirectHost, need_root, need_unshare, serves, until

START, STOP, RESTART, KILL = UnitVerb.START, UnitVerb.STOP, UnitVerb.RESTART, UnitVerb.KILL


async def test_started_and_stopped(host: DirectHost) -> None:
    directory = host.add(scripts={"virtiofsd-run": serves("web-home.sock")}, shares={"home": ("/", "web-home.sock")})
    started = await host.run(START)
    assert (started.result, started.words) == ("done", "web: started")
    statuses = await host.units().statuses()
    assert {status.kind: (status.active_state, status.sub_state) for status in statuses.values()} == {
        UnitKind.HYPERVISOR: ("active", "running"),
        UnitKind.VIRTIOFSD: ("active", "running"),
        UnitKind.SET_BOOTED: ("active", "exited"),
    }
    assert statuses["microvm@web.service"].timeout_stop == 0.4
    assert all(status.settled and status.microvm == "web" for status in statuses.values())
    assert host.booted() == os.readlink(directory / "current")
    assert len(host.working()) == 2

    stopped = await host.run(STOP)
    assert (stopped.result, stopped.words) == ("done", "web: stopped")
    assert await host.units().statuses() == {}
    assert host.working() == []
    await until(lambda: host.keepers() == [], "the keeper ends after its last word")
    assert host.booted() is None
    assert not list(host.folder.rglob("direct")), "the run directory goes with the last microVM"


async def test_outlives_who_started_it(host: DirectHost) -> None:
    host.add()
    assert host.drive("web", "start") == "web: started\n"
    unit = await host.unit()
    assert unit is not None
    assert unit.active_state == "active"
    assert (await host.run(STOP)).ok
    assert host.working() == []


async def test_started_again_while_it_runs(host: DirectHost) -> None:
    host.add()
    await host.run(START)
    again = await host.run(START)
    assert (again.result, again.words) == ("done", "web: runs already")
    assert len(host.working()) == 1


async def test_two_starts_at_once(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": "sleep 1000"}, shares={"home": ("/", "home.sock")})
    first = asyncio.create_task(host.run(START))
    await until(lambda: host.working() and len(host.keepers()) == 1, "the first works")
    (keeper,) = host.keepers()
    second = await host.run(START)
    assert second.result == "canceled"
    assert second.words == f"web: mvtui's keeper (pid {keeper}) is at work on it"
    await until(lambda: host.keepers() == [keeper], "the second gives way")
    assert (await host.run(STOP)).ok
    stopped = await first
    assert (stopped.result, stopped.words) == ("canceled", "web: canceled: stopped before its shares were served")
    assert host.working() == []


async def test_stop_of_what_does_not_run(host: DirectHost) -> None:
    host.add()
    assert (await host.run(STOP)).words == "web: stopped"
    assert await host.units().statuses() == {}


async def test_restart_is_another_process(host: DirectHost) -> None:
    host.add()
    await host.run(START)
    before = await host.main_pid()
    assert (await host.run(RESTART)).words == "web: started"
    assert await host.main_pid() != before
    assert len(host.working()) == 1


async def test_kill_takes_no_time(host: DirectHost) -> None:
    host.add(scripts={"microvm-run": "trap '' TERM; echo deaf; while :; do sleep 1000; done"})
    units = host.units(QUICK._replace(stop=1000.0))
    await units.run_job(START, "microvm@web.service")
    await until(lambda: "deaf" in (host.state_dir / "web/microvm.log").read_text(), "it is deaf")
    async with asyncio.timeout(10):
        killed = await units.run_job(KILL, "microvm@web.service")
    assert (killed.result, killed.words) == ("done", "web: killed")
    assert host.working() == []
    assert await host.units().statuses() == {}


@pytest.mark.parametrize("gone", ["current", "bin/microvm-run"])
async def test_without_a_runner_it_is_skipped(host: DirectHost, gone: str) -> None:
    directory = host.add()
    if gone == "current":
        (directory / "current").unlink()
    else:
        (directory / "current" / gone).unlink()
    result = await host.run(START)
    assert not result.ok
    assert result.result == "skipped"
    missing = f"{directory}/current/bin/microvm-run"
    assert result.words == f"web: skipped: no current runner: {missing} does not exist"
    assert await host.units().statuses() == {}
    assert host.booted() is None


async def test_a_directory_of_somebody_else(host: DirectHost) -> None:
    need_unshare()
    need_root()
    host.add()
    said = host.drive("web", "start", as_user=True)
    assert said.startswith("RightsMissingError ")
    assert "run mvtui as" in said


async def test_without_root(host: DirectHost) -> None:
    need_unshare()
    directory = host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares={"home": ("/", "home.sock")})
    if os.geteuid() == 0:
        os.chown(directory, 0, 0)  # in the namespace: its user
    assert host.drive("web", "start", "stop", "start", as_user=True) == "web: started\nweb: stopped\nweb: started\n"
    assert len(host.working()) == 2
    status = host.state_dir / ".mvtui/direct/web/status.json"
    assert status.stat().st_mode & 0o777 == 0o644
    assert host.drive("web", "stop", as_user=True) == "web: stopped\n"
    assert host.working() == []
    assert not (host.state_dir / ".mvtui").exists()


async def test_root_does_not_work_beside_the_owners_keeper(host: DirectHost) -> None:
    need_unshare()
    need_root()
    directory = host.add()
    os.chown(directory, 0, 0)
    host.drive("web", "start", as_user=True)
    os.chown(directory, 12345, 12346)
    with pytest.raises(MvtuiError, match=r"another mvtui keeps it \(pid \d+, user 0\)"):
        await host.run(START)
    assert len(host.working()) == 1
    assert not (host.folder / "run/mvtui").exists()


async def test_a_state_directory_that_the_owner_cannot_write(host: DirectHost) -> None:
    need_unshare()
    need_root()
    directory = host.add()
    os.chown(directory, 0, 0)  # in the namespace: its user
    os.chown(host.state_dir, 12345, 12346)
    said = host.drive("web", "start", as_user=True)
    assert said.startswith(
        f"MvtuiError web: {host.state_dir}/.mvtui can't be made: Permission denied (run mvtui as root"
    )


@pytest.mark.parametrize(
    "unit",
    ["ssh.service", "microvm@../web.service", "microvm@..service", "microvm@a\0b.service", "microvm@nobody.service"],
)
async def test_what_is_no_microvm(host: DirectHost, unit: str) -> None:
    with pytest.raises(MvtuiError):
        await host.units().run_job(START, unit)
    assert host.keepers() == []


@pytest.mark.parametrize("name", ["db[prod]", "two words", "new\nline", os.fsdecode(b"\xff\xfe"), "x" * 255])
async def test_odd_names(host: DirectHost, name: str) -> None:
    host.add(name)
    assert (await host.run(START, name)).ok
    unit = await host.unit(name=name)
    assert unit is not None
    assert unit.active_state == "active"
    assert (await host.run(STOP, name)).ok
    assert host.working() == []


async def test_changes_are_told(host: DirectHost) -> None:
    host.add()
    changes = host.units().changes()
    first = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    await host.run(START)
    async with asyncio.timeout(10):
        await first
        await host.run(STOP)
        await anext(changes)
    await changes.aclose()  # type: ignore[attr-defined]


async def test_adopts_what_was_started_by_hand(host: DirectHost) -> None:
    directory = host.add()
    by_hand = await asyncio.create_subprocess_exec(directory / "current/bin/microvm-run", cwd=directory)
    await until(lambda: host.working() == ["microvm@web 1000"], "it runs")
    assert (await host.run(START)).ok
    assert await host.main_pid() == by_hand.pid
    assert (await host.run(STOP)).ok
    assert await by_hand.wait() == -signal.SIGTERM


async def test_a_status_that_is_not_understood(host: DirectHost) -> None:
    path = await _status_of_a_failure(host)
    path.write_text("{")
    with pytest.raises(MvtuiError, match=r"status\.json"):
        await host.units().statuses()


async def test_a_status_of_another_boot_says_nothing(host: DirectHost) -> None:
    path = await _status_of_a_failure(host)
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"boot": "another"}))
    assert await host.units().statuses() == {}


async def test_a_status_of_somebody_else_says_nothing(host: DirectHost) -> None:
    need_root()
    path = await _status_of_a_failure(host)
    os.chown(path, 12345, 12346)
    assert await host.units().statuses() == {}


async def test_stop_forgets_a_failure(host: DirectHost) -> None:
    await _status_of_a_failure(host)
    assert (await host.run(STOP)).ok
    assert await host.units().statuses() == {}


async def test_root_believes_nobody_but_root(host: DirectHost) -> None:
    need_root()
    path = await _status_of_a_failure(host)
    planted = host.state_dir / ".mvtui/direct/web"
    planted.mkdir(parents=True)
    path.rename(planted / "status.json")
    assert await host.units().statuses() == {}


async def _status_of_a_failure(host: DirectHost) -> Path:
    host.add(scripts={"virtiofsd-run": "exit 3"}, shares={"home": ("/", "home.sock")})
    result = await host.run(START)
    assert result.result == "dependency"
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    assert unit.active_state == "failed"
    return next(host.folder.rglob("status.json"))


async def test_keepers_are_on_record(host: DirectHost) -> None:
    """Started and signalled: what a person would have typed, and what came of it."""
    host.add()
    log = CallLog()
    units = DirectUnits(Path("/vms"), root=host.folder, timings=QUICK, calls=log)
    await units.run_job(START, "microvm@web.service")
    (keeper,) = host.keepers()
    await units.run_job(STOP, "microvm@web.service")
    launch, stop = log.calls
    argv = shlex.split(launch.what)
    assert json.loads(argv[-1])["microvm"] == "web"
    assert (launch.kind, launch.ok, launch.result) == (CallKind.COMMAND, True, "start web: done")
    assert (stop.kind, stop.what, stop.ok, stop.result) == (CallKind.COMMAND, f"kill -TERM {keeper}", True, "ended")


async def test_keeper_that_starts_nothing_is_on_record(host: DirectHost) -> None:
    host.add().joinpath("current").unlink()
    log = CallLog()
    units = DirectUnits(Path("/vms"), root=host.folder, timings=QUICK, calls=log)
    result = await units.run_job(START, "microvm@web.service")
    (launch,) = log.calls
    assert (launch.ok, launch.result) == (False, f"start web: {result.result}")


async def test_nothing_to_cancel_without_systemd(host: DirectHost) -> None:
    host.add()
    units = host.units()
    assert not units.can_cancel
    with pytest.raises(MvtuiError, match="web has no job to cancel") as caught:
        await units.cancel("web")
    assert caught.value.hint == "stop ends a start that is under way"
