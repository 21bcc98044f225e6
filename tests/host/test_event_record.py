"""What mvtui saw, on record: written by several at once, bounded, and read whatever stands there."""

import errno
import os
import resource
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.host import event_record
from mvtui.host.event_record import EVENTS, OLDER, Recorded, alone, read_events, record_event, record_events, stamp
from mvtui.model.timeline import Event, EventKind

AT = datetime(2026, 11, 25, 18, 40, 1, 250000, UTC)
EVENT = Event(AT, EventKind.FINDING, "Share home is down.", "It ended.", "ada", False, 1.25, "share home: fsd home")


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records"


def test_what_is_written_is_read(records: Path) -> None:
    assert read_events(records) == ()
    assert record_event(records, "web", EVENT) == ""
    assert read_events(records) == (Recorded("web", EVENT),)
    assert os.stat(records / EVENTS).st_mode & 0o777 == 0o644


def test_texts_are_made_safe(records: Path) -> None:
    record_event(records, "we\nb", EVENT._replace(what="a\x1b]0;x\x07\n" + 1000 * "b"))
    (found,) = read_events(records)
    assert found.microvm == "we\\nb"
    assert found.event.what.startswith("a\\x1b]0;x\\x07\\nbbb")
    assert len(found.event.what) == 500


LINE = (
    '{"time": "%s", "microvm": "web", "kind": "start", "what": "", "why": "", "user": "", "ok": null, '
    '"seconds": %s, "key": ""}'
)


@pytest.mark.parametrize(
    "junk",
    [
        "{",
        "[]",
        "null",
        '{"time": 1}',
        "[" * 9999,
        '{"time": "2026-11-25", "kind": "x"}',
        "\udcff",  # a byte that is no UTF-8
        LINE % ("0001-01-01T00:00:00+14:00", 1),
        LINE % ("9999-12-31T23:59:59Z", 1),
        LINE % ("2026-11-25T00:00:00Z", "NaN"),
        LINE % ("2026-11-25T00:00:00Z", "Infinity"),
    ],
)
def test_what_is_none_is_left_out(records: Path, junk: str) -> None:
    record_event(records, "web", EVENT)
    with (records / EVENTS).open("a", errors="surrogateescape") as file:
        file.write(junk)  # and no end of the line: the disk was full
    record_event(records, "web", EVENT)
    assert [one.event for one in read_events(records)] == [EVENT, EVENT]


def test_several_at_once(records: Path) -> None:
    def write(name: str) -> None:
        for _ in range(50):
            record_event(records, name, EVENT)

    writers = [threading.Thread(target=write, args=(f"vm{number}",)) for number in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert len(read_events(records)) == 200


def test_it_is_bounded(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_record, "LIMIT", 2000)
    for number in range(101):  # with the last, a part begins
        record_event(records, f"vm{number}", EVENT)
    assert os.stat(records / EVENTS).st_size <= 2500
    assert os.stat(records / OLDER).st_size <= 2500
    names = [one.microvm for one in read_events(records)]
    assert names[-1] == "vm100"
    assert len(names) >= 7


def test_where_it_can_t_be_written_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = record_events(tmp_path / "file", [Recorded("web", EVENT)])
    assert words == f"{tmp_path}/file/timeline.jsonl can't be written: not a directory"


def test_a_full_disk_is_said(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(event_record, "append", no_room)
    assert record_event(records, "web", EVENT).endswith("timeline.jsonl can't be written: no space left on device")


def test_what_had_room_for_a_part_of_it_only_is_not_on_record(records: Path) -> None:
    record_event(records, "web", EVENT)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As on a disk that fills: the kernel takes what has room, and says how much that was.
    resource.setrlimit(resource.RLIMIT_FSIZE, ((records / EVENTS).stat().st_size + 40, limits[1]))
    try:
        words = record_event(records, "db", EVENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert words == f"{records}/timeline.jsonl can't be written: there was room for a part of a line only"
    assert record_event(records, "git", EVENT) == ""
    assert [one.microvm for one in read_events(records)] == ["web", "git"]


def test_a_link_is_followed_nowhere(records: Path, tmp_path: Path) -> None:
    record_event(records, "web", EVENT)
    (tmp_path / "victim").write_text("mine")
    (records / EVENTS).unlink()
    (records / EVENTS).symlink_to(tmp_path / "victim")
    assert "can't be written" in record_event(records, "web", EVENT)
    assert (tmp_path / "victim").read_text() == "mine"
    assert read_events(records) == ()


def test_one_at_a_time_compares(records: Path) -> None:
    with alone(records) as first, alone(records) as second:
        assert (first, second) == (True, False)
    with alone(records) as again:
        assert again


def test_the_stamp_tells_that_something_was_written(records: Path) -> None:
    before = stamp(records)
    record_event(records, "web", EVENT)
    assert stamp(records) != before
