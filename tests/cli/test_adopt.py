"""`mvtui adopt`, in-process: what it writes, what it refuses, and whatever stands in its way."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run
from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.records import forget_records
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.cli.test_bad_input import MARKUP, NAMES
from tests.host.state_dirs import fresh_state_dir, without_rights

Capture = pytest.CaptureFixture[str]
WEB = Definition(
    host_name="web",
    shares=(Share("docs", ShareProto.NINE_P, "/docs", "/docs"),),
    volumes=(Volume("a.img", mount_point="/var", size=64),),
)
TEXT = """\
# What web has of its host. Nix reads it: microvm = lib.importTOML ./web.toml;

[[shares]]
tag = "docs"
source = "/docs"
mountPoint = "/docs"

[[volumes]]
image = "a.img"
mountPoint = "/var"
size = 64
"""


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """With the microVM `web`; its definitions are to be made beside it."""
    with fresh_state_dir() as made:
        add(made, "web")
        try:
            yield made
        finally:
            forget_records(made)


def add(state_dir: Path, name: str, definition: Definition = WEB) -> Path:
    place = state_dir.parent / f"runner-{len(os.listdir(state_dir))}"
    runner = build_runner(definition, place, Tools(hypervisor="/bin/qemu-system-x86_64", store_disk="/disk"))
    (state_dir / name).mkdir()
    (state_dir / name / "current").symlink_to(runner)
    return runner


def adopt(state_dir: Path, *words: str, name: str = "web") -> int:
    return run(["adopt", *words, "--manager", "direct", "--state-dir", str(state_dir), "--", name])


def file_of(state_dir: Path, name: str = "web") -> Path:
    return state_dir.parent / "definitions" / f"{name}.toml"


def test_it_writes_the_file_and_says_what_to_do_then(state_dir: Path, capsys: Capture) -> None:
    assert adopt(state_dir) == 0
    assert file_of(state_dir).read_text() == TEXT
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == [f"wrote {file_of(state_dir)}", "", "  microvm = lib.importTOML ./web.toml;"]
    assert out[4].startswith(f"Put the line of Nix into a module in {file_of(state_dir).parent}")
    assert run(["validate", str(file_of(state_dir))]) == 0


def test_it_overwrites_nothing(state_dir: Path, capsys: Capture) -> None:
    file_of(state_dir).parent.mkdir()
    file_of(state_dir).write_text("mine = 1\n")
    assert adopt(state_dir) == 3
    assert file_of(state_dir).read_text() == "mine = 1\n"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"there is a definition already: {file_of(state_dir)}" in captured.err
    assert "mvtui adopt --print" in captured.err


def test_print_writes_nothing_also_where_there_is_a_file_and_read_only(state_dir: Path, capsys: Capture) -> None:
    for _ in range(2):
        assert adopt(state_dir, "--print", "--read-only") == 0
        captured = capsys.readouterr()
        assert captured.out == TEXT
        assert "  microvm = lib.importTOML ./web.toml;" in captured.err
        file_of(state_dir).parent.mkdir(exist_ok=True)
        file_of(state_dir).write_text("mine = 1\n")
    assert adopt(state_dir, "--read-only") == 3
    assert file_of(state_dir).read_text() == "mine = 1\n"


def test_json(state_dir: Path, capsys: Capture) -> None:
    assert adopt(state_dir, "--json", "--print") == 0
    shown = json.loads(capsys.readouterr().out)
    assert adopt(state_dir, "--json") == 0
    written = json.loads(capsys.readouterr().out)
    assert written == {**shown, "written": True}
    assert (written["schema"], written["name"], written["path"]) == (1, "web", str(file_of(state_dir)))
    assert (written["text"], written["nix"]) == (TEXT, "microvm = lib.importTOML ./web.toml;")
    assert written["findings"] == []
    assert len(written["notes"]) == 1


def test_definitions_is_where_it_is_written(state_dir: Path, tmp_path: Path) -> None:
    assert adopt(state_dir, "--definitions", str(tmp_path)) == 0
    assert (tmp_path / "web.toml").read_text() == TEXT
    assert not file_of(state_dir).exists()


def test_what_is_built_and_wrong_is_written_with_exit_code_2(state_dir: Path, capsys: Capture) -> None:
    label = Volume("a.img", mount_point="/var", size=64, label="a label that is too long")
    add(state_dir, "bad", Definition(volumes=(label,)))
    assert adopt(state_dir, name="bad") == 2
    assert "volumes[0].label" in capsys.readouterr().out
    assert file_of(state_dir, "bad").exists()


def test_in_a_git_flake_the_fix_makes_nix_see_it(state_dir: Path, capsys: Capture) -> None:
    top = state_dir.parent
    (top / "flake.nix").write_text("{}")
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    assert adopt(state_dir, "--json") == 0
    finding = json.loads(capsys.readouterr().out)["findings"][-1]
    assert finding["what"] == "git does not track the file, and Nix sees only what git tracks."
    subprocess.run(shlex.split(finding["fix"]), check=True)
    listed = subprocess.run(["git", "-C", str(top), "ls-files"], capture_output=True, text=True, check=True)
    assert listed.stdout == "definitions/web.toml\n"


def test_without_rights(state_dir: Path, capsys: Capture) -> None:
    if os.geteuid() != 0:
        state_dir.parent.chmod(0o555)
    with without_rights():
        code = adopt(state_dir)
    state_dir.parent.chmod(0o755)
    assert code == 77
    assert "can't be saved: permission denied" in capsys.readouterr().err
    assert not file_of(state_dir).exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_name(name: str, state_dir: Path, capsys: Capture) -> None:
    add(state_dir, name)
    if len(name) == 255:  # with .toml it is no file name any more
        assert adopt(state_dir, name=name) == 1
        assert "file name too long" in capsys.readouterr().err
        return
    assert adopt(state_dir, "--print", name=name) == 0
    assert adopt(state_dir, name=name) == 0
    assert file_of(state_dir, name).exists()
    captured = capsys.readouterr()
    assert all(char.isprintable() for line in (captured.out + captured.err).split("\n") for char in line)


def to_nowhere(directory: Path) -> None:
    (directory / "current").unlink()
    (directory / "current").symlink_to("/nowhere")


def without_script(directory: Path) -> None:
    (directory / "current").resolve().joinpath("bin/microvm-run").unlink()


def without_source(directory: Path) -> None:
    """A share is listed, and nothing says what it is."""
    (directory / "current").resolve().joinpath("share/microvm/virtiofs/more").mkdir(parents=True)


def without_fstab(directory: Path) -> None:
    runner = (directory / "current").resolve()
    (runner.with_name(f"{runner.name}-system") / "etc" / "fstab").unlink()


def flake_that_acts(directory: Path) -> None:
    (directory / "flake").write_text(MARKUP)


def flake_is_an_option(directory: Path) -> None:
    (directory / "flake").write_text("--impure")


BAD: dict[str, tuple[Callable[[Path], object], list[str], int, str]] = {
    "current is dangling": (to_nowhere, [], 3, "has no runner that can be read"),
    "no script": (without_script, [], 2, "can't be read whole"),
    "no virtiofsd": (without_source, [], 2, "can't be read whole"),
    "no fstab": (
        without_fstab,
        [],
        2,
        "does not tell writableStoreOverlay, shares[0].mountPoint, volumes[0].mountPoint",
    ),
    "no nix": (flake_that_acts, ["--eval"], 1, "can't be asked of Nix|there is no nix here|nix eval failed"),
    "an option": (flake_is_an_option, ["--eval"], 1, "can't be asked of Nix"),
    "nobody knows the flake": (lambda _: None, ["--eval"], 3, "the flake of web is not known"),
}


@pytest.mark.parametrize("key", BAD)
def test_what_can_t_be_adopted(key: str, state_dir: Path, capsys: Capture) -> None:
    make, words, code, said = BAD[key]
    make(state_dir / "web")
    if key == "nobody knows the flake" and Path("/etc/nixos/flake.nix").exists():
        pytest.skip("this host has one")
    assert adopt(state_dir, *words) == code
    captured = capsys.readouterr()
    assert any(each in captured.err for each in said.split("|"))
    assert file_of(state_dir).exists() == (code == 0)
    assert all(char.isprintable() for line in (captured.out + captured.err).split("\n") for char in line)


PLACES: dict[str, tuple[Callable[[Path], Any], int, str]] = {
    "a file": (lambda path: path.write_text(""), 1, "not a directory"),
    "a loop of links": (lambda path: path.symlink_to(path), 1, "too many levels"),
    "a link to nowhere": (lambda path: path.symlink_to("/nowhere/at/all"), 1, "no such file or directory"),
}


@pytest.mark.parametrize("key", PLACES)
def test_whatever_stands_where_the_definitions_should(key: str, state_dir: Path, capsys: Capture) -> None:
    make, code, said = PLACES[key]
    make(file_of(state_dir).parent)
    assert adopt(state_dir) == code
    assert said in capsys.readouterr().err


def test_no_such_microvm(state_dir: Path, capsys: Capture) -> None:
    assert adopt(state_dir, name="wep") == 1
    assert 'did you mean "web"?' in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["list", "show", "adopt"])
def test_what_is_imported(verb: str, state_dir: Path) -> None:
    words = [verb, "--manager", "direct", "--state-dir", str(state_dir), *([] if verb == "list" else ["web"])]
    code = (
        "import sys; from mvtui.cli.run import run; run(sys.argv[1:]);"
        "print([name for name in ('tomlkit', 'textual') if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == ("['tomlkit']" if verb == "adopt" else "[]")
