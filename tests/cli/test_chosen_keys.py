"""Keys in a configuration: `mvtui config` checks them, the panel does not open where they are wrong."""

import json
import tomllib
from pathlib import Path

import pytest

from mvtui.cli.arguments import parse
from mvtui.cli.chosen_keys import keys_of
from mvtui.cli.run import run
from mvtui.cli.settled import chosen_of
from mvtui.host import configuration_files
from mvtui.ui.commands import ALL_COMMANDS
from mvtui.ui.keymap import declared_keys

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The host's and the person's."""
    host, own = tmp_path / "etc/config.toml", tmp_path / "home/mvtui/config.toml"
    for path in (host, own):
        path.parent.mkdir(parents=True)
    monkeypatch.setattr(configuration_files, "HOST_FILE", str(host))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SUDO_UID", raising=False)
    return host, own


def test_keys_of_both_files_are_joined(files: tuple[Path, Path]) -> None:
    host, own = files
    host.write_text('[keys]\nstop = "F5"\nstart = ["^a", "F6"]\n')
    own.write_text("[keys]\nstart = []\n")
    keys = keys_of(chosen_of(parse([])))
    assert keys == {**declared_keys(), "stop": ("f5",), "start": ()}


def test_no_keys_are_not_looked_at(files: tuple[Path, Path]) -> None:
    assert keys_of(chosen_of(parse([]))) == {}


def test_both_files_of_a_key_of_two_commands_are_named(files: tuple[Path, Path], capsys: Capture) -> None:
    host, own = files
    host.write_text('[keys]\nstop = "F5"\n')
    own.write_text('[keys]\nstart = "F5"\nstpo = "F6"\n')
    assert run(["config"]) == 78
    told = capsys.readouterr().out
    assert f"Wrong: {own}:3: there is no command 'stpo' (did you mean \"stop\"?)" in told
    assert f"Wrong: {own}:2: F5 is the key of start and of stop ({host}:2) (" in told
    assert run(["config", "--json"]) == 78
    assert [problem["place"] for problem in json.loads(capsys.readouterr().out)["problems"]] == [f"{own}:3", f"{own}:2"]


def test_a_key_that_ascii_can_t_show_is_noted(files: tuple[Path, Path], capsys: Capture) -> None:
    _, own = files
    own.write_text('[keys]\nstop = ["Ö", "F5"]\nopen = "→"\n')
    assert run(["config"]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Note:")]
    assert notes == [f"Note: {own}:2: stop has the key Ö, which shows as ? where the panel is in ASCII"]
    assert keys_of(chosen_of(parse([])))["stop"] == ("Ö", "f5")


@pytest.mark.parametrize("verb", [[], ["demo"]])
def test_the_panel_does_not_open_where_keys_are_wrong(
    files: tuple[Path, Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch, verb: list[str]
) -> None:
    monkeypatch.setattr("mvtui.cli.early.can_show_panel", lambda: True)
    files[1].write_text('[keys]\nstop = "x"\n')
    assert run(verb) == 78
    said = capsys.readouterr().err
    assert said.startswith(f"mvtui: {files[1]}:2: x is the key of stop and of free (as it comes)")
    assert run(["list", "--state-dir", str(files[0].parent)]) == 0


@pytest.mark.usefixtures("files")
def test_the_file_that_is_written_has_every_command_with_its_keys(capsys: Capture) -> None:
    assert run(["config", "--print"]) == 0
    lines = capsys.readouterr().out.splitlines()
    whole = [line[1:] if line.startswith("#") and not line.startswith("# ") and line != "#" else line for line in lines]
    values = tomllib.loads("\n".join(whole))
    assert values["keys"].keys() == {one.id for one in ALL_COMMANDS}


def test_the_file_that_is_written_can_be_used_as_it_is(files: tuple[Path, Path], capsys: Capture) -> None:
    assert run(["config", "--print"]) == 0
    keys = [line[1:] for line in capsys.readouterr().out.split("[keys]\n")[1].splitlines()]
    files[1].write_text("[keys]\n" + "\n".join(keys))
    assert keys_of(chosen_of(parse([]))) == declared_keys()
