"""Where a definition file is found, and where one is made."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.host.ports import DEFAULT_DEFINITIONS, Host
from mvtui.model.microvm import MicroVM, StateDirEntry
from mvtui.model.state import State, StateWord
from mvtui.operations.definition_place import local_flake
from mvtui.operations.definitions import document_place, find_document
from mvtui.operations.hosts import open_host
from mvtui.operations.lifecycle import sudo_argv
from tests.fakes import FakeProcesses, FakeUnits
from tests.host.state_dirs import NOBODY, fresh_state_dir


@pytest.fixture
def root() -> Iterator[Path]:
    with fresh_state_dir() as state_dir:
        yield state_dir.parent


def host_at(root: Path, definitions: Path = DEFAULT_DEFINITIONS) -> Host:
    """A host below `root`, with the definitions of NixOS."""
    return Host("t", FakeUnits(), FakeProcesses(), Path("/microvms"), root, definitions=definitions)


def web(flake: str | None) -> MicroVM:
    return MicroVM("web", "/microvms/web", State(StateWord.STOPPED, None, ""), StateDirEntry("web", "", flake=flake))


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def test_in_the_definitions_before_the_flake(root: Path) -> None:
    in_flake = write(root / "srv/flake/web.toml")
    host, microvm = host_at(root), web("/srv/flake")
    assert find_document(host, microvm) == in_flake
    own = write(root / "etc/nixos/microvms/web.toml")
    assert find_document(host, microvm) == own == document_place(host, microvm)


@pytest.mark.parametrize(
    "flake",
    [
        "/srv/a flake", "path:/srv/a%20flake", "path:///srv/a%20flake", "git+file:///srv/a%20flake?ref=main&dir=.",
        "file:///srv/a%20flake", "/srv/a flake#x", "git+file:///srv/a%20flake#nixosConfigurations",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["web.toml", "microvms/web.toml"])
def test_flakes_of_this_host(place: str, flake: str, root: Path) -> None:
    path = write(root / "srv/a flake" / place)
    assert find_document(host_at(root), web(flake)) == path


@pytest.mark.parametrize(
    "flake",
    [
        None,
        "",
        "github:a/b",
        "git+ssh://x/srv/flake",
        "srv/flake",
        "./flake",
        "nixpkgs",
        "path:flake",
        "/srv/\0",
        "/srv/%00",
    ],
)
def test_other_flakes(flake: str | None, root: Path) -> None:
    write(root / "srv/flake/web.toml")
    host = host_at(root)
    assert find_document(host, web(flake)) is None
    assert document_place(host, web(flake)) == root / "etc/nixos/microvms/web.toml"


def test_a_dangling_link_is_a_file_that_is_there(root: Path) -> None:
    path = root / "etc/nixos/microvms/web.toml"
    path.parent.mkdir(parents=True)
    path.symlink_to("/nowhere")
    assert find_document(host_at(root), web(None)) == path


def test_a_new_one_is_made_where_the_flake_reads_it(root: Path) -> None:
    (root / "srv/flake").mkdir(parents=True)
    (root / "etc/nixos/microvms").mkdir(parents=True)
    microvm = web("git+file:///srv/flake")
    assert document_place(host_at(root), microvm) == root / "srv/flake/web.toml"
    (root / "srv/flake/microvms").mkdir()
    assert document_place(host_at(root), microvm) == root / "srv/flake/microvms/web.toml"
    # The flake of the host itself has them within; a directory that was asked for is the one.
    assert document_place(host_at(root), web("/etc/nixos")) == root / "etc/nixos/microvms/web.toml"
    assert document_place(host_at(root, Path("/else")), microvm) == root / "else/web.toml"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_a_flake_of_who_may_write_the_flake_s_name_is_no_place_for_root(root: Path) -> None:
    """The `microvm` user would choose what root writes, and where."""
    os.chown(root / "microvms", NOBODY, NOBODY)
    trap = write(root / "microvms/web/flake.d/web.toml").parent
    host, microvm = host_at(root), web("/microvms/web/flake.d")
    assert find_document(host, microvm) is None

    far = write(root / "srv/flake/web.toml")
    assert local_flake(host, web("/srv/flake")) == far.parent
    link = root / "microvms/link"
    link.symlink_to(far.parent)
    os.chown(trap, NOBODY, NOBODY)
    assert find_document(host, web(str(trap)[len(str(root)) :])) is None


def test_definitions_is_absolute_whatever_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_host(tmp_path, "direct", Path("defs")).definitions == tmp_path / "defs"
    assert open_host(tmp_path / "vms", "direct").definitions == tmp_path / "definitions"


def test_a_command_for_this_host_says_where_its_definitions_are(tmp_path: Path) -> None:
    host = open_host(tmp_path, "direct", tmp_path / "defs")
    assert sudo_argv(host, "start", "web")[-4:] == ["--definitions", str(tmp_path / "defs"), "--", "web"]
    assert "--definitions" not in sudo_argv(open_host(tmp_path, "direct"), "start", "web")
