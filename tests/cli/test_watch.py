"""`mvtui list --watch`: lines for screen readers and slow lines, and how it ends."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from mvtui.cli.change_report import change_documents, change_lines
from mvtui.cli.run import run
from mvtui.cli.watch import _write
from mvtui.errors import ExitCode
from mvtui.model.changes import Change, ChangeKind
from mvtui.model.finding import Finding, Severity
from mvtui.model.state import State, StateWord
from mvtui.model.unit import Job

AT = datetime(2026, 8, 1, 12, 4, 5, tzinfo=UTC)
CLOCK = "12:04:05"
DOWN = Finding(Severity.ERROR, "share home", "fsd home", "Share home is down.", "It ended.", "mvtui restart git")
DEGRADED = State(StateWord.DEGRADED, AT, DOWN.what)
STATE = Change(ChangeKind.STATE, "git", DEGRADED, StateWord.RUNNING)
FOUND = Change(ChangeKind.FINDING, "git", finding=DOWN)
SOON = 30


def said(*changes: Change) -> list[str]:
    return [line.removeprefix(f"{CLOCK} ") for line in change_lines(CLOCK, changes)]


def test_a_state_and_its_finding_are_one_line() -> None:
    line = "git degraded (was running): Share home is down. It ended. Mend it: mvtui restart git"
    assert said(STATE, FOUND) == [line]
    assert said(STATE) == ["git degraded (was running): Share home is down."]
    other = Change(ChangeKind.FINDING, "web", finding=DOWN)
    assert said(STATE, other)[1] == "web error: Share home is down. It ended. Mend it: mvtui restart git"


def test_each_kind_has_its_words() -> None:
    still = Change(ChangeKind.STATE, "git", DEGRADED, StateWord.DEGRADED)
    loops = Change(ChangeKind.STATE, "git", State(StateWord.LOOPING, None, "Why.", restarts=4), StateWord.FAILED)
    failed = Change(ChangeKind.STATE, "git", State(StateWord.FAILED, None, "Why.", "exit 1"), StateWord.STARTING)
    assert said(still, loops, failed) == [
        "git still degraded: Share home is down.",
        "git looping ×4 (was failed): Why.",
        "git failed exit 1 (was starting): Why.",
    ]
    job = Job(7, "start")
    assert said(
        Change(ChangeKind.JOB, "git", unit="microvm@git.service", job=job),
        Change(ChangeKind.JOB_ENDED, "git", unit="microvm@git.service", job=job),
        Change(ChangeKind.MENDED, "git", finding=DOWN),
        Change(ChangeKind.NEW, "git", State(StateWord.STOPPED, None, "It is not started.")),
        Change(ChangeKind.GONE, "git", was=StateWord.STOPPED),
        Change(ChangeKind.RESTARTED, "git"),
        Change(ChangeKind.GUEST, "git", why="The guest has booted."),
        Change(ChangeKind.FINDING, finding=DOWN._replace(fix="")),
        Change(ChangeKind.SILENT, finding=DOWN, why="systemd does not answer."),
        Change(ChangeKind.ANSWERS),
    ) == [
        "git job: start of microvm@git.service",
        "git job ended: start of microvm@git.service",
        "git mended: Share home is down.",
        "git is new, stopped: It is not started.",
        "git is gone (was stopped): nothing of it is left.",
        "git restarted: another hypervisor of it runs.",
        "git guest: The guest has booted.",
        "the host error: Share home is down. It ended.",
        "the host no longer answers: systemd does not answer. Mend it: mvtui restart git",
        "the host answers again",
    ]


def test_what_a_name_or_a_guest_says_is_text() -> None:
    hostile = Change(ChangeKind.GUEST, "a\x1b[2J\nb", why="x\r\n12:00:00 web failed")
    assert said(hostile) == ["a\\x1b[2J\\nb guest: x\\r\\n12:00:00 web failed"]


def test_each_object_has_the_same_keys() -> None:
    documents = list(change_documents(AT, [STATE, FOUND, Change(ChangeKind.ANSWERS)]))
    assert documents[0] == {
        "schema": 1,
        "at": "2026-08-01T12:04:05Z",
        "kind": "state",
        "microvm": "git",
        "state": "degraded",
        "was": "running",
        "since": "2026-08-01T12:04:05Z",
        "why": "Share home is down.",
        "finding": None,
        "unit": None,
        "job": None,
    }
    assert {tuple(document) for document in documents} == {tuple(documents[0])}
    assert documents[2]["microvm"] is None


# As a process: a folder with one microVM that is stopped, in direct mode.


@pytest.fixture
def states(tmp_path: Path) -> Path:
    states = tmp_path / "microvms"
    (states / "web").mkdir(parents=True)
    (states / "web" / "current").symlink_to("/nix/store/gone")
    return states


def git(states: Path) -> None:
    """One more microVM is there."""
    (states.parent / "git").mkdir()
    (states.parent / "git" / "current").symlink_to("/nix/store/gone")
    (states.parent / "git").rename(states / "git")


def words(states: Path, *more: str) -> list[str]:
    options = ["--state-dir", str(states), "--manager", "direct", "--read-only"]
    return [sys.executable, "-m", "mvtui", "list", "--watch", "--interval", "0.1", *options, *more]


@contextmanager
def watching(states: Path, *more: str, stdout: int = subprocess.PIPE) -> Iterator["subprocess.Popen[str]"]:
    environ = {**os.environ, "TZ": "UTC", "PYTHONWARNINGS": "error", "NO_COLOR": ""}
    child = subprocess.Popen(words(states, *more), stdout=stdout, stderr=subprocess.PIPE, text=True, env=environ)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def line_of(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().removesuffix("\n")


def test_the_list_once_then_a_line_for_each_change(states: Path) -> None:
    with watching(states) as child:
        assert line_of(child).split() == ["NAME", "STATE", "AGE", "CPU%", "MEM", "used/max", "FSD", "OVERLAY", "NOTE"]
        assert line_of(child).split()[:2] == ["web", "orphan"]
        git(states)
        assert line_of(child)[8:].startswith(" git is new, orphan: current points to /nix/store/gone")
        assert line_of(child)[8:].startswith(" git error: ")
        (states / "git").rename(states.parent / "away")
        assert line_of(child)[8:] == " git is gone (was orphan): nothing of it is left."
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=SOON) == ("", "")
        assert child.returncode == 130


def test_an_object_a_line(states: Path) -> None:
    with watching(states, "--json", "web") as child:
        first = json.loads(line_of(child))
        assert (first["schema"], first["kind"]) == (1, "list")
        assert [one["name"] for one in first["microvms"]] == ["web"]
        git(states)  # nobody asked for it
        (states / "web" / "current").unlink()
        (states / "web" / "flake").write_text("/etc/nixos")
        then = [json.loads(line_of(child)) for _ in range(2)]
        assert [(one["kind"], one["microvm"], one["state"]) for one in then] == [
            ("state", "web", "stopped"),
            ("mended", "web", None),
        ]
        assert then[1]["finding"]["note"] == "no current"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_without_a_word(states: Path, number: signal.Signals) -> None:
    with watching(states, "--json") as child:
        line_of(child)
        child.send_signal(number)
        assert child.communicate(timeout=SOON) == ("", "")
        assert child.returncode == 128 + number


def test_a_reader_that_goes_ends_it_though_nothing_changes(states: Path) -> None:
    with watching(states) as child:
        line_of(child)
        assert child.stdout is not None
        child.stdout.close()
        assert child.wait(SOON) == 141
        assert child.stderr is not None
        assert child.stderr.read() == ""


def test_a_line_that_stands_still_holds_up_no_signal(states: Path) -> None:
    """A pipe that nobody reads, and that is full."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    program = """
import os, sys
real = os.write
def write(descriptor, data):
    if descriptor == 1:
        print("writes", file=sys.stderr, flush=True)
    return real(descriptor, data)
os.write = write
from mvtui.cli.run import run
run(sys.argv[1:])
"""
    argv = [sys.executable, "-c", program, *words(states)[3:]]
    with subprocess.Popen(argv, stdout=write, stderr=subprocess.PIPE, text=True) as child:
        os.close(write)
        assert child.stderr is not None
        assert child.stderr.readline() == "writes\n"
        child.terminate()
        assert child.wait(SOON) == 143
    os.close(read)


def test_a_signal_that_was_ignored_stays_so(states: Path) -> None:
    """As nohup does it."""
    nohup = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *words(states, "--json")]
    with subprocess.Popen(nohup, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        line_of(child)
        child.send_signal(signal.SIGHUP)
        git(states)
        assert json.loads(line_of(child))["kind"] == "new"
        child.terminate()
        assert child.wait(SOON) == 143


def test_a_terminal_gets_lines_without_colour_or_cursor_moves(states: Path) -> None:
    master, slave = pty.openpty()
    with watching(states, stdout=slave) as child:
        os.close(slave)
        text = b""
        while b"web" not in text:
            text += os.read(master, 4096)
        git(states)
        while b"is new" not in text:
            text += os.read(master, 4096)
        assert b"\x1b" not in text
        os.close(master)  # the terminal is closed
        assert child.wait(SOON) in (128 + signal.SIGHUP, 141)


def test_textual_is_not_imported(states: Path) -> None:
    program = """
import atexit, os, signal, sys
from mvtui.cli import watch
real = watch._write
async def write(lines):
    await real(["textual" if "textual" in sys.modules else "none"])
    os.kill(os.getpid(), signal.SIGTERM)
watch._write = write
from mvtui.cli.run import run
run(sys.argv[1:])
"""
    argv = [sys.executable, "-c", program, *words(states)[3:]]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=SOON, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "none\n", "")


def test_a_name_that_no_microvm_has(states: Path, capfd: pytest.CaptureFixture[str]) -> None:
    argv = words(states, "wbe")[3:]
    assert run(argv) == ExitCode.USAGE
    assert 'did you mean "web"?' in capfd.readouterr().err


def test_a_full_disk_is_said(states: Path) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(words(states), stdout=full, stderr=subprocess.PIPE, text=True, timeout=SOON, check=False)
    assert ended.returncode == ExitCode.FAILED
    assert ended.stderr == "mvtui: the output can't be written: No space left on device\n"


async def test_a_pipe_that_another_has_set_not_to_block_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """ssh does so with a terminal that it shares with us."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    said: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as pipe:
            said.append(pipe.read())

    reader = Thread(target=read)
    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        work = asyncio.ensure_future(_write(["x" * 999] * 1000))
        await asyncio.wait({work}, timeout=0.1)
        reader.start()
        await work
        monkeypatch.undo()
    reader.join()
    assert len(said[0]) == 1_000_000
