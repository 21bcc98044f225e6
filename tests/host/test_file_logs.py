"""The keepers' log files: forwards, backwards, rotated and shortened under the reader, and what is no log."""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.errors import MvtuiError
from mvtui.host import file_logs, log_files
from mvtui.host.file_logs import FileLogs
from mvtui.host.log_files import LogFile, lines_after, lines_before, parsed
from mvtui.model.log import ERROR, WARNING, LogFilter, LogSource

ALL = LogFilter()


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    return tmp_path / "web"


def logs(web: Path) -> FileLogs:
    return FileLogs(["web"], web.parent)


def texts(records: list[bytes]) -> list[str]:
    return [parsed(record)[1].decode() for record in records]


def open_file(path: Path) -> LogFile:
    descriptor = os.open(path, os.O_RDONLY)
    return LogFile(0, LogSource.GUEST, descriptor, os.fstat(descriptor).st_ino, os.fstat(descriptor).st_size, 0)


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=30), st.booleans())
def test_backwards_is_forwards_turned_round(lines: list[bytes], ended: bool) -> None:
    """With blocks that end anywhere, and a last line that may not have ended."""
    block = log_files._BLOCK_BYTES
    log_files._BLOCK_BYTES = 7
    path = Path(f"/tmp/mvtui-test-log-{os.getpid()}")
    try:
        path.write_bytes(b"".join(line + b"\n" for line in lines) + (b"" if ended else b"open end"))
        file = open_file(path)
        forwards, backwards = list(lines_after(file, 0)), list(lines_before(file, file.size))
        os.close(file.descriptor)
        assert forwards == backwards[::-1]
        assert [parsed(one)[1] for one in forwards] == [*lines, *([] if ended else [b"open end"])]
    finally:
        log_files._BLOCK_BYTES = block
        path.unlink()


def test_pages_meet(web: Path) -> None:
    """From file to file: the one that was written to last comes last, what was rotated away before it."""
    (web / "virtiofsd.log").write_text("".join(f"fsd {n}\n" for n in range(5)))
    (web / "microvm.log.1").write_text("".join(f"old {n}\n" for n in range(5)))
    (web / "microvm.log").write_text("".join(f"new {n}\n" for n in range(5)))
    os.utime(web / "virtiofsd.log", (1, 1))
    whole = [f"{word} {n}" for word in ("fsd", "old", "new") for n in range(5)]
    reader = logs(web)
    assert texts(reader.page(ALL, 100)) == whole
    assert texts(reader.page(ALL, 100, after=b"")) == whole
    backwards: list[str] = []
    page = reader.page(ALL, 4)
    while page:
        backwards = [*texts(page), *backwards]
        page = reader.page(ALL, 4, before=page[0])
    assert backwards == whole
    first = reader.page(ALL, 3, after=b"")
    assert texts(reader.page(ALL, 100, after=first[-1])) == whole[3:]
    os.utime(web / "virtiofsd.log")  # while somebody leafs through them, the order stays
    assert texts(reader.page(ALL, 100)) == whole
    assert texts(logs(web).page(ALL, 100))[-1] == "fsd 4"


def test_what_lines_say_of_themselves(web: Path) -> None:
    (web / "virtiofsd.log").write_text(
        "2026-08-01 12:00:00,000 WARN exited: virtiofsd-home (exit status 1; not expected)\n"
        "[2026-08-01T12:00:01Z ERROR virtiofsd] /srv/home does not exist\n"
    )
    (web / "microvm.log").write_bytes(b"login: \xff\x1b[2J\r\n")
    reader = logs(web)
    exited, missing = [reader.entry(one) for one in reader.page(LogFilter(source=LogSource.VIRTIOFSD), 9)]
    assert (exited.speaker, exited.level, exited.source) == ("home", WARNING, LogSource.VIRTIOFSD)
    assert exited.message[exited.start :] == "exited: virtiofsd-home (exit status 1; not expected)"
    assert (missing.at, missing.level) == (datetime(2026, 8, 1, 12, 0, 1, tzinfo=UTC), ERROR)
    assert [reader.entry(one).message for one in reader.page(LogFilter(source=LogSource.GUEST), 9)] == [
        "login: \udcff\x1b[2J"
    ]
    assert [reader.entry(one).level for one in reader.page(LogFilter(level=ERROR), 9)] == [ERROR]
    late = LogFilter(since=datetime(2026, 8, 1, 12, 0, 1, tzinfo=UTC), source=LogSource.VIRTIOFSD)
    assert len(reader.page(late, 9)) == 1


def test_it_follows_what_is_moved_away_and_shortened(web: Path) -> None:
    log = web / "microvm.log"
    log.write_text("one\n")
    reader = logs(web)
    stream = reader.stream(ALL, last=10)

    def more() -> list[str]:
        return [reader.entry(one).message for one in stream.read() or []]

    assert more() == ["one"]
    assert more() == []
    with log.open("a") as file:
        file.write("two\nthr")
        file.flush()
        assert more() == ["two"]  # the other has not ended
        file.write("ee\n")
        file.flush()
        assert more() == ["three"]
        log.rename(web / "microvm.log.1")
        file.write("four\n")
    log.write_text("five\n")
    assert more() == ["four"]
    assert [*more(), *more()] == ["five"]
    os.truncate(log, 0)
    with log.open("a") as file:
        file.write("six\n")
    assert [*more(), *more()] == ["six"]
    stream.close()
    assert stream.read() is None


def test_what_is_said_between_the_page_and_the_following_comes_once(web: Path) -> None:
    (web / "microvm.log").write_text("".join(f"{n}\n" for n in range(50)))
    reader = logs(web)
    page = reader.page(ALL, 10)
    with (web / "microvm.log").open("a") as file:
        file.write("more\n")
    stream = reader.stream(ALL, after=page[-1])
    with (web / "microvm.log").open("a") as file:
        file.write("and more\n")
    said = [reader.entry(one).message for _ in range(3) for one in stream.read() or []]
    assert said == ["more", "and more"]
    stream.close()


def test_who_comes_back_to_the_end_finds_what_was_written_last_there(web: Path) -> None:
    for second, name in enumerate(("microvm.log", "virtiofsd.log")):
        (web / name).write_text(f"{name}\n")
        os.utime(web / name, (second, second))
    both = logs(web)
    stream = both.stream(ALL, last=10)
    assert texts(stream.read() or []) == ["microvm.log", "virtiofsd.log"]
    with (web / "microvm.log").open("a") as log:
        log.write("later\n")
    assert texts(stream.read() or []) == ["later"]
    stream.close()
    leafed = both.page(ALL, 10, after=b"")
    assert texts(leafed) == ["microvm.log", "later", "virtiofsd.log"], "in its order as long as somebody leafs"
    again = both.stream(ALL, last=10)
    assert texts(again.read() or []) == ["virtiofsd.log", "microvm.log", "later"]
    again.close()


def test_a_place_that_is_gone_leads_to_what_is_left(web: Path) -> None:
    (web / "virtiofsd.log").write_text("fsd\n")
    (web / "microvm.log").write_text("".join(f"{n}\n" for n in range(50)))
    os.utime(web / "virtiofsd.log", (1, 1))
    reader = logs(web)
    page = reader.page(ALL, 2)
    (web / "microvm.log").write_text("new\n")
    assert texts(reader.page(ALL, 9, before=page[0])) == ["fsd", "new"]
    (web / "microvm.log").unlink()
    assert reader.page(ALL, 9, before=page[0]) == []
    assert reader.page(ALL, 9, after=page[0]) == []


def test_a_very_long_line_comes_in_pieces(web: Path) -> None:
    (web / "microvm.log").write_bytes(b"start\n" + b"x" * 3_000_000 + b"\nend\n")
    reader = logs(web)
    for page in (reader.page(ALL, 99), reader.page(ALL, 99, after=b"")):
        said = texts(page)
        assert (said[0], said[-1], "".join(said[1:-1])) == ("start", "end", "x" * 3_000_000)
        assert max(map(len, said)) <= 1 << 21


@pytest.mark.parametrize("kind", ["link", "second name", "fifo", "directory"])
def test_what_is_no_log_is_not_read(web: Path, kind: str) -> None:
    secret = web.parent / "secret"
    secret.write_text("secret\n")
    log = web / "microvm.log"
    if kind == "link":
        log.symlink_to(secret)
    elif kind == "second name":
        log.hardlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(log)
    else:
        log.mkdir()
    with pytest.raises(MvtuiError, match=r"microvm\.log"):
        logs(web).page(ALL, 9)
    stream = None
    with pytest.raises(MvtuiError):
        stream = logs(web).stream(ALL, last=9)
    assert stream is None


def test_a_linked_directory_is_none(web: Path) -> None:
    (web / "microvm.log").write_text("hello\n")
    (web.parent / "other").symlink_to(web)
    with pytest.raises(MvtuiError):
        FileLogs(["other"], web.parent).page(ALL, 9)


def test_nothing_is_logged(web: Path) -> None:
    assert logs(web).page(ALL, 9) == []
    assert logs(web).page(ALL, 9, after=b"") == []
    stream = logs(web).stream(ALL, last=9)
    assert stream.read() == []
    (web / "microvm.log").write_text("first\n")
    assert texts([*(stream.read() or []), *(stream.read() or [])]) == ["first"]
    stream.close()


def test_of_a_huge_log_the_end_is_read(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns the directory makes a file of a terabyte at no cost."""
    log = web / "microvm.log"
    log.touch()
    os.truncate(log, 1 << 40)
    with log.open("a") as file:
        file.write("\nlast\n")
    seen = 0
    read = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal seen
        found = read(descriptor, size, offset)
        seen += len(found)
        return found

    monkeypatch.setattr(os, "pread", counted)
    assert texts(logs(web).page(ALL, 1)) == ["last"]
    pieces = logs(web).page(ALL, 1000)
    assert (len(pieces) < 1000, texts(pieces)[-1]) == (True, "last")
    assert seen < 2 * log_files._MOST_BYTES


def test_so_many_lines_are_told_at_once(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (web / "microvm.log").write_text("".join(f"{n}\n" for n in range(10)))
    monkeypatch.setattr(file_logs, "_MOST_LINES", 3)
    stream = logs(web).stream(ALL)
    assert texts(stream.read() or []) == ["7", "8", "9"]
    stream.close()


def test_lines_of_a_guest_are_no_errors(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is read for that: there may be millions."""
    (web / "microvm.log").write_text("\n" * 100)
    monkeypatch.setattr(file_logs, "lines_before", None)
    assert logs(web).page(LogFilter(level=ERROR), 10) == []


def test_nothing_but_a_log_is_opened(web: Path) -> None:
    """To open a device can be a command to it; a socket answers ENXIO, as a device without a driver does."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(web / "microvm.log"))
        with pytest.raises(MvtuiError, match="is no regular file with one name"):
            logs(web).page(ALL, 10)
