"""Files that a process' command line names are its own claim: nothing but a regular file is opened."""

import os
from pathlib import Path

from mvtui.operations.kept import Kept
from tests.fakes import fake_host


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    kept = Kept(fake_host(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("config.json")
    (tmp_path / "loop").symlink_to("loop")
    assert kept.read_file(str(tmp_path / "config.json")) == "{}"
    assert kept.read_file(str(tmp_path / "link")) == "{}"
    for name in ("fifo", "loop", "nothing", "", "a\0b"):
        assert kept.read_file(str(tmp_path / name)) is None
    assert kept.read_file("/dev/zero") is None


def test_a_large_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (3 << 20))
    assert Kept(fake_host(tmp_path)).read_file(str(tmp_path / "large")) is None


def test_what_only_looks_like_a_file_is_not_waited_for(tmp_path: Path) -> None:
    kept = Kept(fake_host(tmp_path))
    assert kept.read_file("/proc/kmsg") in ("", None), "its size is 0: nothing is read, and nothing taken away"


def test_what_was_not_asked_for_again_is_forgotten(tmp_path: Path) -> None:
    kept = Kept(fake_host(tmp_path), inline=False)
    assert kept.exists(str(tmp_path)) is None
    kept.renew()
    assert kept.exists(str(tmp_path)) is True
    kept.renew()
    kept.renew()
    assert kept.exists(str(tmp_path)) is None
