"""What `demo --up` and `demo --down` refuse, and leave as it is."""

import os
from pathlib import Path

import pytest

from mvtui.demo import host
from mvtui.errors import MvtuiError


def test_refuses_a_directory_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(MvtuiError, match="is not empty"):
        host.up(tmp_path, lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["a b", "a,b", "a'b", "a\nb"])
def test_refuses_a_path_that_scripts_would_have_to_quote(tmp_path: Path, name: str) -> None:
    with pytest.raises(MvtuiError, match="not plain enough"):
        host.up(tmp_path / name, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_refuses_what_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "missing" / "demo"):
        with pytest.raises(MvtuiError, match=r"Not a directory|No such file"):
            host.up(path, lambda _: None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the hypervisors as somebody else")
def test_root_needs_a_directory_that_others_can_reach(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(MvtuiError, match="can't enter"):
        host.up(tmp_path / "demo", lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_down_refuses_what_is_no_demo(tmp_path: Path) -> None:
    with pytest.raises(MvtuiError, match="is no demo"):
        host.down(tmp_path)
    with pytest.raises(MvtuiError, match="is no demo"):
        host.down(tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "directory: Field required"),
        ("nonsense", "Expected '='"),
        ("format = 2", "format"),
        ('format = 1\ndirectory = "/elsewhere"\nmade_directory = true\nstarted = 2026-01-01T00:00:00Z\n', "was moved"),
        ('directory = "/x"\nmade_directory = true\nstarted = 2026-01-01T00:00:00Z\nremove = ["/"]\n', "remove"),
        ("\xff", "is not what"),
    ],
)
def test_down_refuses_a_marker_that_it_did_not_write(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "demo.toml").write_bytes(text.encode("latin-1"))
    (tmp_path / "microvms").mkdir()
    with pytest.raises(MvtuiError, match=why):
        host.down(tmp_path)
    assert (tmp_path / "microvms").is_dir()


def test_down_follows_no_link_to_a_marker(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").symlink_to("/etc/passwd")
    with pytest.raises(MvtuiError, match=r"demo\.toml"):
        host.down(tmp_path)
