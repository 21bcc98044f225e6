"""Whether shares are served, asked of a process that is busy otherwise."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

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


def test_a_process_that_opens_and_closes_while_it_listens(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(tmp_path, sys.executable, "-I", "-S", "-c", BUSY)
    socket = str(tmp_path / "home.sock")
    until(lambda: are_served([socket], str(tmp_path), process.pid))
    assert all(are_served([socket], str(tmp_path), process.pid) for _ in range(200))


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
