"""However the panel ends, the terminal is as it was, and nothing that it began runs on."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.demo_folder import until
from tests.ui.terminals import LentTerminal, add_program, make_folder, open_lent
from tests.ui.test_lending import is_as_before, runs

# Shows nothing, and where it is to follow stays until it is ended.
JOURNALCTL = 'case "$*" in *--follow*) RUNS; exec sleep 600;; esac'
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT]


@pytest.fixture
def with_logs(tmp_path: Path) -> Iterator[LentTerminal]:
    """The panel with a log open that is followed."""
    make_folder(tmp_path)
    add_program(tmp_path, "journalctl", JOURNALCTL)
    with open_lent("plain", tmp_path) as terminal:
        terminal.terminal.type("l")
        terminal.pid("journalctl")
        yield terminal


@pytest.mark.parametrize("number", SIGNALS)
def test_by_a_signal(with_logs: LentTerminal, number: signal.Signals) -> None:
    child = with_logs.pid("journalctl")
    os.kill(with_logs.panel, number)
    words = with_logs.left(128 + number)
    is_as_before(with_logs, words)
    assert not runs(child)
    assert b"Traceback" not in with_logs.terminal.written


def test_by_a_bug(with_logs: LentTerminal) -> None:
    child = with_logs.pid("journalctl")
    with_logs.order("crash")
    words = with_logs.left(1)
    is_as_before(with_logs, words)
    assert not runs(child)
    after = with_logs.terminal.written.rpartition(b"\x1b[?1049l")[2]
    assert b"ZeroDivisionError" in after  # where it can be read


def test_by_its_key(with_logs: LentTerminal) -> None:
    child = with_logs.pid("journalctl")
    is_as_before(with_logs, with_logs.leave())
    assert not runs(child)


def test_by_a_terminal_that_goes_away(with_logs: LentTerminal) -> None:
    child, panel = with_logs.pid("journalctl"), with_logs.panel
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, with_logs.terminal.master)
    os.close(null)
    until(lambda: not runs(child) and not runs(panel), "they run on", 30)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_what_was_not_saved_is_kept_for_the_next_panel(tmp_path: Path, number: signal.Signals) -> None:
    make_folder(tmp_path)
    with open_lent("plain", tmp_path) as lent:
        lent.terminal.type("ej")
        lent.terminal.see("what its definition file says")
        lent.terminal.type("x")
        lent.terminal.see("not saved")
        os.kill(lent.panel, number)
        is_as_before(lent, lent.left(128 + number))
        assert "is not saved, but kept: e shows it again" in lent.terminal.text
    (left,) = (tmp_path / "state" / "mvtui" / "left").iterdir()
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    (tmp_path / "after").unlink()
    with open_lent("plain", tmp_path) as lent:
        lent.terminal.type("e")
        lent.terminal.see("not saved yet: share")
        lent.order("pass 1")
        lent.terminal.type("q")
        lent.terminal.see("d drops")
        lent.order("pass 1")
        lent.terminal.type("d")
        until(lambda: not left.exists(), "it is still there", 30)
        lent.leave()
