"""The panel's hold on the terminal: it gives it back as it was, and does not outlive it."""

import os
import pty
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.drivers._writer_thread import WriterThread

from mvtui.ui.driver import Output
from tests.ui.terminal import TerminalProgram

CHILD = ["-m", "tests.ui.terminal_child"]
# With the pipe as a variable of its own.
SHELL = [
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.environ.update(PIPE=sys.argv[1], PS1='shell$ ');"
    "os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])",
]
# A session without a controlling terminal: nobody sends it a SIGHUP.
WITHOUT_SIGHUP = [
    "-c",
    "import sys; from tests.ui.driven_panel import DrivenPanel; sys.exit(DrivenPanel(int(sys.argv[1])).run())",
]


@pytest.fixture
def panel() -> Iterator[TerminalProgram]:
    with TerminalProgram(CHILD) as program:
        program.settle()
        yield program


def is_raw(program: TerminalProgram) -> bool:
    return not termios.tcgetattr(program.master)[3] & termios.ICANON


def is_on_other_screen(program: TerminalProgram) -> bool:
    return program.modes[1049]


def takes_signals(program: TerminalProgram) -> bool:
    """Whether ^C is a signal: while the panel has the terminal it is a key; a shell's own editing leaves that alone."""
    return bool(termios.tcgetattr(program.master)[3] & termios.ISIG)


def take_terminal_away(program: TerminalProgram) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, program.master)
    os.close(null)


def test_a_stop_that_it_did_not_see(panel: TerminalProgram) -> None:
    panel.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, panel.process.pid, os.WSTOPPED)
    shells = termios.tcgetattr(panel.master)
    shells[3] |= termios.ICANON | termios.ECHO
    termios.tcsetattr(panel.master, termios.TCSANOW, shells)
    before = len(panel.written)
    panel.process.send_signal(signal.SIGCONT)
    panel.read_until(lambda read: b"vm10" in read)
    assert b"\x1b[?1049h" in panel.written[before:]
    assert is_raw(panel)
    panel.type("q")
    assert panel.end() == 0
    assert not is_raw(panel)


def test_it_is_not_stopped_where_nobody_would_let_it_go_on(panel: TerminalProgram) -> None:
    panel.process.send_signal(signal.SIGTSTP)
    panel.type("\x1a")
    panel.see("no shell began mvtui: nobody would let it go on")
    panel.type("q")
    assert panel.end() == 0


@pytest.fixture
def shell(request: pytest.FixtureRequest) -> Iterator[TerminalProgram]:
    """A shell with the panel as its job."""
    with TerminalProgram(SHELL) as program:
        program.see("shell$")
        panel = f"{sys.executable} -m tests.ui.driven_panel $PIPE"
        # Within another program of its group, as sudo is one.
        program.type(f"sh -c '{panel}; exit $?'\n" if request.param == "in a script" else f"{panel}\n")
        program.see("? help")
        yield program


@pytest.mark.parametrize(
    ("shell", "by"), [("alone", "key"), ("in a script", "key"), ("alone", "signal")], indirect=["shell"]
)
def test_it_goes_on_after_a_stop_that_was_asked_for(shell: TerminalProgram, by: str) -> None:
    shell.settle()
    if by == "key":
        shell.type("\x1a")
    else:
        os.killpg(os.tcgetpgrp(shell.master), signal.SIGTSTP)
    shell.read_until(lambda read: b"Stopped" in read)
    assert takes_signals(shell)
    assert not is_on_other_screen(shell)
    assert shell.modes[25]
    shell.type("fg\n")
    shell.read_until(lambda read: b"vm10" in read)
    assert not takes_signals(shell)
    assert is_on_other_screen(shell)
    shell.settle()
    shell.type("q")
    shell.read_until(lambda read: b"shell$" in read.partition(b"\x1b[?1049l")[2])
    shell.type("echo ended $?\n")
    shell.read_until(lambda read: b"ended 0" in read)
    assert takes_signals(shell)


def test_a_stop_before_the_panel_stands(tmp_path: Path) -> None:
    """While the names alone are there, which the panel takes over otherwise."""
    for name in ("lab", "vm00"):
        (tmp_path / name).mkdir()
    with TerminalProgram(SHELL) as shell:
        shell.see("shell$")
        shell.type(f"{sys.executable} -m tests.ui.terminal_child {tmp_path} $PIPE\n")
        shell.see("  vm00")
        assert is_on_other_screen(shell)
        shell.type("\x1a")
        shell.read_until(lambda read: b"Stopped" in read)
        assert not is_on_other_screen(shell)
        assert shell.modes[25]
        shell.type("fg\n")
        shell.order("open")
        shell.see("? help")
        assert is_on_other_screen(shell)
        shell.settle()
        assert "vm00        running" in shell.text
        shell.type("q")
        shell.read_until(lambda read: b"shell$" in read.partition(b"\x1b[?1049l")[2])
        assert not is_on_other_screen(shell)


def test_it_has_one_reader(panel: TerminalProgram) -> None:
    threads = f"/proc/{panel.process.pid}/task"
    before = len(os.listdir(threads))
    for _ in range(3):
        panel.process.send_signal(signal.SIGCONT)
        panel.read_until(lambda read: b"vm10" in read)
    assert len(os.listdir(threads)) == before


def test_no_sighup_is_needed() -> None:
    with TerminalProgram(WITHOUT_SIGHUP) as program:
        program.settle()
        take_terminal_away(program)
        assert program.process.wait(30) == 128 + signal.SIGHUP


def test_what_is_typed_may_be_no_utf8(panel: TerminalProgram) -> None:
    os.write(panel.master, b"\xff\xe4j")
    panel.see("─ vm00 ─")
    for byte in "ä".encode():
        os.write(panel.master, bytes([byte]))
    panel.type("q")
    assert panel.end() == 0


def test_writing_to_a_terminal_that_is_gone_takes_no_time_and_leaves_nothing() -> None:
    master, slave = pty.openpty()
    with open(slave, "w", encoding="utf-8") as terminal:
        writer = WriterThread(Output(terminal))  # type: ignore[arg-type]
        writer.start()
        os.close(master)
        for _ in range(100):
            writer.write("x" * 1000)
        writer.stop()
        assert not writer.is_alive()
