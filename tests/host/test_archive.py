"""An archive comes into being in one piece: only its owner's, over nothing, through no link."""

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.archive import packed, write_new


def test_what_is_packed_is_read_back() -> None:
    content = packed("web", {"CONTENTS.txt": b"x\n", "show.json": b"{}"}, 1_700_000_000)
    with tarfile.open(fileobj=io.BytesIO(content)) as read:
        members = read.getmembers()
        assert [(one.name, one.size, one.mode, one.mtime) for one in members] == [
            ("web/CONTENTS.txt", 2, 0o600, 1_700_000_000),
            ("web/show.json", 2, 0o600, 1_700_000_000),
        ]
        assert all(one.isreg() and one.uid == 0 and not one.uname for one in members)
    assert packed("web", {"CONTENTS.txt": b"x\n", "show.json": b"{}"}, 1_700_000_000) == content


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_new(tmp_path / "a", b"x" * 100_000)
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == b"x" * 100_000
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.parametrize("planted", ["file", "link", "dangling", "fifo", "directory"])
def test_nothing_is_written_over_or_followed(tmp_path: Path, planted: str) -> None:
    target, there = tmp_path / "target", tmp_path / "a"
    match planted:
        case "file":
            there.write_text("theirs")
        case "link":
            target.write_text("theirs")
            there.symlink_to(target)
        case "dangling":
            there.symlink_to(target)
        case "fifo":
            os.mkfifo(there)
        case "directory":
            there.mkdir()
    before = os.lstat(there)
    with pytest.raises(MvtuiError) as caught:
        write_new(there, b"mine")
    assert caught.value.exit_code == ExitCode.REFUSED
    assert os.path.samestat(os.lstat(there), before)
    assert not target.exists() or target.read_text() == "theirs"


def test_where_the_writing_fails_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MvtuiError, match="can't be written: no space left on device"):
        write_new(tmp_path / "a", b"x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["none/a", "file/a", "x" * 300])
def test_places_that_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MvtuiError, match="can't be written"):
        write_new(tmp_path / name, b"x")
