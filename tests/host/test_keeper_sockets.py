"""Whether shares are served, asked of a process that is busy otherwise."""

import errno
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest

from mvtui.host import keeper_start
from mvtui.host.keeper_group import Group, Timings
from mvtui.host.keeper_sockets import are_served
from tests.host.living import Spawn, until

# Half of its descriptors before the listening socket come and go all the time.
BUSY = """
import os, socket
for _ in range(100):
    os.open(os.devnull, os.O_RDONLY)
listener = socket.socket(socket.AF_UNIX)
listener.bind("home.sock")
listener.listen()
while True:
    for descriptor in range(10, 60):
        os.close(descriptor)
    for _ in range(10, 60):
        os.open(os.devnull, os.O_RDONLY)
"""


SILENT = """
import os, socket, signal
unused = socket.socket(socket.AF_UNIX)
os.mkdir("ready")
signal.pause()
"""


def test_a_process_that_opens_and_closes_while_it_listens(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(tmp_path, sys.executable, "-I", "-S", "-c", BUSY)
    path = str(tmp_path / "home.sock")
    until(lambda: are_served([path], str(tmp_path), process.pid))
    assert all(are_served([path], str(tmp_path), process.pid) for _ in range(200))


def test_where_the_kernel_refuses_the_table_tells(
    spawn: Spawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> NoReturn:
        raise PermissionError(errno.EPERM, "refused")

    monkeypatch.setattr("mvtui.host.keeper_sockets.UnixDiag", refused)
    process = spawn(tmp_path, sys.executable, "-I", "-S", "-c", BUSY)
    until(lambda: are_served([str(tmp_path / "home.sock")], str(tmp_path), process.pid))
    other = spawn(tmp_path, sys.executable, "-I", "-S", "-c", SILENT)
    until((tmp_path / "ready").exists)
    assert not are_served([str(tmp_path / "home.sock")], str(tmp_path), other.pid)


def test_a_forged_line_of_the_table_serves_nothing(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(tmp_path, sys.executable, "-I", "-S", "-c", SILENT)
    until((tmp_path / "ready").exists)
    links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{process.pid}/fd")]
    inode = next(link[8:-1] for link in links if link.startswith("socket:["))
    path = tmp_path / "home.sock"
    with socket.socket(socket.AF_UNIX) as forged:
        forged.bind(f"\0\nff: 00000002 00000000 00010000 0001 01 {inode} home.sock")
        assert f"{inode} home.sock\n" in Path("/proc/net/unix").read_text(errors="replace")
        assert not are_served([str(path)], str(tmp_path), process.pid)


def test_what_was_served_once_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([True])
    monkeypatch.setattr(keeper_start, "are_served", lambda *_: next(answers))
    said: dict[str, Any] = {}

    def wait(is_decided: Callable[[], bool], *_: object, **__: object) -> bool:
        return is_decided()

    group = SimpleNamespace(
        script=lambda _: "virtiofsd-run",
        spawn=lambda *_, **__: SimpleNamespace(pid=1, start=1, ended=False),
        place=SimpleNamespace(
            path="/", owner=None, shares=lambda _: {}, open_log=lambda _: os.open(os.devnull, os.O_RDONLY)
        ),
        status=SimpleNamespace(path="/status.json", set=lambda _, state, *__, **___: said.update(state=state)),
        watch=SimpleNamespace(wait=wait, is_asked=lambda: False),
        runner="",
        timings=Timings(),
    )
    keeper_start._start_virtiofsd(cast("Group", group))
    assert said["state"] == "active"
