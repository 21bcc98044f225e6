"""Resets on a host with real processes and real images, as people do them: by the command line."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run
from mvtui.demo import host
from mvtui.host.images import read_image
from mvtui.host.records_place import records_of
from tests.demo.demo_folder import need, open_folder, until
from tests.ui.terminal import TerminalProgram

IMAGE = "nix-store-overlay.img"
STRANGER = 1  # daemon: neither root nor whose the demo is

pytestmark = pytest.mark.xdist_group("demo")
Mvtui = Callable[..., int]


@pytest.fixture(scope="module")
def state_dir() -> Iterator[Path]:
    need("mkfs.ext4")
    with open_folder() as folder:
        yield host.up(folder / "demo", lambda _: None).state_dir
        host.down(folder / "demo")


@pytest.fixture
def mvtui(state_dir: Path) -> Mvtui:
    def mvtui(*argv: str) -> int:
        return run([*argv, "--manager", "direct", "--state-dir", str(state_dir)])

    return mvtui


def shown(mvtui: Mvtui, capsys: pytest.CaptureFixture[str], name: str) -> Any:
    capsys.readouterr()
    assert mvtui("show", "--json", name) == 0
    return json.loads(capsys.readouterr().out)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def others(state_dir: Path) -> dict[str, int]:
    """Every image but that of `lab`, with its inode."""
    images = [path for path in state_dir.glob("*/*.img") if path.parent.name != "lab"]
    return {str(path): path.stat().st_ino for path in images}


def test_reset_and_undone(state_dir: Path, mvtui: Mvtui, capsys: pytest.CaptureFixture[str]) -> None:
    image, untouched = state_dir / "lab" / IMAGE, others(state_dir)
    before, full = image.stat(), digest(image)
    assert mvtui("reset", "--dry-run", "lab") == 0
    assert mvtui("reset", "--yes", "lab") == 0
    after, facts = image.stat(), read_image(image.parent, IMAGE)
    assert (after.st_size, after.st_uid, after.st_gid, after.st_mode) == (
        before.st_size,
        before.st_uid,
        before.st_gid,
        before.st_mode,
    )
    assert after.st_ino != before.st_ino
    assert (facts.fs_type, (facts.fill_percent or 100) < 50) == ("ext4", True)
    [kept] = shown(mvtui, capsys, "lab")["overlay"]["kept"]
    assert (digest(Path(kept["path"])), kept["size"]) == (full, before.st_size)

    assert mvtui("restore", "lab") == 0
    assert (digest(image), image.stat().st_ino) == (full, before.st_ino)
    assert mvtui("restore", "lab") == 0
    assert image.stat().st_ino == after.st_ino

    assert mvtui("reset", "--yes", "--discard", "lab") == 0
    assert shown(mvtui, capsys, "lab")["overlay"]["kept"] == []
    assert mvtui("restore", "lab") == 3
    assert "nothing is set aside" in capsys.readouterr().err
    assert others(state_dir) == untouched


def test_at_a_terminal_somebody_is_asked(state_dir: Path) -> None:
    image = state_dir / "lab" / IMAGE
    before = image.stat().st_ino
    options = ["--manager", "direct", "--state-dir", str(state_dir)]
    for answer, code, says in (("n\r", 3, "nothing was done"), ("y\r", 0, "lab: the overlay is reset")):
        assert image.stat().st_ino == before
        with TerminalProgram(["-m", "mvtui", "reset", "lab", *options], pipe=False) as program:
            program.see("? [y/N]")
            program.type(answer)
            program.see(says)
            assert program.end() == code
    assert image.stat().st_ino != before


def test_one_that_runs_is_refused_and_then_started_afresh(
    state_dir: Path, mvtui: Mvtui, capsys: pytest.CaptureFixture[str]
) -> None:
    image = state_dir / "web" / IMAGE
    before = image.stat().st_ino
    for argv in (("reset", "--yes", "web"), ("start", "--fresh", "web"), ("restore", "web")):
        assert mvtui(*argv) == 3
        said = capsys.readouterr().err
        assert "mvtui stop web" in said or "nothing is set aside" in said
    assert image.stat().st_ino == before
    assert shown(mvtui, capsys, "web")["state"] == "running"
    assert mvtui("stop", "web") == 0
    assert mvtui("start", "--fresh", "web") == 0
    assert image.stat().st_ino != before
    web = shown(mvtui, capsys, "web")
    assert (web["state"], len(web["overlay"]["kept"])) == ("running", 1)


def test_several_of_which_one_runs(state_dir: Path, mvtui: Mvtui, capsys: pytest.CaptureFixture[str]) -> None:
    before = (state_dir / "lab" / IMAGE).stat().st_ino
    assert mvtui("reset", "--yes", "--json", "build", "mail", "lab") == 3
    resets = json.loads(capsys.readouterr().out)["resets"]
    assert [(reset["microvm"], reset["result"]) for reset in resets] == [
        ("build", "refused"),
        ("mail", "nothing"),
        ("lab", "done"),
    ]
    assert (state_dir / "lab" / IMAGE).stat().st_ino != before


def test_armed_once(state_dir: Path, mvtui: Mvtui, capsys: pytest.CaptureFixture[str]) -> None:
    image = state_dir / "ci" / IMAGE
    before = image.stat().st_ino
    assert mvtui("arm", "ci", "--once") == 0
    assert shown(mvtui, capsys, "ci")["armed"] == "once"
    assert mvtui("restart", "ci") == 0
    assert (after := image.stat().st_ino) != before
    until(lambda: shown(mvtui, capsys, "ci")["armed"] is None, "it stays armed")
    assert mvtui("restart", "ci") == 0
    assert image.stat().st_ino == after


def test_a_stranger_may_do_none_of_it(state_dir: Path, mvtui: Mvtui, capsys: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become a stranger")
    shown(mvtui, capsys, "lab")  # what is imported now need not be later, without rights
    mvtui("arm", "lab", "--off")
    mvtui("reset", "--dry-run", "lab")
    capsys.readouterr()
    os.seteuid(STRANGER)
    try:
        for argv in (
            ("reset", "--dry-run", "lab"),
            ("reset", "--yes", "lab"),
            ("reset", "--yes", "--discard", "lab"),
            ("restore", "lab"),
            ("start", "--fresh", "lab"),
            ("arm", "lab", "--once"),
        ):
            assert mvtui(*argv) == 77, argv
            assert "sudo" in capsys.readouterr().err
    finally:
        os.seteuid(0)


def test_nothing_of_it_is_left_on_record() -> None:
    need("mkfs.ext4")
    with open_folder() as folder:
        made = host.up(folder / "demo", lambda _: None)
        options = ["--manager", "direct", "--state-dir", str(made.state_dir)]
        assert run(["reset", "--yes", "lab", *options]) == 0
        assert run(["arm", "lab", "--always", *options]) == 0
        records = records_of(made.state_dir)
        assert (records / "history.jsonl").exists()
        host.down(folder / "demo")
        assert not records.exists()
        assert list(folder.iterdir()) == []
