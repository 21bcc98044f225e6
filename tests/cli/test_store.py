"""`mvtui make-writable` and `mvtui share-store`, in-process: what they show, write and refuse."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run
from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.records import forget_records
from mvtui.model.definition import Definition
from tests.host.state_dirs import fresh_state_dir, without_rights

Capture = pytest.CaptureFixture[str]
TEXT = "# web\nmem = 512  # MiB\n"
WRITABLE = (
    TEXT.rstrip("\n")
    + """
writableStoreOverlay = "/nix/.rw-store"

[[volumes]]
image = "nix-store-overlay.img"
mountPoint = "/nix/.rw-store"
size = 64
"""
)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """With the microVM `web` and its definition file."""
    with fresh_state_dir() as made:
        tools = Tools(hypervisor="/bin/qemu-system-x86_64", store_disk="/disk")
        runner = build_runner(Definition(host_name="web"), made.parent / "runner", tools)
        (made / "web").mkdir()
        (made / "web" / "current").symlink_to(runner)
        file_of(made).parent.mkdir()
        file_of(made).write_text(TEXT)
        try:
            yield made
        finally:
            forget_records(made)


def file_of(state_dir: Path) -> Path:
    return state_dir.parent / "definitions" / "web.toml"


def mvtui(state_dir: Path, *words: str) -> int:
    return run(["--state-dir", str(state_dir), "--manager", "direct", *words])


def test_a_dry_run_shows_it_alone(state_dir: Path, capsys: Capture) -> None:
    assert mvtui(state_dir, "make-writable", "web", "--size", "64", "--dry-run") == 0
    out = capsys.readouterr().out
    assert out.startswith("the store of web becomes writable:\n  nix-store-overlay.img is made at the next start")
    assert '\n+writableStoreOverlay = "/nix/.rw-store"\n' in out
    assert file_of(state_dir).read_text() == TEXT
    assert mvtui(state_dir, "--read-only", "share-store", "web", "--dry-run") == 0


def test_it_is_saved(state_dir: Path, capsys: Capture) -> None:
    assert mvtui(state_dir, "make-writable", "web", "--size", "64", "--yes") == 0
    assert file_of(state_dir).read_text() == WRITABLE
    out = capsys.readouterr().out
    assert f"saved {file_of(state_dir)}\n" in out
    assert out.endswith("  Rebuild: microvm -u web.\n")
    assert mvtui(state_dir, "share-store", "web", "--yes") == 0
    assert "No store disk is built any more" in capsys.readouterr().out
    assert 'source = "/nix/store"\n' in file_of(state_dir).read_text()
    assert run(["validate", str(file_of(state_dir))]) == 0


@pytest.mark.parametrize("verb", ["make-writable", "share-store"])
def test_json(state_dir: Path, capsys: Capture, verb: str) -> None:
    assert mvtui(state_dir, verb, "web", "--yes", "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    keys = {"schema", "name", "path", "written", "what", "words", "text", "diff", "follows", "findings"}
    assert set(document) == keys
    assert document["written"] is True
    assert document["text"] == file_of(state_dir).read_text() != TEXT


def _no_file(state_dir: Path) -> None:
    file_of(state_dir).unlink()


def _nine_p(state_dir: Path) -> None:
    share = '\n[[shares]]\ntag = "a"\nsource = "/srv"\nmountPoint = "/nix/.rw-store"\n'
    file_of(state_dir).write_text(TEXT + share)


def _writable(state_dir: Path) -> None:
    file_of(state_dir).write_text(WRITABLE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_no_file, "web has no definition file"),
        (_nine_p, "9p can't be the upper layer of an overlay"),
        (_writable, "writable already"),
    ],
)
def test_what_can_not_work_is_refused(
    state_dir: Path, capsys: Capture, change: Callable[[Path], None], words: str
) -> None:
    change(state_dir)
    before = file_of(state_dir).read_text() if file_of(state_dir).exists() else None
    for mode in ("--yes", "--dry-run"):
        assert mvtui(state_dir, "make-writable", "web", "--size", "64", mode) == 3
        assert words in capsys.readouterr().err
    assert (file_of(state_dir).read_text() if file_of(state_dir).exists() else None) == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["make-writable", "web"], 3, "this is no terminal, so nobody can be asked"),
        (["share-store", "web", "--json"], 3, "with --json nobody is asked"),
        (["--read-only", "share-store", "web", "--yes"], 3, "share-store is refused: --read-only"),
        (["share-store", "wbe", "--yes"], 1, "there is no microVM 'wbe'"),
        (["make-writable", "web", "--size", "0", "--yes"], 64, "takes a number of MiB, not '0'"),
        (["make-writable", "web", "--size", "1G", "--yes"], 64, "takes a number of MiB, not '1G'"),
        (["make-writeable", "web"], 64, "there is no verb 'make-writeable'"),
    ],
)
def test_a_wrong_command(state_dir: Path, capsys: Capture, words: list[str], code: int, told: str) -> None:
    assert mvtui(state_dir, *words) == code
    assert told in capsys.readouterr().err
    assert file_of(state_dir).read_text() == TEXT


def test_without_rights(state_dir: Path, capsys: Capture) -> None:
    file_of(state_dir).parent.chmod(0o755)
    if os.geteuid() != 0:
        file_of(state_dir).parent.chmod(0o555)
    with without_rights():
        assert mvtui(state_dir, "share-store", "web", "--yes") == 77
    file_of(state_dir).parent.chmod(0o755)
    assert "permission denied" in capsys.readouterr().err
    assert file_of(state_dir).read_text() == TEXT
