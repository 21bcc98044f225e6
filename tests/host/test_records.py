"""What mvtui remembers: whole or not at all, for everybody to read, and never through a link."""

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host import journal, record_of_changes, records_place
from mvtui.host.record_of_changes import HISTORY, LIMIT, OLDER, read_changes, record_change
from mvtui.host.records import (
    IMAGES,
    chosen_images,
    forget_records,
    read_record,
    record_names,
    remember_image,
    remove_record,
    write_record,
)
from mvtui.host.records_place import records_of
from mvtui.operations.hosts import open_host
from tests.host.living import need_root


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "lib" / "records"


@pytest.fixture
def tight_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("tight_umask")
def test_a_record(records: Path) -> None:
    assert read_record(records, "armed/web") is None
    assert record_names(records, "armed") == ()
    write_record(records, "armed/web", "once\n")
    write_record(records, "armed/db[prod]", "always\n")
    assert read_record(records, "armed/web") == "once\n"
    assert record_names(records, "armed") == ("db[prod]", "web")
    assert [mode(path) for path in (records, records / "armed", records / "armed" / "web")] == [0o755, 0o755, 0o644]
    write_record(records, "armed/web", "always\n")
    assert read_record(records, "armed/web") == "always\n"
    assert remove_record(records, "armed/web")
    assert not remove_record(records, "armed/web")
    assert record_names(records, "armed") == ("db[prod]",)


def test_a_link_is_followed_nowhere(records: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    write_record(records, "armed/web", "once\n")
    (records / "armed" / "link").symlink_to(secret)
    (records / "linked").symlink_to(tmp_path)
    assert read_record(records, "armed/link") is None
    assert read_record(records, "linked/secret") is None
    write_record(records, "armed/link", "mine\n")
    assert secret.read_text() == "secret"
    assert read_record(records, "armed/link") == "mine\n"
    with pytest.raises(MvtuiError):
        write_record(records, "linked/x", "mine\n")
    (records / HISTORY).symlink_to(secret)
    record_change(records, "web", "reset", "done", ok=True, seconds=1.0)
    assert secret.read_text() == "secret"


def test_what_is_no_record(records: Path) -> None:
    write_record(records, "large", "x" * 100)
    assert read_record(records, "large", 99) is None
    (records / "bytes").write_bytes(b"\xff")
    os.mkfifo(records / "fifo")
    for name in ("bytes", "fifo", ".", ".."):
        assert read_record(records, name) is None
    for name in ("", ".", "..", "a\0b"):
        with pytest.raises(MvtuiError):
            write_record(records, name, "x")


def test_another_user_s_records_count_for_nothing(records: Path) -> None:
    need_root("files of other users")
    write_record(records, "armed/web", "once\n")
    os.chown(records / "armed" / "web", 65534, 65534)
    assert read_record(records, "armed/web") is None
    os.chown(records / "armed", 65534, 65534)
    assert record_names(records, "armed") == ()
    with pytest.raises(RightsMissingError):
        write_record(records, "armed/db", "once\n")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MvtuiError) as raised:
        write_record(tmp_path / "file", "armed/web", "once\n")
    assert f"{tmp_path}/file/armed/web can't be written" in raised.value.message
    record_change(tmp_path / "file", "web", "reset", "done", ok=True, seconds=1.0)
    assert read_changes(tmp_path / "file") == ()


def test_a_choice(records: Path) -> None:
    assert chosen_images(records) == {}
    remember_image(records, "web", "rw.img")
    remember_image(records, "db", "/srv/db.img")
    remember_image(records, "web", "other.img")
    assert chosen_images(records) == {"db": "/srv/db.img", "web": "other.img"}
    inode = (records / IMAGES).stat().st_ino
    remember_image(records, "web", "other.img")
    assert (records / IMAGES).stat().st_ino == inode, "what is known is not written again"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"web": 1, "db": "", "lab": null}', "{" * 100_000])
def test_choices_that_are_none(records: Path, text: str) -> None:
    write_record(records, IMAGES, text)
    assert chosen_images(records) == {}


@pytest.mark.usefixtures("tight_umask")
def test_changes(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "user", lambda: "ada")
    before = datetime.now(UTC).replace(microsecond=0)
    record_change(records, "web", "reset", "web: no\x1b[2J", ok=False, seconds=0.12345)
    record_change(records, "db\n", "restore", "x" * 5000, ok=True, seconds=2)
    first, second = read_changes(records)
    assert before <= first.time <= datetime.now(UTC)
    assert first[1:] == ("web", "reset", "ada", "web: no\\x1b[2J", False, 0.123)
    assert (second.microvm, second.ok, len(second.result)) == ("db\\n", True, 1000)
    lines = (records / HISTORY).read_text().splitlines()
    assert [set(json.loads(line)) for line in lines] == [
        {"time", "microvm", "action", "user", "result", "ok", "seconds"}
    ] * 2
    assert mode(records / HISTORY) == 0o644


def test_the_history_is_bounded(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_of_changes, "LIMIT", 2000)
    for number in range(100):
        record_change(records, f"vm{number}", "reset", "done", ok=True, seconds=0)
    sizes = [(records / name).stat().st_size for name in (HISTORY, OLDER) if (records / name).exists()]
    assert max(sizes) < 2000 + 200
    names = [change.microvm for change in read_changes(records)]
    assert names == [f"vm{number}" for number in range(100 - len(names), 100)]
    assert 10 < len(names) < 100
    assert LIMIT == 1 << 20


LINE = '{"time": "%s", "microvm": "web", "action": "reset", "user": "", "result": "", "ok": true, "seconds": %s}'


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "1",
        '{"time": "yesterday"}',
        '{"time": 5}',
        "{" * 100_000,
        "[" * 9999,
        "\udcff",  # a byte that is no UTF-8
        LINE % ("0001-01-01T00:00:00+14:00", 1),
        LINE % ("2026-11-25T00:00:00Z", "NaN"),
    ],
)
def test_a_damaged_line_costs_no_other(records: Path, line: str) -> None:
    record_change(records, "web", "reset", "done", ok=True, seconds=0)
    with (records / HISTORY).open("a", errors="surrogateescape") as file:
        file.write(line + "\n")
    record_change(records, "db", "reset", "done", ok=True, seconds=0)
    assert [change.microvm for change in read_changes(records)] == ["web", "db"]


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_line_that_a_full_disk_has_cut_short_takes_no_other_with_it(records: Path, left: int) -> None:
    record_change(records, "web", "reset", "done", ok=True, seconds=0)
    whole = (records / HISTORY).read_bytes()
    (records / HISTORY).write_bytes(whole + whole[:left])
    for name in ("db", "git"):
        record_change(records, name, "reset", "done", ok=True, seconds=0)
    # Of the last, only the end of the line is missing.
    assert [change.microvm for change in read_changes(records)] == ["web", *(["web"] if left < 0 else []), "db", "git"]
    assert b"\n\n" not in (records / HISTORY).read_bytes()


def test_where_records_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert str(records_of(Path("/var/lib/microvms"))) == "/var/lib/mvtui"
    one, other = records_of(tmp_path / "one"), records_of(tmp_path / "other")
    assert one != other
    assert one.parent == other.parent == Path("/var/lib/mvtui")
    assert open_host(tmp_path / "one", "direct").records == one
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert records_of(tmp_path / "one") == one, "what root did there may be read by others"


def test_its_owner_who_is_not_root_keeps_them_in_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 4711, 4711)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid)
    assert records_of(tmp_path) == tmp_path / ".mvtui" / "records"


def test_records_of_a_host_that_is_gone_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("mvtui.host.records.ROOTS_RECORDS", tmp_path / "mvtui")
    monkeypatch.setattr(records_place, "ROOTS_RECORDS", tmp_path / "mvtui")
    place = records_of(tmp_path / "microvms")
    if tmp_path.stat().st_uid == 0:
        write_record(place, "armed/web", "once\n")
        record_change(place, "web", "reset", "done", ok=True, seconds=0)
        (place / "link").symlink_to(tmp_path)
    forget_records(tmp_path / "microvms")
    assert not (tmp_path / "mvtui").exists()
    forget_records(tmp_path / "microvms")


def test_definitions_of_another_state_directory_are_not_this_host_s(tmp_path: Path) -> None:
    assert open_host(tmp_path / "microvms", "direct").definitions == tmp_path / "definitions"
    assert str(open_host(Path("/var/lib/microvms"), "direct").definitions) == "/etc/nixos/microvms"
    assert open_host(tmp_path / "microvms", "direct", tmp_path / "nix").definitions == tmp_path / "nix"
