"""The plain list: whole names for programs, lines that have room on a terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.cli.check import check_lines
from mvtui.cli.columns import aligned, cut, width
from mvtui.cli.glyphs import Glyphs
from mvtui.cli.plain import list_lines
from mvtui.cli.show import show_lines
from mvtui.model.closer import CloserFacts
from mvtui.model.definition import Definition, Runner, Volume
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import ImageFacts, MicroVM, Snapshot, VolumeStatus
from mvtui.model.state import State, StateWord

NOW = datetime(2026, 8, 1, tzinfo=UTC)
LONG = "x" * 255
UNICODE, ASCII = Glyphs(unicode=True, colour=False), Glyphs(unicode=False, colour=False)


def lines(*names: str, columns: int | None = None, glyphs: Glyphs = UNICODE) -> list[str]:
    stopped = State(StateWord.STOPPED, NOW, "It is not started.")
    microvms = tuple(MicroVM(name, f"/vms/{name}", stopped) for name in names)
    return list_lines(Snapshot("hv01", "/vms", "systemd", microvms), glyphs, NOW, columns)


def test_for_programs_a_name_is_whole_and_moves_no_other_line() -> None:
    heading, short, long = lines("web", LONG)
    assert long.split()[:3] == ["○", LONG, "stopped"]
    assert width(heading) < 100
    assert heading.index("STATE") == short.index("stopped") == 2 + 40 + 2


def test_for_programs_short_names_are_as_narrow_as_ever() -> None:
    heading, first, second = lines("web", "database")
    assert heading.startswith("  NAME      STATE    AGE")
    assert first.startswith("○ web       stopped   0s")
    assert second.startswith("○ database  stopped   0s")


@pytest.mark.parametrize("columns", [70, 80, 120])
@pytest.mark.parametrize("name", [LONG, "名" * 85, "e\u0301" * 85])
def test_on_a_terminal_a_line_has_room(columns: int, name: str) -> None:
    heading, short, long = lines("web", name, columns=columns)
    assert max(map(width, (heading, short, long))) in (columns, columns - 1), "two cells may not be halved"
    assert long.split()[1].endswith("…")
    assert name.startswith(long.split()[1].removesuffix("…"))
    assert width(heading[: heading.index("STATE")]) == width(long[: long.index("stopped")])


def test_on_a_terminal_what_has_room_is_whole() -> None:
    assert LONG in lines("web", LONG, columns=400)[2]
    assert lines("web", columns=80) == lines("web")


def test_on_a_narrow_terminal_something_of_the_name_is_left() -> None:
    assert lines(LONG, columns=70)[1].split()[1:3] == ["x" * 13 + "…", "stopped"]
    assert lines(LONG, columns=22)[1].split()[1:] == ["x" * 11 + "…", "stopped"]
    assert lines(LONG, columns=14)[1] == "○ xxx… stopped"


def test_on_a_terminal_it_says_that_no_guest_was_asked() -> None:
    web = MicroVM("web", "/vms/web", State(StateWord.RUNNING, NOW, ""))

    def listed(microvm: MicroVM, columns: int | None) -> list[str]:
        return list_lines(Snapshot("hv01", "/vms", "systemd", (microvm,)), UNICODE, NOW, columns)

    assert listed(web, 80) == [*listed(web, None), "guests were not asked; mvtui list --closer asks"]
    assert listed(web._replace(closer=CloserFacts()), 80) == listed(web, None)
    assert listed(web._replace(state=State(StateWord.STOPPED, NOW, "")), 80)[2:] == []


def full_lines(columns: int | None, glyphs: Glyphs = UNICODE) -> list[str]:
    """All cells as wide as they come."""
    failed = State(StateWord.FAILED, NOW, "A unit that it needs has failed.", detail="dependency")
    note = "virtiofsd of share ro-store is not there"
    finding = Finding(Severity.ERROR, "share ro-store", note, "It is not there.", "Nobody serves it.", "Restart it.")
    image = ImageFacts("/vms/a/rw.img", 9 << 30, 4 << 30, fs_size=9 << 30, fs_room=9 << 30, fs_used=(9 << 30) - 1)
    volumes = (VolumeStatus(Volume("rw.img"), image, overlay=True),)
    runner = Runner("/nix/store/a", Definition(mem=999))
    microvms = (
        MicroVM("longer-than-12", "/vms/a", failed, built=runner, volumes=volumes, findings=(finding,)),
        MicroVM("web", "/vms/web", State(StateWord.STOPPED, NOW, "It is not started.")),
    )
    return list_lines(Snapshot("hv01", "/vms", "systemd", microvms), glyphs, NOW, columns)


@pytest.mark.parametrize("glyphs", [UNICODE, UNICODE._replace(marks=False)], ids=["marks", "no marks"])
@pytest.mark.parametrize("columns", [5, 20, 30, 40, 50, 60, 70, 79, 80, 81, 90, 100, 120])
def test_no_row_is_wider_than_the_terminal(columns: int, glyphs: Glyphs) -> None:
    assert max(map(width, full_lines(columns, glyphs))) <= columns


def test_what_gives_way_at_80_columns() -> None:
    heading, failed, stopped = full_lines(80)
    assert heading.split() == ["NAME", "STATE", "AGE", "CPU%", "MEM", "used/max", "FSD", "OVERLAY", "NOTE"]
    assert failed[2:].startswith("longer-than… failed depend.")
    assert failed.endswith(" 9.0G  99% virtiofsd of …")
    assert stopped.split()[:3] == ["○", "web", "stopped"]


def test_numbers_give_way_before_notes() -> None:
    assert full_lines(60)[0].split() == ["NAME", "STATE", "NOTE"]
    assert full_lines(60)[1].endswith("…")
    assert full_lines(30)[0].split() == ["NAME", "STATE"]


def test_what_goes_to_a_pipe_is_whole() -> None:
    assert "longer-than-12  failed dependency" in full_lines(None)[1]
    assert full_lines(None)[1].endswith("virtiofsd of share ro-store is not there")
    assert full_lines(200) == full_lines(None)


def test_without_unicode() -> None:
    assert lines(LONG, columns=80, glyphs=ASCII)[1].split()[1].endswith("x~")


@pytest.mark.parametrize(
    ("text", "cells", "expected"),
    [
        ("web", 3, "web"),
        ("webs", 3, "we…"),
        ("名前", 4, "名前"),
        ("名前", 3, "名…"),
        ("名前", 2, "…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("", 0, ""),
    ],
)
def test_cut(text: str, cells: int, expected: str) -> None:
    assert cut(text, cells, "…") == expected


def test_a_column_without_a_bound_is_as_wide_as_its_widest() -> None:
    assert aligned([("a", "b"), ("ccc", "d")]) == ["a    b", "ccc  d"]
    assert aligned([("a", "b"), ("ccc", "d")], most={0: 2}) == ["a   b", "ccc  d"]


def test_a_real_terminal_and_a_pipe(tmp_path: Path) -> None:
    (tmp_path / LONG).mkdir()
    (tmp_path / LONG / "current").symlink_to("/nowhere")
    command = [sys.executable, "-m", "mvtui", "--manager", "direct", "--state-dir", str(tmp_path), "list"]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"NO_COLOR": "1"}
    piped = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout
    assert LONG in piped

    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        subprocess.run(command, env=environment, check=True, stdout=theirs, timeout=60)
        shown = os.read(ours, 1 << 16).decode().splitlines()
    finally:
        os.close(ours)
        os.close(theirs)
    assert len(shown) == 2
    assert max(map(len, shown)) <= 80
    assert "xxx" in shown[1]


def test_where_there_is_nothing_but_ascii_notes_and_counts_are_ascii_too() -> None:
    found = Finding(Severity.WARNING, "booted", "≠ restart", "What runs differs.", fix="sysctl fs.file-max=…: more")
    looping = State(StateWord.LOOPING, NOW, "It ends.", "exit 1", 12)
    snapshot = Snapshot("hv01", "/vms", "systemd", (MicroVM("web", "/vms/web", looping, findings=(found,)),))
    (web,) = snapshot.microvms
    listed = list_lines(snapshot, ASCII, NOW)
    assert listed[1].split() == ["@", "web", "looping", "x12", "0s", "-", "-", "-", "-", "!", "restart"]
    told = [*listed, *check_lines(snapshot, None, ASCII, NOW), *show_lines(web, ASCII, NOW)]
    assert [line for line in told if not line.isascii()] == []
    assert "≠ restart" in list_lines(snapshot, UNICODE, NOW)[1]
