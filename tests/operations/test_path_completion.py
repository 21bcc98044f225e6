import os
import threading
import time
from pathlib import Path

import pytest

from mvtui.host.ports import Host
from mvtui.model.microvm import MicroVM
from mvtui.model.state import State, StateWord
from mvtui.operations import path_completion
from mvtui.operations.path_completion import MOST_NAMES, complete_path
from tests.fakes import FakeProcesses, FakeUnits

WEB = MicroVM("web", "/microvms/web", State(StateWord.STOPPED, None, ""))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for directory in (
        "microvms/web/docs",
        "microvms/web/.mvtui",
        "srv/git/hooks",
        "srv/git-old",
        "srv/.hidden",
        "empty",
    ):
        (tmp_path / directory).mkdir(parents=True)
    for file in ("microvms/web/a.img", "microvms/web/data.img", "srv/git.txt", "srv/bad\nname", "srv/\x1b[31mred"):
        (tmp_path / file).write_text("")
    os.mkfifo(tmp_path / "srv/fifo")
    (tmp_path / "srv/link").symlink_to("/srv/git")
    (tmp_path / "srv/gone").symlink_to("/nowhere")
    os.mkdir(os.fsencode(tmp_path / "srv") + b"/\xff")
    return tmp_path


def complete(root: Path, typed: str, *, directories: bool = False) -> tuple[str, ...]:
    host = Host("hv", FakeUnits(), FakeProcesses(), Path("/microvms"), root)
    return complete_path(host, WEB, typed, directories=directories)


@pytest.mark.parametrize(
    ("typed", "directories", "offered"),
    [
        ("/s", True, ("/srv",)),
        ("/srv/", True, ("/srv/git", "/srv/git-old", "/srv/link")),
        ("/srv/g", True, ("/srv/git", "/srv/git-old")),
        ("/srv/g", False, ("/srv/git", "/srv/git-old", "/srv/git.txt")),
        ("/srv/git-o", True, ("/srv/git-old",)),
        ("/srv/git/h", True, ("/srv/git/hooks",)),
        ("/srv/link", True, ("/srv/link/hooks",)),  # typed whole
        ("/empty", True, ("/empty",)),
        ("/srv/.", True, ("/srv/.hidden",)),
        ("/srv/../s", True, ("/srv/../srv",)),
        ("", False, ("a.img", "data.img", "docs")),
        ("", True, ("docs",)),
        ("d", False, ("data.img", "docs")),
        ("./d", True, ("./docs",)),
        ("docs/", True, ()),
        ("/nowhere/", True, ()),
        ("/srv/git.txt/", True, ()),
        ("/srv/gone/", True, ()),
        ("/srv/b", False, ()),  # a line feed
        ("/srv/\x1b", False, ()),
        ("/s\0", True, ()),
        ("/" + "x" * 5000, True, ()),
        ("~", True, ()),
    ],
)
def test_what_is_offered(root: Path, typed: str, directories: bool, offered: tuple[str, ...]) -> None:
    assert complete(root, typed, directories=directories) == offered


def test_a_large_directory(root: Path) -> None:
    for number in range(3_000):
        (root / f"empty/{number:04}").touch()
    offered = complete(root, "/empty/1")
    assert offered == tuple(f"/empty/{number}" for number in range(1_000, 1_000 + MOST_NAMES))


def test_a_directory_that_can_not_be_read(root: Path) -> None:
    (root / "srv").chmod(0)
    assert complete(root, "/srv/") == () or os.geteuid() == 0
    (root / "srv").chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to others")
def test_no_link_of_others_is_followed(root: Path) -> None:
    (root / "microvms/web/srv").symlink_to("/srv")
    assert complete(root, "srv/g", directories=True) == ("srv/git", "srv/git-old")
    os.lchown(root / "microvms/web/srv", 54321, 54321)
    assert complete(root, "srv/g", directories=True) == ()


def test_a_dead_mount(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def hang(*_: object) -> tuple[str, ...]:
        answer.wait()
        return ()

    monkeypatch.setattr(path_completion, "_names", hang)
    monkeypatch.setattr(path_completion, "COMPLETION_SECONDS", 0.1)
    began = time.monotonic()
    assert complete(root, "/dead/") == ()
    assert time.monotonic() - began < 30
    answer.set()
