"""Editor, ssh and sudo with the terminal, in a plain one, tmux and GNU screen: the panel comes back, and its end
leaves the terminal as it was, whatever they did to it."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Timer

import pytest

from mvtui.host.keeper_process import read_stat
from mvtui.ui import lent_child
from tests.demo.demo_folder import until
from tests.ui.terminal import TerminalProgram
from tests.ui.terminals import KINDS, LentTerminal, add_program, environ_of, lending, make_folder, open_lent
from tests.ui.test_driver import SHELL

# What a program does to a terminal that it does not give back.
MODES = r"\033[>4;2m\033[=1u\033[?1049h\033[?1000h\033[?1003h\033[?1006h\033[?2004h\033[?25l\033[5;9r\033[?6h"
SPOILS = f"stty raw -echo; printf '{MODES}I am in' >/dev/tty"
RUNS_ON = f"{SPOILS}; RUNS; exec sleep 600"
SUDO = '[ "$1" = -n ] && { echo "sudo: a password is required" >&2; exit 1; }\n'
WHO = ("editor", "ssh", "sudo")
ENDED = {"editor": "editor ended with", "ssh": "ssh to root@vm00 ended with", "sudo": "sudo ended with"}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def lent(kind: str, tmp_path: Path) -> Iterator[LentTerminal]:
    make_folder(tmp_path)
    with open_lent(kind, tmp_path) as terminal:
        yield terminal


def lend(lent: LentTerminal, who: str, script: str) -> None:
    """Have it run with the terminal."""
    add_program(lent.folder, who, f"{SUDO if who == 'sudo' else ''}{script}")
    if who == "sudo":
        lent.terminal.type("S")
        lent.terminal.see("starting lab")
        lent.order("refuse")
        lent.terminal.see("start lab on hv01 with sudo?")
        lent.order("pass 1")
        lent.terminal.type("y")
    else:
        lent.terminal.type("j")
        lent.terminal.see("microvm@vm00.service")
        lent.terminal.type("E" if who == "editor" else "s")


def is_as_before(lent: LentTerminal, words: list[str]) -> None:
    """After the panel, nothing is on that was off; `words` are the terminal's settings."""
    assert {"icanon", "echo", "isig", "icrnl", "opost"} <= {word.rstrip(";") for word in words}
    if lent.kind == "plain":
        modes = lent.terminal.modes
        assert not any(modes.get(mode, False) for mode in (6, 1000, 1002, 1003, 1004, 1006, 2004, 1049))
        assert modes[25]
        assert modes[7]
        assert _last(rb"\x1b\[>4(;2)?m", lent.terminal.written) in (b"", b"\x1b[>4m")
        assert _last(rb"\x1b\[=[01]u", lent.terminal.written) in (b"", b"\x1b[=0u")
    elif lent.kind == "tmux":
        names = ("alternate_on", "mouse_any_flag", "origin_flag", "cursor_flag", "wrap_flag", "scroll_region_upper")
        flags = lent.ask("display-message", "-p", " ".join(f"#{{{name}}}" for name in names))
        assert flags.split() == ["0", "0", "0", "1", "1", "0"]


def _last(pattern: bytes, written: bytes) -> bytes:
    """The last that was written of it."""
    return next((found[0] for found in reversed(list(re.finditer(pattern, written)))), b"")


@pytest.mark.parametrize("who", WHO)
def test_one_that_is_killed_in_the_middle(lent: LentTerminal, who: str) -> None:
    lend(lent, who, RUNS_ON)
    lent.terminal.see("I am in")
    os.kill(lent.pid(who), signal.SIGKILL)
    lent.terminal.see(f"{ENDED[who]} signal SIGKILL")
    lent.terminal.type("G")
    lent.terminal.see("microvm@vm10.service")
    is_as_before(lent, lent.leave())


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[LentTerminal]:
    make_folder(tmp_path)
    with open_lent("plain", tmp_path) as terminal:
        yield terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("who", WHO)
def test_the_panel_ends_and_it_does(plain: LentTerminal, who: str, number: signal.Signals) -> None:
    """Also one that minds neither."""
    lend(plain, who, f"trap '' HUP TERM; {RUNS_ON}")
    plain.terminal.see("I am in")
    child = plain.pid(who)
    os.kill(plain.panel, number)
    words = plain.left(128 + number)
    assert not runs(child)
    is_as_before(plain, words)
    assert b"Traceback" not in plain.terminal.written


@pytest.mark.parametrize("who", WHO)
def test_the_terminal_goes_away_meanwhile(plain: LentTerminal, who: str) -> None:
    """Nobody is told: the session's leader, which is, keeps it to itself."""
    lend(plain, who, f"trap '' HUP TERM; {RUNS_ON}")
    plain.terminal.see("I am in")
    child, panel = plain.pid(who), plain.panel
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, plain.terminal.master)
    os.close(null)
    until(lambda: not runs(child) and not runs(panel), "they run on", 30)


def test_the_terminal_is_gone_before_it_is_looked_at() -> None:
    hung_up: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: hung_up.append(number))
    own, (master, slave) = os.dup(0), os.openpty()
    try:
        os.dup2(slave, 0)
        os.close(slave)
        os.close(master)
        child = subprocess.Popen(["sleep", "1000"])
        assert lent_child._wait(child, Event(), Event()) == -signal.SIGHUP
        assert hung_up == [signal.SIGHUP]
    finally:
        signal.signal(signal.SIGHUP, before)
        os.dup2(own, 0)
        os.close(own)


def test_it_is_waited_for_though_all_threads_of_asyncio_hang() -> None:
    async def lend_beside_a_look_that_hangs() -> bytes:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        hanging = asyncio.ensure_future(asyncio.to_thread(answer.wait))
        await asyncio.sleep(0)
        ended = await lent_child.run(["echo", "done"], keeps_output=True)
        assert not answer.is_set()
        answer.set()
        await hanging
        return ended.out

    answer = Event()
    late = Timer(20, answer.set)
    late.start()
    assert asyncio.run(lend_beside_a_look_that_hangs()) == b"done\n"
    late.cancel()


def test_ctrl_c_and_ctrl_backslash_are_its_own(plain: LentTerminal) -> None:
    lend(plain, "editor", "trap 'echo heard' INT QUIT; echo I am in; RUNS; while :; do read line && exit $line; done")
    plain.terminal.see("I am in")
    plain.terminal.type("\x03")
    plain.terminal.see("heard")
    plain.terminal.type("\x1c")
    plain.terminal.read_until(lambda read: b"heard" in read)
    plain.terminal.type("7\n")
    plain.terminal.see("editor ended with exit 7")
    is_as_before(plain, plain.leave())


def is_stopped(pid: int) -> bool:
    stat = read_stat(pid)
    return stat is not None and stat.state == "T"


def test_ctrl_z_stops_both_and_fg_lets_both_go_on(tmp_path: Path) -> None:
    make_folder(tmp_path)
    add_program(tmp_path, "editor", "RUNS; echo I am in; read line; exit $line")
    with TerminalProgram(SHELL, environ=environ_of(tmp_path)) as shell:
        shell.see("shell$")
        shell.type(f"{lending(tmp_path)}\n")
        shell.see("? help")
        shell.type("j")
        shell.see("microvm@vm00.service")
        shell.type("E")
        shell.see("I am in")
        pids = [int((tmp_path / f"{name}.pid").read_text()) for name in ("panel", "editor")]
        for _ in range(2):
            shell.type("\x1a")
            shell.read_until(lambda read: b"shell$" in read.partition(b"Stopped")[2])
            # The shell tells sooner what becomes of them: what is typed before would be lost.
            until(lambda: all(map(is_stopped, pids)), "they run on")
            shell.type("fg\n")
            shell.read_until(lambda read: b"lending_panel" in read)
            until(lambda: not any(map(is_stopped, pids)), "they stay stopped")
        shell.type("7\n")
        shell.read_until(lambda read: b"editor ended with exit 7" in read)
        shell.type("Q")
        shell.read_until(lambda read: b"shell$" in read.partition(b"\x1b[?1049l")[2])
        shell.type("echo ended $?\n")
        shell.read_until(lambda read: b"ended 0" in read)
