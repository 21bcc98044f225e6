"""`mvtui ssh`: what becomes of its words, and what it says where there is no way into the guest."""

import os
import shlex
import signal
from pathlib import Path

import pytest

from mvtui.cli import ssh
from mvtui.cli.run import run
from mvtui.errors import ExitCode
from mvtui.operations.into import Login

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    for name in ("web", "-web"):
        (tmp_path / "microvms" / name).mkdir(parents=True)
        (tmp_path / "microvms" / name / "flake").write_text("git+file:///etc/nixos")
    return tmp_path / "microvms"


def run_ssh(state_dir: Path, *words: str) -> int:
    return run(["--state-dir", str(state_dir), "--manager", "direct", "ssh", *words])


@pytest.mark.parametrize(
    ("words", "name", "user", "more"),
    [
        ("web", "web", "root", ()),
        ("web --user alice", "web", "alice", ()),
        ("-l alice web -- -A uptime", "web", "alice", ("-A", "uptime")),
        ("web -- -- -x", "web", "root", ("--", "-x")),
        ("-- -web", "-web", "root", ()),
        ("-- -web -- systemctl --failed", "-web", "root", ("systemctl", "--failed")),
    ],
)
def test_what_becomes_of_the_words(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, words: str, name: str, user: str, more: tuple[str, ...]
) -> None:
    asked: list[tuple[str, str, tuple[str, ...]]] = []
    executed: list[tuple[str, tuple[str, ...]]] = []

    def found(_host: object, microvm: object, user: str, more: list[str]) -> Login:
        asked.append((microvm.name, user, tuple(more)))  # type: ignore[attr-defined]
        return Login(("/bin/ssh", "-l", user, "vsock/3", *more), "x")

    def execute(program: str, argv: tuple[str, ...]) -> None:
        executed.append((program, argv))
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(ssh, "find_login", found)
    monkeypatch.setattr(os, "execv", execute)
    assert run_ssh(state_dir, *shlex.split(words)) == ExitCode.FAILED  # it can't be run
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    assert asked == [(name, user, more)]
    assert executed == [("/bin/ssh", ("/bin/ssh", "-l", user, "vsock/3", *more))]


def test_printed(state_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(ssh, "find_login", lambda *_: Login(("/bin/ssh", "vsock/3", "a b"), "x"))
    assert run_ssh(state_dir, "web", "--print") == 0
    assert capsys.readouterr().out == "/bin/ssh vsock/3 'a b'\n"


def test_one_that_does_not_run(state_dir: Path, capsys: Capture) -> None:
    assert run_ssh(state_dir, "web") == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert said == "mvtui: web does not run: there is no guest to log in to\n  mvtui start web\n"


def test_words_that_mean_nothing(state_dir: Path, capsys: Capture) -> None:
    assert run_ssh(state_dir) == ExitCode.USAGE
    assert "mvtui ssh takes a NAME" in capsys.readouterr().err
    assert run_ssh(state_dir, "web", "db") == ExitCode.USAGE
    assert run_ssh(state_dir, "none") == ExitCode.FAILED
    assert run_ssh(state_dir, "web", "--json") == ExitCode.USAGE
