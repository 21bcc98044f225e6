"""What the panel writes to a terminal of 80×24 cells and 256 colours, and in which state it leaves it."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from tests.ui.busy_host import BUSY
from tests.ui.terminal import KITTY_KEYS, TerminalProgram

CHILD = ["-m", "tests.ui.terminal_child"]
MOUSE, ALL_MOTION, SGR_MOUSE, FOCUS, PASTE = 1000, 1003, 1006, 1004, 2004
CURSOR, WRAP, ALTERNATE = 25, 7, 1049
CLEAN = {MOUSE: False, ALL_MOTION: False, SGR_MOUSE: False, FOCUS: False, PASTE: False}
CLEAN |= {CURSOR: True, WRAP: True, ALTERNATE: False}


@pytest.fixture
def panel() -> Iterator[TerminalProgram]:
    with TerminalProgram(CHILD) as program:
        program.settle()
        yield program


def clean(program: TerminalProgram) -> bool:
    return {mode: on for mode, on in program.modes.items() if mode in CLEAN} == CLEAN


def test_an_unchanged_tick_writes_nothing(panel: TerminalProgram) -> None:
    assert [panel.command("tick") for _ in range(5)] == [b""] * 5


@pytest.mark.parametrize(("changes", "most"), [(1, 100), (4, 300), (11, 700)])
def test_a_tick_writes_the_cells_that_changed(panel: TerminalProgram, changes: int, most: int) -> None:
    written = b"".join(panel.command(line) for line in (f"change {changes}", "tick", "tick"))
    assert written.count(b"21.3") == changes
    assert len(written) <= most
    assert sum("21.3" in line for line in panel.lines) == changes


def test_the_cursor_writes_two_rows_and_the_why_line(panel: TerminalProgram) -> None:
    panel.type("j")
    panel.see("─ vm00 ─")
    written = b"".join(panel.command("tick") for _ in range(3))
    assert len(written) <= 1000


def test_what_a_smaller_terminal_lost_is_painted_again(panel: TerminalProgram) -> None:
    before = panel.text
    for size in ((60, 20), (80, 24)):
        panel.resize(*size)
    assert panel.text != before
    panel.read_until(lambda _: panel.text == before)


def test_it_is_left_clean_by_its_key(panel: TerminalProgram) -> None:
    assert panel.modes[ALTERNATE]
    assert panel.modes[MOUSE]
    assert not panel.modes[CURSOR]
    panel.type("q")
    assert panel.end() == 0
    assert clean(panel)


def test_nothing_of_it_stays_where_there_is_no_alternate_screen(panel: TerminalProgram) -> None:
    """As on the Linux console, or as pyte has none: an old picture would stand among what the shell writes."""
    panel.type("q")
    assert panel.end() == 0
    assert panel.text.strip() == ""
    assert (panel.screen.cursor.y, panel.screen.cursor.x) == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_is_left_clean_by_a_signal(panel: TerminalProgram, number: signal.Signals) -> None:
    panel.process.send_signal(number)
    assert panel.end() == 128 + number
    assert clean(panel)
    assert b"Traceback" not in panel.written


def test_it_ends_when_the_terminal_goes_away(panel: TerminalProgram) -> None:
    master, null = panel.master, os.open(os.devnull, os.O_RDWR)
    os.dup2(null, master)
    os.close(null)
    assert panel.process.wait(30) == 128 + signal.SIGHUP


def test_no_mouse_over_ssh() -> None:
    with TerminalProgram(CHILD, environ={"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}) as program:
        program.settle()
        assert MOUSE not in program.modes
        program.type("q")
        assert program.end() == 0
        assert program.modes[CURSOR]
        assert not program.modes[ALTERNATE]


def colours(written: bytes) -> set[int]:
    """The colours' SGR codes (30–49, 90–107), 38 and 48 for those of 256."""
    found: set[int] = set()
    for sequence in re.findall(rb"\x1b\[([0-9;]*)m", written):
        codes = iter(int(code) for code in sequence.split(b";") if code)
        for code in codes:
            found |= {code} if 30 <= code <= 107 else set()
            if code in (38, 48):
                next(codes)
                next(codes)
    return found


def test_no_color() -> None:
    with TerminalProgram(CHILD, environ={"NO_COLOR": "1"}) as program:
        program.settle()
        assert "● vm00        running" in program.text
        assert colours(program.written) <= {39, 49}


@pytest.mark.parametrize(("term", "shown"), [("linux", 32), ("screen", 32), ("vt100", 0), ("vt220", 0)])
def test_sixteen_colours_none_bright_and_ascii(term: str, shown: int) -> None:
    with TerminalProgram(CHILD, environ={"TERM": term}) as program:
        program.settle()
        assert "* vm00        running" in program.text
        assert program.written.isascii()
        assert colours(program.written) <= {31, 32, 33, 35, 36, 39, 49}
        assert max(colours(program.written) & {32}, default=0) == shown


def test_ascii_without_a_locale_of_utf8() -> None:
    with TerminalProgram(CHILD, environ={"LC_ALL": "C"}) as program:
        program.settle()
        assert program.written.isascii()


def test_tiny_terminals_show_something_and_live() -> None:
    for size in ((10, 3), (1, 1), (20, 7)):
        with TerminalProgram(CHILD, size=size) as program:
            program.settle()
            program.type("jT\x1b?\x1bGr")
            program.settle()
            program.type("\x03")
            assert program.end() == 0
            assert b"Traceback" not in program.written


@pytest.fixture
def names(tmp_path: Path) -> Path:
    for name in ("lab", "vm00", "vm01", ".hidden", "lost+found", "e\x1b[2Jvil"):
        (tmp_path / name).mkdir()
    (tmp_path / "a-file").touch()
    return tmp_path


def test_names_stand_where_the_list_paints_them(names: Path) -> None:
    with TerminalProgram([*CHILD, str(names)]) as program:
        program.see("vm01")
        assert [line for line in program.lines if line] == ["  e\\x1b[2Jvil", "  lab", "  vm00", "  vm01"]
        assert program.modes[ALTERNATE]
        program.order("open")
        program.settle()
        assert program.lines[2].startswith("○ lab")
        assert program.written.count(b"\x1b[?1049h") == 1
        assert b"\x1b[?1049l" not in program.written
        assert b"\x1b[2J" not in program.written
        program.type("q")
        assert program.end() == 0
        assert clean(program)
        assert program.written.count(b"\x1b[?1049l") == 1


def test_names_stand_until_they_are_painted_over(tmp_path: Path) -> None:
    """At no byte between the names and the states is one of them missing, or the screen cleared."""
    names = [microvm.name for microvm in BUSY.microvms]
    for name in names:
        (tmp_path / name).mkdir()
    with TerminalProgram([*CHILD, str(tmp_path)]) as program:
        program.see(names[-1])
        before = len(program.written)
        program.order("open, wait")
        program.see("looking at the host")
        program.settle()
        assert "● vm10        running" in program.text
        written = KITTY_KEYS.sub(b"", program.written)
    screen = pyte.Screen(80, 24)
    terminal = pyte.ByteStream(screen)
    terminal.feed(written[:before])
    for number in range(before, len(written)):
        terminal.feed(written[number : number + 1])
        assert [_at(screen, 2, 2 + row, len(name)) for row, name in enumerate(names)] == names
    assert not re.search(rb"\x1b\[\d?J|\x1b\[[12]K|\x1bc", written[before:])
    assert len(written) <= 15_000


def _at(screen: pyte.Screen, x: int, y: int, count: int) -> str:
    return "".join(screen.buffer[y][x + number].data for number in range(count))


def test_more_names_than_rows(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"vm{number:03}").mkdir()
    with TerminalProgram([*CHILD, str(tmp_path)], size=(30, 10)) as program:
        program.see("vm007")
        assert program.lines[2:] == [f"  vm{number:03}" for number in range(8)]


@pytest.mark.parametrize(("order", "code"), [("end", 3), ("fail", 1)])
def test_names_without_a_panel_leave_the_terminal_clean(names: Path, order: str, code: int) -> None:
    with TerminalProgram([*CHILD, str(names)]) as program:
        program.see("vm01")
        program.order(order)
        assert program.end() == code
        assert not program.modes[ALTERNATE]
        assert program.modes[CURSOR]
        assert program.modes[WRAP]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_names_ended_by_a_signal_leave_the_terminal_clean(names: Path, number: signal.Signals) -> None:
    with TerminalProgram([*CHILD, str(names)]) as program:
        program.see("vm01")
        program.process.send_signal(number)
        assert program.end() == -number
        assert not program.modes[ALTERNATE]
        assert program.modes[CURSOR]


def test_no_names_of_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with TerminalProgram([*CHILD, str(tmp_path / "nowhere")]) as program:
        program.order("open")
        program.settle()
        program.type("q")
        assert program.end() == 0
        assert clean(program)


SUDO = """#!/bin/sh
if [ "$1" = -n ]; then
    echo "sudo: a password is required" >&2
    exit 1
fi
printf "[sudo] password: " >/dev/tty
read answer </dev/tty
echo "Sorry, try again." >&2
read answer </dev/tty
echo "lab: started in 2.0 s"
"""


def test_sudo_has_the_terminal_while_it_asks(tmp_path: Path) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    with TerminalProgram(CHILD, environ={"PATH": f"{tmp_path}:{os.environ['PATH']}"}) as program:
        program.settle()
        program.type("S")
        program.see("starting lab")
        program.order("refuse")
        program.see("start lab on hv01 with sudo?")
        program.settle()
        program.order("pass 1")
        program.type("y")
        program.see("[sudo] password:")
        assert not program.modes[ALTERNATE]
        assert not program.modes[MOUSE]
        program.order("change 3")  # it goes on looking, and paints nothing
        program.type("wrong\n")
        program.see("Sorry, try again.")
        program.type("right\n")
        program.see("lab: started in 2.0 s")
        program.settle()
        assert program.modes[ALTERNATE]
        assert "? help" in program.lines[-1]
        assert sum("21.3" in line for line in program.lines) == 3
        program.type("q")
        assert program.end() == 0
        assert clean(program)


def test_refresh_paints_over_what_somebody_else_wrote(panel: TerminalProgram) -> None:
    before = len(panel.written)
    panel.type("\x12")  # ^r
    panel.read_until(lambda read: b"vm10" in read)
    assert b"mvtui" in panel.written[before:]
