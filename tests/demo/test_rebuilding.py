"""The demo's `microvm -u` and `nixos-rebuild switch` make a new runner of a definition file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.demo import host, rebuilding
from mvtui.demo.runner_tools import Tools
from mvtui.host.runner import read_runner
from mvtui.operations.hosts import open_host
from mvtui.operations.rebuild import _may_run
from tests.demo.demo_folder import need, open_folder

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    need("mkfs.ext4")
    with open_folder() as folder:
        made = host.up(folder / "demo", lambda _: None)
        yield made.state_dir.parent
        host.down(folder / "demo")
        assert os.listdir(folder) == []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "_STEP_SECONDS", 0.0)


def current(demo: Path, name: str) -> str:
    return os.readlink(demo / "microvms" / name / "current")


def change(demo: Path, name: str, before: str, after: str) -> None:
    path = demo / "definitions" / f"{name}.toml"
    path.write_text(path.read_text().replace(before, after))


def test_what_is_unchanged_is_built_already(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = current(demo, "lab")
    assert rebuilding.main([str(demo), "microvm", "-u", "lab"]) == 0
    assert "lab is built already" in capsys.readouterr().out
    assert current(demo, "lab") == before


def test_what_is_changed_is_built_anew(demo: Path) -> None:
    before, owner = current(demo, "lab"), os.lstat(demo / "microvms/lab/current")
    change(demo, "lab", "size = 32", "size = 48")
    assert rebuilding.main([str(demo), "microvm", "-u", "lab"]) == 0
    assert current(demo, "lab") != before
    definition = read_runner(current(demo, "lab")).definition
    assert definition is not None
    assert definition.volumes[0].size == 48
    assert os.lstat(demo / "microvms/lab/current").st_uid == owner.st_uid
    change(demo, "lab", "size = 48", "size = 32")
    assert rebuilding.main([str(demo), "microvm", "-u", "lab"]) == 0
    assert current(demo, "lab") == before


def test_the_host_builds_what_is_fully_declarative(demo: Path) -> None:
    before = {name: current(demo, name) for name in ("web", "build", "lab")}
    change(demo, "web", "readOnly = true", 'readOnly = true\ncache = "always"')
    change(demo, "lab", "readOnly = true", 'readOnly = true\ncache = "always"')
    assert rebuilding.main([str(demo), "nixos-rebuild", "switch"]) == 0
    assert {name for name, runner in before.items() if current(demo, name) != runner} == {"web"}
    assert os.readlink(demo / "microvms/web/toplevel") == f"{current(demo, 'web')}-system"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["microvm", "-u", "web"], "it is built with its host"),
        (["microvm", "-u", "none"], "there is no microVM none"),
        (["microvm", "-u", "../microvms"], "there is no microVM"),
        (["microvm", "-l"], "the demo knows"),
        (["nixos-rebuild", "boot"], "the demo knows"),
    ],
)
def test_what_it_does_not_do(demo: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert rebuilding.main([str(demo), *words]) == 1
    assert said in capsys.readouterr().out


def test_a_wrong_definition_fails_as_nix_does(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = current(demo, "ci")
    change(demo, "ci", "size = 2048", "size = 0")
    assert rebuilding.main([str(demo), "microvm", "-u", "ci"]) == 1
    assert "error: Failed assertions: " in capsys.readouterr().out
    change(demo, "ci", "size = 0", "size = 2048")
    assert current(demo, "ci") == before


def test_one_that_was_killed_half_way_is_built_whole(demo: Path) -> None:
    before = current(demo, "lab")
    (Path(before) / "share/microvm/hypervisor").unlink()
    change(demo, "lab", 'cache = "always"\n', "")
    assert rebuilding.main([str(demo), "microvm", "-u", "lab"]) == 0
    assert read_runner(before).problems == ()


def test_the_demos_own_programs_are_those_that_run(demo: Path) -> None:
    programs = open_host(demo / "microvms", "direct").programs
    assert programs == demo / "bin"
    assert all(_may_run(programs / name) for name in rebuilding.PROGRAMS)
    done = subprocess.run([programs / "microvm", "-u", "none"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "error: there is no microVM none\n")


def test_the_program_finds_its_modules_where_this_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start of nixpkgs' adds to sys.path what its Python, without it, does not have."""
    monkeypatch.setattr(sys, "executable", getattr(sys, "_base_executable", sys.executable))
    (tmp_path / "nix").mkdir()
    rebuilding.install_programs(tmp_path, Tools(hypervisor="/none"))
    done = subprocess.run([tmp_path / "bin/microvm", "-u", "none"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "error: there is no microVM none\n"), done.stderr
