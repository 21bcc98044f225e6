"""The console in a keeper's log, in a directory that belongs to somebody else."""

import os
from pathlib import Path

import pytest

from mvtui.host.guest.console_file import Place, read_log
from mvtui.model.guest import GuestStage

OLD = b"You are in emergency mode.\n"
KERNEL = b"[    0.000000] Linux version 6.12\r\n"
UP = b"[  OK  ] Reached target Multi-User System.\r\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    return tmp_path / "web" / "microvm.log"


def read(log: Path, start: int = 0, before: Place | None = None) -> Place:
    place = read_log(str(log.parent.parent), "web", start, before)
    assert isinstance(place, Place), place
    return place


def problem(log: Path) -> str:
    words = read_log(str(log.parent.parent), "web", 0, None)
    assert isinstance(words, str), words
    return words


def test_this_run_alone_counts(log: Path) -> None:
    log.write_bytes(OLD + KERNEL)
    assert read(log).console.stage is GuestStage.BOOTING, "a kernel that boots begins anew"
    log.write_bytes(OLD + b"x\n")
    assert read(log, len(OLD)).console.stage is GuestStage.UNKNOWN


def test_the_next_look_reads_on_also_in_the_middle_of_a_line(log: Path) -> None:
    log.write_bytes(KERNEL + UP[:20])
    first = read(log)
    assert (first.console.stage, first.at) == (GuestStage.BOOTING, len(KERNEL))
    log.write_bytes(KERNEL + UP)
    second = read(log, 0, first)
    assert (second.console.stage, second.at) == (GuestStage.UP, len(KERNEL + UP))
    assert read(log, 0, second) == second


def test_a_prompt_without_a_newline_is_seen(log: Path) -> None:
    log.write_bytes(KERNEL + b"web login: ")
    assert read(log).console.stage is GuestStage.UP


def test_a_log_that_was_shortened_is_read_from_its_start(log: Path) -> None:
    log.write_bytes(KERNEL + b"x" * 1000 + b"\n")
    first = read(log)
    log.write_bytes(UP)
    assert read(log, 0, first).console.stage is GuestStage.UP
    log.unlink()
    log.write_bytes(OLD)
    assert read(log, 0, first).console.stage is GuestStage.EMERGENCY, "it is another file"
    assert read(log, 5000).console.stage is GuestStage.EMERGENCY, "this run began in what is gone"


def test_of_a_flood_the_beginning_and_the_end_are_read(log: Path) -> None:
    log.write_bytes(KERNEL + b"[FAILED] Failed to mount /home.\n" + b"x" * 3_000_000 + b"\n" + UP)
    place = read(log)
    assert (place.console.stage, place.console.complete) == (GuestStage.UP, False)
    assert [sign.subject for sign in place.console.signs] == ["/home"]
    assert place.at == log.stat().st_size


def test_no_link_is_followed_and_nothing_but_a_file_is_opened(log: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(UP)
    log.symlink_to(secret)
    assert problem(log) == "microvm.log: it is no regular file with one link"
    log.unlink()
    log.hardlink_to(secret)
    assert problem(log) == "microvm.log: it is no regular file with one link"
    log.unlink()
    os.mkfifo(log)
    assert problem(log) == "microvm.log: it is no regular file with one link"
    log.unlink()
    assert problem(log) == "microvm.log: No such file or directory"
    log.parent.rmdir()
    log.parent.symlink_to(tmp_path)
    (tmp_path / "microvm.log").write_bytes(UP)
    assert problem(log) == "microvm.log: Not a directory"
