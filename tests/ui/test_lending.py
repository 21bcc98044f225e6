"""Editor, ssh and sudo with the terminal, in a plain one, tmux and GNU screen: the panel comes back, and its end
leaves the terminal as it was, whatever they did to it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.terminals import KINDS, LentTerminal, add_program, make_folder, open_lent

# What a program does to a terminal that it does not give back.
MODES = r"\033[?1049h\033[?1000h\033[?1003h\033[?1006h\033[?2004h\033[?25l\033[5;9r"
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


def is_as_before(lent: LentTerminal) -> None:
    """After the panel, nothing is on that was off."""
    words = lent.leave()
    assert {"icanon", "echo", "isig", "icrnl", "opost"} <= {word.rstrip(";") for word in words}
    if lent.kind == "plain":
        modes = lent.terminal.modes
        assert not any(modes.get(mode, False) for mode in (1000, 1002, 1003, 1004, 1006, 2004, 1049))
        assert modes[25]
        assert modes[7]
    elif lent.kind == "tmux":
        names = ("alternate_on", "mouse_any_flag", "cursor_flag", "wrap_flag", "scroll_region_upper")
        flags = lent.ask("display-message", "-p", " ".join(f"#{{{name}}}" for name in names))
        assert flags.split() == ["0", "0", "1", "1", "0"]


@pytest.mark.parametrize("who", WHO)
def test_one_that_is_killed_in_the_middle(lent: LentTerminal, who: str) -> None:
    lend(lent, who, RUNS_ON)
    lent.terminal.see("I am in")
    os.kill(lent.pid(who), signal.SIGKILL)
    lent.terminal.see(f"{ENDED[who]} signal SIGKILL")
    lent.terminal.type("G")
    lent.terminal.see("microvm@vm10.service")
    is_as_before(lent)
