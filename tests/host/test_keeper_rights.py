"""Whom a keeper runs what as, what it believes, and what it writes to."""

import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.keeper_place import MAX_LOG_BYTES
from mvtui.host.keeper_process import LIMIT_NOFILE
from mvtui.model.unit import UnitKind, UnitVerb
from tests.host.direct_host import (
    HOME,
    OWNER,
    SLEEPS,
    DirectHost,
    failed_start,
    log,
    need_root,
    serves,
    until,
)

START, STOP, KILL = UnitVerb.START, UnitVerb.STOP, UnitVerb.KILL


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
