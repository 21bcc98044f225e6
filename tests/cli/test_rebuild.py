"""`mvtui rebuild`: what it runs, what it says, what it refuses, ^C."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mvtui.cli.run import run
from mvtui.host.records import forget_records
from mvtui.host.records_place import records_of
from mvtui.operations.rebuild import FOLDER
from tests.host.state_dirs import without_rights
from tests.operations.rebuildable import Rebuildable, rebuildable

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def made() -> Iterator[Rebuildable]:
    with rebuildable() as one:
        (one.host.state_dir / "web" / "flake").write_text("git+file:///etc/nixos\n")
        try:
            yield one
        finally:
            forget_records(one.host.state_dir)


def rebuild(made: Rebuildable, *words: str) -> int:
    return run(["rebuild", *words, "--manager", "direct", "--state-dir", str(made.host.state_dir)])


def test_it_says_what_the_command_says(made: Rebuildable, capsys: Capture) -> None:
    made.go("new")
    assert rebuild(made, "--yes", "web") == 0
    captured = capsys.readouterr()
    first, second, last = captured.out.splitlines()
    assert (first, second) == ("microvm -u web", "built")
    assert last.endswith("web is built anew")
    assert captured.err.startswith("mvtui: microvm -u web; what it says goes to ")


def test_one_that_fails(made: Rebuildable, capsys: Capture) -> None:
    made.go("7")
    assert rebuild(made, "--yes", "web") == 1
    assert "exit 7: error: it says 7" in capsys.readouterr().err.splitlines()[-1]


def test_json(made: Rebuildable, capsys: Capture) -> None:
    made.go("ok")
    assert rebuild(made, "--yes", "--json", "web") == 0
    told = json.loads(capsys.readouterr().out)
    (result,) = told["results"]
    assert told["schema"] == 1
    assert (result["name"], result["verb"], result["ok"], result["new"], result["exit"]) == (
        "web",
        "rebuild",
        True,
        False,
        0,
    )


def test_the_host_is_built_once(made: Rebuildable, capsys: Capture) -> None:
    for name in ("git", "db"):
        (made.host.state_dir / name).mkdir()
        (made.host.state_dir / name / "current").symlink_to("/nix/store/1-old")
        (made.host.state_dir / name / "toplevel").symlink_to("/nix/store/1-top")
    made.go("ok")
    assert rebuild(made, "--yes", "git", "db") == 0
    assert capsys.readouterr().out.splitlines()[0] == "nixos-rebuild switch"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["web"], 3, "this is no terminal, so nobody can be asked"),
        (["--json", "web"], 3, "with --json nobody is asked"),
        (["--yes", "wep"], 1, 'did you mean "web"?'),
        (["--yes", "--read-only", "web"], 3, "rebuild is refused: --read-only"),
        ([], 64, "the following arguments are required: NAME"),
    ],
)
def test_what_is_refused(made: Rebuildable, capsys: Capture, words: list[str], code: int, said: str) -> None:
    assert rebuild(made, *words) == code
    assert said in capsys.readouterr().err


def test_nothing_is_begun_where_one_can_t_be(made: Rebuildable, capsys: Capture) -> None:
    (made.host.state_dir / "lost").mkdir()
    (made.host.state_dir / "lost" / "current").symlink_to("/nix/store/1-old")
    assert rebuild(made, "--yes", "web", "lost") == 3
    captured = capsys.readouterr()
    assert "nothing says what lost is built from" in captured.err
    assert captured.out == ""


def test_rights(made: Rebuildable, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    (made.folder / "path").mkdir()
    (made.folder / "bin/microvm").rename(made.folder / "path/microvm")
    monkeypatch.setenv("PATH", f"{made.folder}/path:/usr/bin:/bin")
    with without_rights():
        assert rebuild(made, "--yes", "web") == 77
    assert "sudo mvtui" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_c_cancels_it_and_nothing_else_does(made: Rebuildable, number: signal.Signals) -> None:
    options = ["--manager", "direct", "--state-dir", str(made.host.state_dir)]
    argv = [sys.executable, "-m", "mvtui", "rebuild", "--yes", *options, "web"]
    # A shell in the background ignores SIGINT, and what it starts would too.
    with subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "microvm -u web\n"
        child.send_signal(number)
        if number is signal.SIGKILL:
            assert child.wait() == -number
            made.go("new")
            wait_for_its_end(made)
            assert os.readlink(made.host.state_dir / "web" / "current") == "/nix/store/2-new"
        else:
            assert "was cancelled" in child.stderr.read()
            assert child.wait() == 1
            assert os.readlink(made.host.state_dir / "web" / "current") == "/nix/store/1-old"


def wait_for_its_end(made: Rebuildable) -> None:
    """What it says is locked until then."""
    with (records_of(made.host.state_dir) / FOLDER / "web").open() as output:
        fcntl.flock(output, fcntl.LOCK_SH)
