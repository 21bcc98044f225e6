"""What a keeper does with one microVM: the units' order, identities, restarts and times."""

import asyncio
import os
import resource
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.keeper_place import MAX_LOG_BYTES, only_root_can_change
from mvtui.host.keeper_process import LIMIT_NOFILE
from mvtui.model.unit import JobResult, UnitKind, UnitStatus, UnitVerb
from tests.host.direct_host import OWNER, QUICK, SLEEPS, DirectHost, direct_host, need_root, need_unshare, serves, until

START, STOP, KILL = UnitVerb.START, UnitVerb.STOP, UnitVerb.KILL
HOME = {"home": ("/", "home.sock")}


@pytest.fixture
def host() -> Iterator[DirectHost]:
    with direct_host() as made:
        yield made


def log(host: DirectHost, name: str = "microvm.log") -> str:
    path = host.state_dir / "web" / name
    return path.read_text() if path.exists() else ""


async def unit_until(host: DirectHost, kind: UnitKind, what: str, sub_state: str, restarts: int = 0) -> UnitStatus:
    """The unit once it is in that sub-state after so many restarts."""
    async with asyncio.timeout(20):
        while True:
            unit = await host.unit(kind)
            if unit is not None and unit.sub_state == sub_state and (unit.n_restarts or 0) >= restarts:
                return unit
            assert unit is None or unit.active_state != "failed", f"{what}: {unit}"
            await asyncio.sleep(0.01)


async def failed_start(host: DirectHost) -> JobResult:
    result = await host.run(START)
    assert not result.ok
    assert host.working() == []
    await until(lambda: host.keepers() == [], "the keeper ends after its last word")
    assert host.booted() is None
    return result


# Identity


def identity(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def open_files_limits(pid: int) -> tuple[int, int]:
    """Soft and hard."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    words = next(line for line in lines if line.startswith("Max open files")).split()
    return int(words[3]), int(words[4])


async def test_who_runs_what(host: DirectHost) -> None:
    need_root()
    host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    await host.run(START)
    hypervisor = identity(await host.main_pid())
    assert hypervisor["Uid"].split() == [str(OWNER[0])] * 4
    assert hypervisor["Gid"].split() == [str(OWNER[1])] * 4
    assert hypervisor["Groups"].split() == [str(OWNER[1])]
    assert int(hypervisor["CapEff"], 16) == 0
    assert identity(await host.main_pid(UnitKind.VIRTIOFSD))["Uid"].split() == ["0"] * 4
    for name in ("microvm.log", "virtiofsd.log", "booted"):
        assert (host.state_dir / "web" / name).lstat().st_uid == OWNER[0]


async def test_shutdown_runs_as_the_owner(host: DirectHost) -> None:
    need_root()
    host.add(scripts={"microvm-shutdown": "echo shutdown as $(id -u):$(id -g); kill $MAINPID"})
    await host.run(START)
    await host.run(STOP)
    assert f"shutdown as {OWNER[0]}:{OWNER[1]}\n" in log(host)


@pytest.mark.parametrize("owner", [(0, 0), (12345, 0)])
async def test_never_as_root(host: DirectHost, owner: tuple[int, int]) -> None:
    need_root()
    directory = host.add()
    os.chown(directory, *owner)
    with pytest.raises(MvtuiError) as raised:
        await host.run(START)
    assert "it must not run as root" in raised.value.message
    assert raised.value.hint == f"chown microvm:kvm {directory}"
    assert host.working() == []


async def test_a_directory_that_is_a_link(host: DirectHost) -> None:
    host.add("real")
    (host.state_dir / "web").symlink_to("real")
    if os.geteuid() == 0:
        os.lchown(host.state_dir / "web", *OWNER)
    with pytest.raises(MvtuiError, match="web"):
        await host.run(START)
    assert host.working() == []


async def test_nothing_of_roots_shell_gets_into_the_microvm(host: DirectHost, monkeypatch: pytest.MonkeyPatch) -> None:
    need_root()
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    host.add(scripts={"microvm-run": "env; " + SLEEPS})
    await host.run(START)
    await until(lambda: host.working() == ["microvm@web 1000"], "it runs")
    assert "PATH=" in log(host)
    assert "hunter2" not in log(host)


async def test_surroundings(host: DirectHost) -> None:
    directory = host.add(scripts={"microvm-run": "umask; " + SLEEPS})
    few_files, all_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, all_files))
    await host.run(START)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few_files, all_files))
    await until(lambda: host.working() == ["microvm@web 1000"], "it runs")
    pid = await host.main_pid()
    assert os.readlink(f"/proc/{pid}/cwd") == str(directory)
    assert os.readlink(f"/proc/{pid}/fd/0") == os.devnull
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]
    assert os.getsid(pid) == pid
    soft, hard = open_files_limits(pid)
    assert soft == hard
    assert soft == LIMIT_NOFILE or soft >= all_files
    ignored = int(identity(pid)["SigIgn"], 16)
    assert not ignored & 1 << signal.SIGTERM - 1
    assert log(host) == "0022\n"


@pytest.mark.parametrize("change", ["owner", "others", "directory", "link", "runner"])
async def test_root_runs_no_virtiofsd_that_others_can_change(host: DirectHost, change: str) -> None:
    need_root()
    directory = host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    script = (directory / "current/bin/virtiofsd-run").resolve()
    elsewhere = host.folder / "elsewhere"
    elsewhere.mkdir()
    script = script.rename(elsewhere / "script")
    (directory / "current/bin/virtiofsd-run").symlink_to(script)
    if change == "owner":
        os.chown(script, *OWNER)
    elif change == "others":
        script.chmod(0o757)
    elif change == "directory":
        os.chown(script.parent, *OWNER)
    elif change == "link":
        os.chown(directory / "current/bin", *OWNER)
    else:
        os.chown(directory / "current/", *OWNER)
    result = await failed_start(host)
    assert result.result == "failed"
    assert "virtiofsd-run runs as root, but others than root can change it" in result.words


def test_what_only_root_can_change(tmp_path: Path) -> None:
    need_root()
    assert only_root_can_change(os.path.realpath("/bin/sh"))
    (tmp_path / "open").mkdir()
    (tmp_path / "open/file").touch()
    (tmp_path / "open").chmod(0o777)
    assert not only_root_can_change(str(tmp_path / "open/file"))
    assert not only_root_can_change(str(tmp_path / "missing"))


# Logs and links that somebody planted


@pytest.mark.parametrize("name", ["microvm.log", "virtiofsd.log"])
@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "directory"])
async def test_planted_log(host: DirectHost, name: str, kind: str) -> None:
    directory = host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    victim = host.folder / "victim"
    victim.write_text("precious")
    victim.chmod(0o666)
    planted = directory / name
    if kind == "link":
        planted.symlink_to(victim)
    elif kind == "hard link":
        os.link(victim, planted)
    elif kind == "fifo":
        os.mkfifo(planted, 0o666)
    else:
        planted.mkdir()
    result = await failed_start(host)
    assert f"{directory}/{name}" in result.words
    assert f"remove {name}" in result.words
    assert victim.read_text() == "precious"


async def test_a_log_is_not_written_with_roots_rights(host: DirectHost) -> None:
    need_root()
    directory = host.add()
    (directory / "microvm.log").touch(0o600)  # root's
    result = await failed_start(host)
    assert "microvm.log: Permission denied" in result.words


async def test_a_long_log_moves_aside(host: DirectHost) -> None:
    directory = host.add(scripts={"microvm-run": "echo new; " + SLEEPS})
    old = directory / "microvm.log"
    with old.open("w") as file:
        file.truncate(MAX_LOG_BYTES + 1)
    if os.geteuid() == 0:
        os.chown(old, *OWNER)
    await host.run(START)
    await until(lambda: log(host) == "new\n", "the new log")
    assert (directory / "microvm.log.1").stat().st_size == MAX_LOG_BYTES + 1
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


async def test_planted_booted_directory(host: DirectHost) -> None:
    directory = host.add()
    (directory / "booted").mkdir()
    result = await failed_start(host)
    assert result.result == "dependency"
    assert result.words.startswith(f"web: failed: {directory}/booted can't be set: ")
    unit = await host.unit(UnitKind.SET_BOOTED)
    assert unit is not None
    assert (unit.active_state, unit.result) == ("failed", "exit-code")
    assert (directory / "booted").is_dir()


# Shares


async def test_waits_until_every_share_is_served(host: DirectHost) -> None:
    gate = host.folder / "gate"
    waits = f"while [ ! -e {gate} ]; do sleep 0.01; done; exec ./late"
    directory = host.add(scripts={"virtiofsd-run": waits}, shares={"a": ("/", "a.sock"), "b": ("/", "b.sock")})
    (directory / "late").write_text(serves("a.sock", "b.sock"))
    (directory / "late").chmod(0o755)
    start = asyncio.create_task(host.run(START))
    unit = await unit_until(host, UnitKind.VIRTIOFSD, "it waits", "start")
    assert (unit.active_state, unit.settled) == ("activating", False)
    waiting = await host.unit()
    assert waiting is not None
    assert (waiting.active_state, waiting.sub_state) == ("inactive", "dead")
    assert waiting.job is not None
    assert (waiting.job.kind, waiting.settled) == ("start", False)
    gate.touch()
    assert (await start).ok


async def test_sockets_of_an_earlier_run_do_not_count(host: DirectHost) -> None:
    directory = host.add(scripts={"virtiofsd-run": "echo I do nothing; sleep 1000"}, shares=HOME)
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(directory / "home.sock"))
        left_behind.listen()
        result = await host.run(START, timings=QUICK._replace(virtiofsd_start=1.5))
    assert result.result == "dependency"
    assert result.words == "web: failed: its shares were not served within 1.5 s: I do nothing"
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    assert (unit.active_state, unit.result) == ("failed", "timeout")
    hypervisor = await host.unit()
    assert hypervisor is not None
    assert (hypervisor.active_state, hypervisor.settled) == ("inactive", True), "as systemd leaves it"
    assert host.working() == []


async def test_a_socket_without_a_listener_does_not_count(host: DirectHost) -> None:
    bound = serves("home.sock").replace("listener.listen()", "")
    directory = host.add(scripts={"virtiofsd-run": bound}, shares=HOME)
    result = await host.run(START, timings=QUICK._replace(virtiofsd_start=1.5))
    assert (directory / "home.sock").is_socket()
    assert result.result == "dependency"
    assert result.words.startswith("web: failed: its shares were not served within 1.5 s: ")


async def test_a_socket_whose_name_is_a_line_of_the_table_that_makes_no_sense(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(f"\0{host.folder}\nff a b no-number c d e f")
        assert (await host.run(START)).ok


async def test_absolute_socket(host: DirectHost) -> None:
    path = str(host.folder / "away.sock")
    host.add(scripts={"virtiofsd-run": serves(path)}, shares={"home": ("/", path)})
    assert (await host.run(START)).ok


async def test_missing_source(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": "echo no such file >&2; exit 1"}, shares={"home": ("/srv/none", "home.sock")})
    result = await failed_start(host)
    assert result.result == "dependency"
    assert result.words == "web: failed: virtiofsd of share home: source /srv/none does not exist"
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    assert (unit.active_state, unit.result, unit.exec_status) == ("failed", "exit-code", 1)


async def test_virtiofsd_run_that_ends(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": r"printf 'Error: \e[31mno rights\e[0m\n\n'; exit 2"}, shares=HOME)
    result = await failed_start(host)
    assert result.words == "web: failed: virtiofsd-run: exit 2: Error:  [31mno rights [0m"


async def test_supervisord_that_gives_up(host: DirectHost) -> None:
    says = "INFO gave up: virtiofsd-home entered FATAL state, too many start retries too quickly"
    host.add(scripts={"virtiofsd-run": f"echo '{says}'; sleep 1000"}, shares=HOME)
    result = await failed_start(host)
    assert result.words == f"web: failed: virtiofsd of share home does not start: {says}"


async def test_what_an_earlier_supervisord_said_does_not_count(host: DirectHost) -> None:
    directory = host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    (directory / "virtiofsd.log").write_text("gave up: virtiofsd-home entered FATAL state\n")
    if os.geteuid() == 0:
        os.chown(directory / "virtiofsd.log", *OWNER)
    assert (await host.run(START)).ok


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
