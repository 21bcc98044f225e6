"""A keeper of root's beside users who mean ill: what they run keeps nobody from starting and stopping a microVM."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.keeper import Order
from mvtui.host.keeper_place import MAX_LOG_BYTES
from mvtui.host.keeper_status import read_status
from mvtui.model.unit import UnitVerb
from tests.host.direct_host import OWNER, QUICK, SLEEPS, DirectHost, need_root, until
from tests.host.living import Spawn
from tests.host.state_dirs import NOBODY

START, STOP = UnitVerb.START, UnitVerb.STOP


async def test_who_could_not_write_there_is_not_adopted(host: DirectHost, spawn: Spawn) -> None:
    need_root()
    directory = host.add()
    others = spawn(directory, "microvm@web", "1000", executable="/bin/sleep", user=NOBODY)
    daemon = spawn(directory, "virtiofsd", "1000", executable="/bin/sleep", user=NOBODY)
    await host.run(START)
    assert await host.main_pid() != others.pid
    await host.run(STOP)
    assert (others.poll(), daemon.poll()) == (None, None)


@pytest.mark.parametrize("owner", [(1000, 12346), (12345, 6), (12345, 12346)])
async def test_what_the_state_directorys_owner_may_have_put_there(host: DirectHost, owner: tuple[int, int]) -> None:
    """Its owner and group are whatever a guest made on a share."""
    need_root()
    os.chown(host.state_dir, *OWNER)
    os.chown(host.add(), *owner)
    if owner == OWNER:
        assert (await host.run(START)).ok
        return
    with pytest.raises(MvtuiError, match=f"web belongs to {owner[0]}:{owner[1]}"):
        await host.run(START)
    assert host.working() == []


async def test_a_directory_that_was_moved_away_keeps_root_from_nothing(host: DirectHost) -> None:
    need_root()
    directory = host.add()
    await host.run(START)
    directory.rename(host.state_dir / "elsewhere")
    assert (await host.run(STOP)).words == "web: stopped"
    assert host.working() == []


async def test_who_reads_the_log_is_no_daemon(host: DirectHost, spawn: Spawn) -> None:
    directory = host.add()
    (directory / "virtiofsd.log").write_text("sleep 1000; :")
    reader = spawn(directory, "less", "virtiofsd.log", executable="/bin/sh")
    await host.run(START)
    await host.run(STOP)
    assert reader.poll() is None


async def test_what_only_looks_like_another_keeper(host: DirectHost, spawn: Spawn) -> None:
    """A set-user-ID program runs as root, and its caller chose its command line."""
    need_root()
    host.add()
    program = host.folder / "tail"
    shutil.copy("/usr/bin/tail", program)
    program.chmod(0o4755)
    *boot, order = Order("start", str(host.state_dir), "web", "/elsewhere", []).command()[4:]
    spawn(host.folder, str(program), "-f", "/dev/null", *boot, order, user=NOBODY)
    spawn(host.folder, "sh", "-c", "sleep 1000; :", *boot, "[" * 50_000, user=OWNER[0])
    assert (await host.run(START)).words == "web: started"


async def test_what_forks_on_and_on_ends_too(host: DirectHost) -> None:
    """Each of them holds the fifo open."""
    directory = host.add(
        scripts={"microvm-run": "exec 9>alive\nfor each in {1..10}; do setsid ./mole & done\n" + SLEEPS}
    )
    (directory / "mole").write_text('#!/bin/bash\nsleep 0.005\nsetsid "$0" &\n')
    (directory / "mole").chmod(0o755)
    os.mkfifo(directory / "alive")
    if os.geteuid() == 0:
        os.chown(directory / "alive", *OWNER)
    alive = os.open(directory / "alive", os.O_RDONLY | os.O_NONBLOCK)
    try:
        await host.run(START)
        await until(lambda: sum("mole" in line for line in host.working()) >= 5, "they fork")
        await host.run(STOP)
        assert os.read(alive, 1) == b""
    finally:
        os.close(alive)


async def test_a_guest_that_says_much_does_not_fill_the_disk(host: DirectHost) -> None:
    says = f"head -c {MAX_LOG_BYTES} /dev/zero; echo the end; read -r <go; echo and on; {SLEEPS}"
    directory = host.add(scripts={"microvm-run": says})
    os.mkfifo(directory / "go", 0o666)
    (directory / "go").chmod(0o666)
    log, end = directory / "microvm.log", directory / "microvm.log.1"
    await host.run(START, timings=QUICK._replace(log_look=0.05))
    await until(lambda: end.exists() and end.stat().st_size, "the log is shortened")
    assert end.read_bytes().endswith(b"\0the end\n")
    assert end.stat().st_size == 1 << 20
    (directory / "go").write_text("\n")
    await until(lambda: log.read_text() == "and on\n", "it is written on")


async def test_roots_scripts_find_no_program_in_the_microvms_directory(
    host: DirectHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_root()
    monkeypatch.setenv("PATH", f":.:planted:{os.environ['PATH']}")
    directory = host.add(scripts={"tap-up": "program; true"})
    for place in (directory, directory / "planted"):
        place.mkdir(exist_ok=True)
        (place / "program").write_text("#!/bin/sh\necho ran\n")
        (place / "program").chmod(0o755)
    assert (await host.run(START)).ok
    assert "program: command not found" in (directory / "microvm.log").read_text()


@pytest.mark.parametrize("kind", ["link", "fifo", "socket", "directory", "file"])
def test_a_status_that_somebody_else_put_there_says_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "status.json"
    with socket.socket(socket.AF_UNIX) as planted:
        if kind == "link":
            path.symlink_to(tmp_path / "elsewhere")
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            planted.bind(str(path))
        elif kind == "directory":
            path.mkdir()
        else:
            path.write_text("{")
        if kind == "file":
            need_root()
            os.chown(path, NOBODY, NOBODY)
        assert read_status(str(path)) is None
