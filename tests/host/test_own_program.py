"""What root runs at a start, root alone may be able to change."""

import os
import sys
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host import own_program
from mvtui.host.own_program import lasting_argv, own_argv, root_decides

of_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs files of root and of others")
OTHER = 1234


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that root alone can write, all the way."""
    for part in (tmp_path, *tmp_path.parents):
        if not root_decides(str(part)):
            pytest.skip(f"{part} is not root's alone")
    (tmp_path / "bin").mkdir(mode=0o755)
    (tmp_path / "bin/mvtui").write_text("#!/bin/sh\n")
    (tmp_path / "bin/mvtui").chmod(0o755)
    return tmp_path


@of_root
def test_roots_own_file(place: Path) -> None:
    assert root_decides(f"{place}/bin/mvtui")
    assert root_decides(f"{place}/./bin/../bin//mvtui")
    assert not root_decides(f"{place}/bin/none")


@of_root
@pytest.mark.parametrize("what", ["bin/mvtui", "bin"])
def test_what_others_own_or_may_write(place: Path, what: str) -> None:
    os.chown(place / what, OTHER, 0)
    assert not root_decides(f"{place}/bin/mvtui")
    os.chown(place / what, 0, 0)
    for mode in (0o775, 0o757):
        (place / what).chmod(mode)
        assert not root_decides(f"{place}/bin/mvtui")


@of_root
def test_every_link_on_the_way_counts(place: Path) -> None:
    (place / "home").mkdir()
    (place / "home/there").symlink_to(place / "bin")
    (place / "profile").symlink_to("home/there")
    assert root_decides(f"{place}/profile/mvtui")
    os.chown(place / "home", OTHER, 0)
    assert not root_decides(f"{place}/profile/mvtui"), "who owns home can put another link there"


@of_root
def test_in_a_sticky_directory_others_can_replace_only_their_own(place: Path) -> None:
    (place / "bin").chmod(0o1777)
    assert root_decides(f"{place}/bin/mvtui")
    os.chown(place / "bin/mvtui", OTHER, 0)
    assert not root_decides(f"{place}/bin/mvtui")


@of_root
def test_a_loop_of_links_is_nobodys(place: Path) -> None:
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    assert not root_decides(f"{place}/a/mvtui")


def test_what_is_no_script_is_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/mvtui/__main__.py"])
    assert own_argv() == [sys.executable, "-P", "-m", "mvtui"]


@of_root
def test_a_profile_is_named_rather_than_what_is_behind_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "profile").symlink_to("bin")
    monkeypatch.setattr(sys, "argv", [f"{place}/bin/mvtui"])
    monkeypatch.setattr(sys, "path", [str(place)])
    monkeypatch.setattr(sys, "executable", "/bin/sh")
    monkeypatch.setattr(own_program, "__file__", f"{place}/bin/host/own_program.py")
    monkeypatch.setenv("PATH", f"{place}/profile")
    assert lasting_argv() == [f"{place}/profile/mvtui"]
    monkeypatch.setenv("PATH", "/nowhere")
    assert lasting_argv() == [f"{place}/bin/mvtui"]


@of_root
@pytest.mark.parametrize("what", ["program", "python", "modules", "package"])
def test_what_others_can_change_is_refused_by_name(place: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "others").mkdir()
    (place / "others/mvtui").write_text("")
    os.chown(place / "others", OTHER, 0)
    own, others = f"{place}/bin/mvtui", f"{place}/others/mvtui"
    monkeypatch.setattr(sys, "argv", [others if what == "program" else own])
    monkeypatch.setattr(sys, "executable", others if what == "python" else own)
    monkeypatch.setattr(sys, "path", [f"{place}/others" if what == "modules" else str(place)])
    package = place / ("others" if what == "package" else "bin") / "host/own_program.py"
    monkeypatch.setattr(own_program, "__file__", str(package))
    with pytest.raises(MvtuiError, match=f"others than root can change {place}/others") as refused:
        lasting_argv()
    assert "install mvtui where root alone can write" in refused.value.hint
