"""Processes of somebody who means ill: none of them keeps the others from being seen."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.host.processes import ProcFs
from tests.host.living import Spawn, dies_with_us, hypervisor, missing, need_root, own, until
from tests.host.state_dirs import NOBODY, fresh_state_dir


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with fresh_state_dir() as made:
        (made / "web").mkdir()
        (made / "db").mkdir()
        yield made


def test_a_command_line_of_two_megabytes_is_cut(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    waits = "import signal; signal.pause()"
    long = spawn(state_dir / "web", "microvm@web", "-c", waits, *["x" * 100_000] * 18, executable=sys.executable)
    other = hypervisor(spawn, state_dir / "db")
    argv = procfs.sample(slow=True)[long.pid].argv
    assert argv[0] == "microvm@web"
    assert 60_000 < sum(len(word) for word in argv) <= 1 << 16
    assert other.pid in procfs.sample()


# Executes a program that lies deeper than a path can be long: readlink(2) of /proc/PID/exe is ENAMETOOLONG.
DEEP = """
import os, shutil
back = os.open(".", os.O_RDONLY)
for _ in range(25):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
shutil.copy(shutil.which("sleep"), "program")
program = os.open("program", os.O_RDONLY)
os.set_inheritable(program, True)
os.fchdir(back)
os.execve(program, ["microvm@deep", "1000"], {})
"""


def test_a_program_that_has_no_path(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    (state_dir / "deep.py").write_text(DEEP)
    (state_dir / "microvm-run").write_text(f"{sys.executable} {state_dir}/deep.py & wait")
    spawn(state_dir / "web", "sh", str(state_dir / "microvm-run"))
    other = hypervisor(spawn, state_dir / "db")
    found = {
        ("microvm@deep", None),
        ("sh", os.path.realpath("/bin/sh")),
        ("microvm@db", os.path.realpath("/bin/sleep")),
    }
    until(lambda: {(each.argv[0], each.exe) for each in own(procfs.sample(), state_dir).values()} == found)
    assert other.pid in procfs.sample()


@pytest.mark.parametrize("argv0", ["", "-x", "microvm@\x1b]0;x\x07", "microvm@[/red]", "microvm@\udcff\u202e", "a\nb"])
def test_odd_names(spawn: Spawn, procfs: ProcFs, state_dir: Path, argv0: str) -> None:
    process = spawn(state_dir / "web", argv0, "1000", executable="/bin/sleep")
    other = hypervisor(spawn, state_dir / "db")
    samples = own(procfs.sample(slow=True), state_dir)
    assert set(samples) - {process.pid} == {other.pid}
    assert [sample.argv[0] for pid, sample in samples.items() if pid == process.pid] in ([], [argv0])


def test_who_could_not_write_there_is_no_part_of_it(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    need_root("processes of others")
    others = spawn(state_dir / "web", "microvm@web", "1000", executable="/bin/sleep", user=NOBODY)
    assert own(procfs.sample(slow=True), state_dir) == {}
    (state_dir / "web").chmod(0o775)
    assert own(procfs.sample(slow=True), state_dir) == {}
    os.chown(state_dir / "web", 12345, NOBODY)
    assert set(own(procfs.sample(slow=True), state_dir)) == {others.pid}
    (state_dir / "db").chmod(0o755)
    os.chown(state_dir / "db", NOBODY, 12345)
    owners = spawn(state_dir / "db", "microvm@db", "1000", executable="/bin/sleep", user=NOBODY)
    assert set(own(procfs.sample(slow=True), state_dir)) == {others.pid, owners.pid}


# In a mount namespace of its own, which needs no rights, another directory lies over the state directory.
ELSEWHERE = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
uid, gid = os.getuid(), os.getgid()
if libc.unshare(0x10020000):  # CLONE_NEWUSER | CLONE_NEWNS
    sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
assert libc.mount(sys.argv[1].encode(), sys.argv[2].encode(), None, 4096, None) == 0  # MS_BIND
os.mkdir(sys.argv[2] + "/invented")
os.chdir(sys.argv[2] + "/invented")
if sys.argv[3] == "gone":
    os.rmdir("../invented")
print("there", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("then", ["stays", "gone"])
def test_a_directory_of_a_mount_namespace_is_none_of_ours(state_dir: Path, procfs: ProcFs, then: str) -> None:
    need_root("somebody else's mount namespace")
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        missing("no python3 that others may run")
    theirs = state_dir.parent / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    with subprocess.Popen(
        ["microvm@invented", "-c", ELSEWHERE, str(theirs), str(state_dir), then],
        executable=python,
        stdout=subprocess.PIPE,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        try:
            assert said == b"there\n"
            assert procfs.sample(slow=True).get(process.pid) is None
        finally:
            process.kill()
