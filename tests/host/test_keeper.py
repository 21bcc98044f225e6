"""What a keeper does with one microVM: the units' order, restarts and times."""

import asyncio
import os
import signal

import pytest

from mvtui.model.unit import UnitKind, UnitVerb
from tests.host.direct_host import (
    HOME,
    QUICK,
    SLEEPS,
    DirectHost,
    failed_start,
    log,
    need_root,
    need_unshare,
    serves,
    unit_until,
    until,
)

START, STOP, KILL = UnitVerb.START, UnitVerb.STOP, UnitVerb.KILL


# Restarts


async def test_restarted_again_and_again(host: DirectHost) -> None:
    directory = host.add(
        scripts={"virtiofsd-run": serves("home.sock"), "microvm-run": "readlink booted; exit 7"}, shares=HOME
    )
    assert (await host.run(START)).ok, "Type=simple: started is started"
    first = await unit_until(host, UnitKind.HYPERVISOR, "it comes back", "auto-restart")
    assert first.n_restarts == 0, "systemd counts when the restart begins"
    assert (first.active_state, first.result, first.exec_status) == ("activating", "exit-code", 7)
    assert first.last_run is not None
    assert first.last_run < 60
    meanwhile = await unit_until(host, UnitKind.VIRTIOFSD, "it serves meanwhile", "running")
    assert meanwhile.active_state == "active"
    again = await unit_until(host, UnitKind.HYPERVISOR, "it comes back", "auto-restart", restarts=3)
    assert again.n_restarts == 3
    assert log(host) == f"{os.readlink(directory / 'current')}\n" * 4
    assert log(host, "virtiofsd.log") == "serves\n" * 4, "PartOf=: the daemons are restarted with it"

    assert (await host.run(STOP)).ok
    assert await host.units().statuses() == {}
    assert host.working() == []


async def test_a_job_is_queued_while_the_group_restarts(host: DirectHost) -> None:
    slow = serves("home.sock").replace("sys.exit(0)", "(__import__('time').sleep(0.3), sys.exit(0))")
    host.add(scripts={"virtiofsd-run": slow, "microvm-run": "exit 0"}, shares=HOME)
    await host.run(START)
    await unit_until(host, UnitKind.VIRTIOFSD, "it ends", "stop-sigterm")
    unit = await host.unit()
    assert unit is not None
    assert unit.job is not None
    assert (unit.active_state, unit.job.kind) == ("inactive", "restart")


async def test_counts_anew_after_a_start_by_hand(host: DirectHost) -> None:
    host.add(scripts={"microvm-run": "[ -e good ] && " + SLEEPS + "; exit 1"})
    await host.run(START)
    await unit_until(host, UnitKind.HYPERVISOR, "it loops", "auto-restart", restarts=2)
    await host.run(STOP)
    (host.state_dir / "web/good").touch()
    await host.run(START)
    unit = await host.unit()
    assert unit is not None
    assert (unit.sub_state, unit.n_restarts, unit.last_run) == ("running", 0, None)


async def test_dead_supervisord_restarts_the_guest(host: DirectHost) -> None:
    once = "[ -e once ] || { touch once; exit 1; }\n" + SLEEPS
    host.add(scripts={"virtiofsd-run": serves("home.sock"), "microvm-run": once}, shares=HOME)
    await host.run(START)
    before = (await unit_until(host, UnitKind.HYPERVISOR, "it comes back", "running", restarts=1)).main_pid
    os.kill(await host.main_pid(UnitKind.VIRTIOFSD), signal.SIGKILL)
    unit = await unit_until(host, UnitKind.VIRTIOFSD, "it comes back", "running", restarts=1)
    assert unit.n_restarts == 1
    after = await unit_until(host, UnitKind.HYPERVISOR, "it comes back", "running")
    assert (after.main_pid != before, after.n_restarts) == (True, 0)
    assert len(host.working()) == 2


async def test_a_restart_that_fails_ends_it(host: DirectHost) -> None:
    fails_later = "[ -e once ] && exit 1; touch once; exec ./daemon"
    directory = host.add(scripts={"virtiofsd-run": fails_later, "microvm-run": "exit 1"}, shares=HOME)
    (directory / "daemon").write_text(serves("home.sock"))
    (directory / "daemon").chmod(0o755)
    assert (await host.run(START)).ok
    await until(lambda: not host.keepers(), "the keeper has gone")
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    assert unit.active_state == "failed"
    assert host.working() == []


# Stopping


async def test_shutdown_has_the_time_that_it_needs(host: DirectHost) -> None:
    gentle = """trap 'echo told by TERM; exit 0' TERM
trap 'echo told by USR1; sleep 0.3; echo done; exit 0' USR1
echo up; while :; do sleep 0.01; done"""
    host.add(scripts={"microvm-run": gentle, "microvm-shutdown": "kill -USR1 $MAINPID"})
    await host.run(START)
    await until(lambda: "up" in log(host), "it is up")
    units = host.units(QUICK._replace(stop=30.0))
    assert (await units.run_job(STOP, "microvm@web.service")).words == "web: stopped"
    assert "told by USR1\ndone\n" in log(host)
    assert "TERM" not in log(host)
    assert await units.statuses() == {}


@pytest.mark.parametrize("shutdown", ["exit 1", "true", "sleep 1000"])
async def test_terminated_where_shutdown_does_not_end_it(host: DirectHost, shutdown: str) -> None:
    deaf_to_shutdown = "trap 'echo told by TERM; exit 0' TERM; echo up; while :; do sleep 0.01; done"
    host.add(scripts={"microvm-run": deaf_to_shutdown, "microvm-shutdown": f"echo asked; {shutdown}"})
    await host.run(START)
    await until(lambda: "up" in log(host), "it is up")
    began = asyncio.get_running_loop().time()
    assert (await host.run(STOP)).words == "web: stopped"
    took = asyncio.get_running_loop().time() - began
    # bash may say `Terminated` of a child between the two.
    assert [line for line in log(host).splitlines() if line != "Terminated"][:3] == ["up", "asked", "told by TERM"]
    assert took >= QUICK.stop or shutdown == "exit 1", "what was asked has its time, unless it could not be asked"
    assert host.working() == []


async def test_killed_where_nothing_else_helps(host: DirectHost) -> None:
    deaf = "trap 'echo told by TERM' TERM; echo up; while :; do sleep 0.01; done"
    host.add(scripts={"microvm-run": deaf, "microvm-shutdown": "echo asked; exit 1"})
    await host.run(START)
    await until(lambda: "up" in log(host), "it is up")
    stop = asyncio.create_task(host.run(STOP))
    unit = await unit_until(host, UnitKind.HYPERVISOR, "it waits", "stop-sigterm")
    assert unit.active_state == "deactivating"
    result = await stop
    assert (result.result, result.words) == ("done", "web: stopped, but microvm@web.service failed: timeout")
    # bash may say `Terminated` of a child between the two.
    assert [line for line in log(host).splitlines() if line != "Terminated"][:3] == ["up", "asked", "told by TERM"]
    assert host.working() == []
    ended = await host.unit()
    assert ended is not None
    assert (ended.active_state, ended.result, ended.exec_status, ended.exec_by_signal) == ("failed", "timeout", 9, True)


async def test_kill_cuts_a_stop_short(host: DirectHost) -> None:
    deaf = "trap 'echo told by TERM' TERM; echo up; while :; do sleep 0.01; done"
    host.add(scripts={"microvm-run": deaf})
    units = host.units(QUICK._replace(stop=1000.0))
    await units.run_job(START, "microvm@web.service")
    await until(lambda: "up" in log(host), "it is up")
    stop = asyncio.create_task(units.run_job(STOP, "microvm@web.service"))
    await unit_until(host, UnitKind.HYPERVISOR, "it waits", "stop-sigterm")
    async with asyncio.timeout(10):
        assert (await units.run_job(KILL, "microvm@web.service")).words == "web: killed"
        assert (await stop).ok
    assert host.working() == []


async def test_stopped_while_it_waits_to_restart(host: DirectHost) -> None:
    host.add(scripts={"microvm-run": "exit 1"})
    units = host.units(QUICK._replace(restart=1000.0))
    await units.run_job(START, "microvm@web.service")
    await unit_until(host, UnitKind.HYPERVISOR, "it waits", "auto-restart")
    async with asyncio.timeout(10):
        assert (await units.run_job(STOP, "microvm@web.service")).words == "web: stopped"
    assert await units.statuses() == {}


async def test_virtiofsd_run_alone_is_told_to_end(host: DirectHost) -> None:
    child = "trap 'echo child told by TERM' TERM; while :; do sleep 0.01; done"
    main = f"""bash -c "{child}" &
trap 'echo main told by TERM; exit 0' TERM
echo up; while :; do sleep 0.01; done"""
    host.add(scripts={"virtiofsd-run": main})
    await host.run(START)
    await until(lambda: "up" in log(host, "virtiofsd.log"), "it is up")
    assert (await host.run(STOP)).words == "web: stopped"
    assert log(host, "virtiofsd.log") == "up\nmain told by TERM\n"
    assert host.working() == [], "KillMode=mixed: the rest is killed"


async def test_children_in_sessions_of_their_own_end_too(host: DirectHost) -> None:
    runaway = "(setsid bash -c 'sleep 1000 & sleep 1000 & wait' &)\necho up\n" + SLEEPS
    host.add(scripts={"microvm-run": runaway})
    await host.run(START)
    await until(lambda: len(host.working()) == 4, "all run")
    assert (await host.run(STOP)).ok
    assert host.working() == []


async def test_what_a_hypervisor_leaves_behind_ends_with_it(host: DirectHost) -> None:
    host.add(scripts={"microvm-run": "[ -e once ] && " + SLEEPS + "\ntouch once; sleep 1000 & exit 1"})
    await host.run(START)
    await unit_until(host, UnitKind.HYPERVISOR, "it comes back", "running", restarts=1)
    await until(lambda: host.working() == ["microvm@web 1000"], "only the new one")


# Devices of root


async def test_devices_are_set_up_before_and_taken_down_after(host: DirectHost) -> None:
    need_root()
    says = f"echo $0 | sed s,.*/,, >>{host.folder}/order; id -u >>{host.folder}/order"
    names = ["tap-up", "macvtap-up", "pci-setup", "macvtap-down", "tap-down"]
    host.add(scripts=dict.fromkeys(names, says))
    assert (await host.run(START)).ok
    unit = await host.unit(UnitKind.TAP)
    assert unit is not None
    assert (unit.active_state, unit.sub_state) == ("active", "exited")
    assert (await host.run(STOP)).ok
    order = (host.folder / "order").read_text().split()
    assert order[::2] == names
    assert set(order[1::2]) == {"0"}


async def test_devices_that_fail(host: DirectHost) -> None:
    need_root()
    host.add(scripts={"tap-up": "echo tun: busy; exit 2"})
    result = await failed_start(host)
    assert (result.result, result.words) == ("dependency", "web: failed: tap-up: exit 2: tun: busy")
    unit = await host.unit(UnitKind.TAP)
    assert unit is not None
    assert (unit.active_state, unit.result) == ("failed", "exit-code")


async def test_without_root_devices_are_the_users_own(host: DirectHost) -> None:
    need_unshare()
    directory = host.add(scripts={"tap-up": "exit 1"})
    if os.geteuid() == 0:
        os.chown(directory, 0, 0)  # in the namespace: its user
    assert host.drive("web", "start", "stop", as_user=True) == "web: started\nweb: stopped\n"


async def test_a_script_that_is_no_program(host: DirectHost) -> None:
    host.add(scripts={"microvm-run": "#!/nowhere/at/all\n"})
    assert (await host.run(START)).ok, "Type=simple"
    unit = await unit_until(host, UnitKind.HYPERVISOR, "it comes back", "auto-restart")
    assert (unit.result, unit.exec_status) == ("exit-code", 203)
    assert "microvm-run: No such file or directory\n" in log(host)
