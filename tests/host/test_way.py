import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mvtui.host.way import Way

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to others")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def way_of(root: Path, path: str) -> tuple[str, tuple[int, int] | None, bool]:
    """What is missing, what is at its end, whether a link was planted."""
    before = open_files()
    with Way(path, root) as way:
        status = os.fstat(way.end) if way.end is not None else None
        told = way.missing, (status.st_dev, status.st_ino) if status is not None else None, way.planted
    assert open_files() == before
    return told


def file_id(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("")
    return tmp_path


@pytest.mark.parametrize("path", ["/a/b", "/a/b/", "//a/./b", "/a/b/../b", "/../../a/b", "/to_b", "/a/to_b", "/over"])
def test_it_ends_there(root: Path, path: str) -> None:
    (root / "to_b").symlink_to("a/b")
    (root / "a/to_b").symlink_to("/a/b")
    (root / "over").symlink_to("/a/to_b/../../../to_b")
    assert way_of(root, path) == ("", file_id(root / "a/b"), False)


def test_root_itself_and_a_file(root: Path) -> None:
    assert way_of(root, "/") == ("", file_id(root), False)
    assert way_of(root, "/a/b/file") == ("", file_id(root / "a/b/file"), False)


@pytest.mark.parametrize(
    ("path", "missing", "last"),
    [("/x", "/x", True), ("/a/x", "/a/x", True), ("/a/x/y", "/a/x", False), ("/gone", "/a/none", True)],
)
def test_what_is_missing(root: Path, path: str, missing: str, last: bool) -> None:
    (root / "gone").symlink_to("a/none")
    with Way(path, root) as way:
        assert (way.end, way.missing, way.missing_last) == (None, missing, last)
        assert os.fstat(way.nearest).st_ino == (root / missing.lstrip("/")).parent.stat().st_ino


def test_directories_that_are_searched(root: Path) -> None:
    (root / "link").symlink_to("a/b")
    with Way("/link/file", root) as way:
        assert [place for place, _ in way.searched] == ["/", "/", "/a", "/a/b"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/loop", OSError),
        ("/a/b/file/x", NotADirectoryError),
        ("/a\0b", ValueError),
        ("/" + "x" * 300, OSError),
        ("/turn" * 200, OSError),
        ("/deep", OSError),
    ],
)
def test_no_way(root: Path, path: str, error: type[Exception]) -> None:
    (root / "loop").symlink_to("loop")
    (root / "turn").symlink_to(".")
    (root / "deep").symlink_to("/" + "a/../" * 400 + "deep")
    before = open_files()
    with pytest.raises(error), Way(path, root):
        pass
    assert open_files() == before


def _give_link(root: Path) -> None:
    os.lchown(root / "link", 54321, 54321)


def _give_directory(root: Path) -> None:
    os.chown(root, 54321, 54321)


def _give_nothing(_: Path) -> None:
    pass


@as_root
@pytest.mark.parametrize(("give", "planted"), [(_give_link, True), (_give_directory, True), (_give_nothing, False)])
def test_links_of_others(root: Path, give: Callable[[Path], None], planted: bool) -> None:
    (root / "link").symlink_to("a")
    give(root)
    assert way_of(root, "/link/b")[2] is planted
    assert way_of(root, "/a/b")[2] is False
