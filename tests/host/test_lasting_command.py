"""A command that lasts: who follows it is in nobody's way."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host import lasting_command
from mvtui.host.lasting_command import LastingCommand, start


def begin(records: Path, script: str) -> LastingCommand:
    return start(("/bin/sh", "-c", script), records, "rebuilds", "web", {})


async def test_who_has_followed_it_to_its_end_keeps_nobody_from_the_next(tmp_path: Path) -> None:
    """Else that one would be told that it runs already, and nothing would be built."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    first = begin(tmp_path / "records", f"read word < {fifo}")
    follower = begin(tmp_path / "records", "exit 3")
    assert follower.pid is None
    with fifo.open("w") as file:
        file.write("go\n")
    assert await first.wait() == 0
    assert await follower.wait() is None
    second = begin(tmp_path / "records", "exit 4")
    try:
        assert second.pid is not None
        assert await second.wait() == 4
    finally:
        for one in (first, follower, second):
            one.close()


async def test_what_is_said_without_an_end_does_not_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flake can have Nix trace for ever. Who reads it gives back what is long read."""
    monkeypatch.setattr(lasting_command, "KEPT_BYTES", 1 << 20)
    command = begin(tmp_path / "records", "head -c 50M /dev/zero | tr '\\0' x; echo the end")
    try:
        assert await command.wait() == 0
        skipped, data = command.output()
        file = tmp_path / "records/rebuilds/web"
        assert skipped + len(data) == file.stat().st_size == (50 << 20) + len("the end\n")
        assert data.endswith(b"xthe end\n")
        assert file.stat().st_blocks * 512 < 2 << 20
        assert file.read_bytes().endswith(data)
    finally:
        command.close()


def test_where_nothing_can_be_locked_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(MvtuiError, match="web can't be locked: no locks available"):
        begin(tmp_path / "records", f"touch {tmp_path}/run")
    assert os.listdir("/proc/self/fd") == before
    assert not (tmp_path / "run").exists()
