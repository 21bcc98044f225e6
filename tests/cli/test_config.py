"""`mvtui config`, and what the configuration means to the other verbs."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli import plain
from mvtui.cli.arguments import parse
from mvtui.cli.early import panel_state_dir
from mvtui.cli.glyphs import Glyphs
from mvtui.cli.looking import host_of
from mvtui.cli.run import run
from mvtui.host import configuration_files
from mvtui.model.settings import OPTIONS, is_right
from mvtui.model.settings_text import toml_value
from mvtui.model.settings_types import wrong_in
from tests.host.state_dirs import fresh_state_dir

Capture = pytest.CaptureFixture[str]

need_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root does")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the host's file would be."""
    path = tmp_path / "etc/mvtui/config.toml"
    monkeypatch.setattr(configuration_files, "HOST_FILE", str(path))
    return path


@pytest.fixture
def own(host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the person's would be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SUDO_UID", raising=False)
    return tmp_path / "home/mvtui/config.toml"


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with fresh_state_dir() as made:
        (made / "web").mkdir()
        yield made


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def document(capsys: Capture, *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run([*argv, "config", "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_every_value_says_where_it_comes_from(
    host: Path, own: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(host, 'theme = "light"\nssh_user = "ann"\n\n[keys]\nstop = "X"\n')
    write(own, '# own\nssh_user = "bob"\n')
    monkeypatch.setenv("MVTUI_MOUSE", "off")
    assert run(["--interval", "5", "config", "--read-only"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["OPTION", "VALUE", "FROM"],
        ["state_dir", '"/var/lib/microvms"', "default"],
        ["definitions", '"/etc/nixos/microvms"', "default"],
        ["manager", '"auto"', "default"],
        ["read_only", "true", "--read-only"],
        ["interval", "5.0", "--interval"],
        ["theme", '"light"', f"{host}:1"],
        ["ascii", '"auto"', "default"],
        ["mouse", '"off"', "MVTUI_MOUSE"],
        ["ssh_user", '"bob"', f"{own}:2"],
        ["keys.stop", '["X"]', f"{host}:5"],
        [],
        ["FILE"],
        [str(host), "read"],
        [str(own), "read"],
    ]  # fmt: skip


def test_the_document(host: Path, own: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    write(host, 'thme = "light"\n[keys]\nstop = ["X", "^x"]\n')
    monkeypatch.setenv("MVTUI_THEM", "dark")
    monkeypatch.setenv("MVTUI_STATE_DIR", "/vms")
    told = document(capsys, code=78)
    assert told["schema"] == 1
    assert told["files"] == [{"path": str(host), "state": "wrong"}, {"path": str(own), "state": "none"}]
    options = {each.pop("name"): each for each in told["options"]}
    assert [*options] == [*(option.name for option in OPTIONS if option.name != "keys"), "keys.stop"]
    assert options["state_dir"] == {"value": "/vms", "source": "variable", "place": "MVTUI_STATE_DIR"}
    assert options["definitions"] == {"value": "/definitions", "source": "default", "place": None}
    assert options["keys.stop"] == {"value": ["X", "^x"], "source": "file", "place": f"{host}:3"}
    problem = {"place": f"{host}:1", "what": "there is no option thme", "fix": "did you mean theme?"}
    assert told["problems"] == [problem]
    assert told["notes"] == ["MVTUI_THEM is no variable of mvtui's (did you mean MVTUI_THEME?)"]
    told = document(capsys, "--no-config")
    assert (told["files"], told["problems"]) == ([], [])


def test_themes_that_cannot_be_used_are_told(own: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    write(own, '\ntheme = "mien"\n')
    write(own.parent / "themes/mine.toml", '[colours]\nruning = "#ffffff"\n')
    write(own.parent / "themes/pale.toml", '[colours]\n\ndim = "#767676"\n')
    assert run(["config"]) == 78
    assert capsys.readouterr().out.splitlines()[-3:] == [
        f'Wrong: {own.parent}/themes/mine.toml:2: colours.runing: there is no such key (did you mean "running"?)',
        f"Wrong: {own}:2: there is no theme 'mien' (did you mean \"mine\"?)",
        f"Note: {own.parent}/themes/pale.toml: colours.dim: contrast 2.5 to cursor, and 3 more "
        "(4.5 is what text needs (WCAG AA))",
    ]
    monkeypatch.setenv("MVTUI_THEME", "pale")
    told = document(capsys, code=78)
    assert [problem["place"] for problem in told["problems"]] == [f"{own.parent}/themes/mine.toml:2"]
    (own.parent / "themes/mine.toml").unlink()
    assert document(capsys)["problems"] == []


@pytest.mark.parametrize(
    "argv", [words.split() for words in ("list", "check", "show web", "start web", "logs web", "ssh web")]
)
def test_what_is_wrong_ends_verbs_unless_they_go_without(
    argv: list[str], own: Path, state_dir: Path, capsys: Capture
) -> None:
    write(own, "read_onyl = true\n")
    where = ["--state-dir", str(state_dir), "--manager", "direct"]
    assert run([*where, *argv]) == 78
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"mvtui: {own}:1: there is no option read_onyl\n"
        "  did you mean read_only?; mvtui --no-config … goes without configuration files\n"
    )
    assert run([*where, "--no-config", *argv]) != 78
    assert "read_onyl" not in capsys.readouterr().err


def test_what_needs_no_host_needs_no_configuration(own: Path, tmp_path: Path, capsys: Capture) -> None:
    write(own, "x")
    (tmp_path / "web.toml").write_text("")
    for argv in (["completion", "bash"], ["validate", str(tmp_path / "web.toml")], ["config", "--print"]):
        assert run(argv) == 0
    assert capsys.readouterr().err == ""


def test_read_only_is_said_to_stand_in_a_file(own: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    write(own, "read_only = true\n")
    assert run(["start", "web"]) == 3
    assert f"start is refused: read_only in {own}\n  --no-read-only allows it" in capsys.readouterr().err
    monkeypatch.setenv("MVTUI_READ_ONLY", "1")
    assert run(["stop", "web"]) == 3
    assert "stop is refused: read_only in MVTUI_READ_ONLY" in capsys.readouterr().err
    assert run(["stop", "--no-read-only", "--state-dir", "/nowhere", "web"]) == 1


def test_an_armed_reset_goes_on_past_a_slip_and_is_read_only_by_its_own_flag(
    own: Path, state_dir: Path, capsys: Capture
) -> None:
    """Else a file that has nothing to do with it would keep microVMs from starting."""
    write(own, "read_only = true\nthme = 1\n")
    where = ["--state-dir", str(state_dir), "--manager", "direct"]
    assert run(["reset", "--free", *where, "web"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"mvtui: {own}:2: there is no option thme (did you mean theme?)"
    assert said[1].endswith("is no microVM: an empty directory")
    assert run(["reset", "--free", "--read-only", *where, "web"]) == 3
    assert run(["reset", "--dry-run", *where, "web"]) == 78


def test_the_host_of_the_configuration(host: Path, own: Path, tmp_path: Path) -> None:
    write(own, 'definitions = "/chosen"')
    found = host_of(parse(["--manager", "direct", "list"]))
    assert (found.definitions, found.options) == (Path("/chosen"), ("--definitions", "/chosen"))
    assert host_of(parse(["--manager", "direct", "--definitions", "/said", "list"])).definitions == Path("/said")
    elsewhere = host_of(parse(["--manager", "direct", "list", "--state-dir", str(tmp_path / "vms")]))
    assert elsewhere.definitions == tmp_path / "definitions"
    assert elsewhere.programs == tmp_path / "bin"
    write(host, f'state_dir = "{tmp_path}/vms"\nmanager = "direct"')
    write(own, "")
    of_files = host_of(parse(["list"]))
    assert of_files.state_dir == tmp_path / "vms"
    assert (of_files.definitions, of_files.programs) == (Path("/etc/nixos/microvms"), None)
    assert of_files.options == ("--definitions", "/etc/nixos/microvms")
    # Commands for the same host, by sudo, must not stumble over what this one went around.
    around = host_of(parse(["--manager", "direct", "--no-config", "list", "--no-read-only"]))
    assert around.options == ("--no-config", "--no-read-only")
    assert host_of(parse(["--state-dir", "/", "--read-only", "list"])).options == ()


def test_init_writes_a_file_that_is_valid_as_it_is_and_without_its_hashes(own: Path, capsys: Capture) -> None:
    assert run(["config", "--init"]) == 0
    assert capsys.readouterr().out == f"written: {own}, with every option commented out\n"
    assert oct(own.parent.parent.stat().st_mode)[-3:] == "700"
    assert oct(own.stat().st_mode)[-3:] == "644"
    text = own.read_text()
    assert max(map(len, text.splitlines())) <= 120
    assert tomllib.loads(text) == {"keys": {}}
    told = document(capsys)
    assert {each["source"] for each in told["options"]} == {"default"}
    bare = "\n".join(line.removeprefix("#") if line[1:2] != " " else line for line in text.splitlines())
    values = tomllib.loads(bare)
    assert set(values) == {option.name for option in OPTIONS}
    assert is_right(values)
    assert wrong_in(values) == []
    for option in OPTIONS:
        assert option.words in text
        if option.name not in ("definitions", "keys"):
            assert values[option.name] == option.default
            assert option.variable in text
            assert option.flag in text
    own.write_text(bare)
    assert run(["config"]) == 0


def test_init_never_overwrites(own: Path, tmp_path: Path, capsys: Capture) -> None:
    write(own, "# mine\n")
    assert run(["config", "--init"]) == 3
    assert "is there already, and stays as it is\n  mvtui config --print shows" in capsys.readouterr().err
    assert own.read_text() == "# mine\n"
    own.unlink()
    own.symlink_to(tmp_path / "target")
    assert run(["config", "--init"]) == 3
    assert not (tmp_path / "target").exists()


def test_a_host_that_is_read_only_lets_people_choose(host: Path, own: Path, capsys: Capture) -> None:
    write(host, "read_only = true\nthme = 1\n")
    assert run(["config", "--init"]) == 0
    assert own.exists()
    capsys.readouterr()
    assert run(["config", "--no-read-only"]) == 78
    assert ["read_only", "false", "--no-read-only"] in map(str.split, capsys.readouterr().out.splitlines())


def test_init_of_the_host(host: Path, own: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["config", "--init", "--system"]) == 0
    assert oct(host.parent.stat().st_mode)[-3:] == "755"
    assert run(["config", "--print"]) == 0
    assert capsys.readouterr().out.endswith(host.read_text())
    assert not own.exists()


@need_root
def test_root_by_sudo_writes_no_file_into_a_home(own: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "4711")
    assert run(["config", "--init"]) == 3
    assert "your own configuration is not written by root" in capsys.readouterr().err
    assert not own.exists()


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["--init", "--print"], 64, "not allowed with argument"),
        (["--system"], 64, "--system goes with --init"),
        (["--init", "--json"], 64, "--json goes without"),
        (["--init", "--read-only"], 3, "config --init is refused: --read-only"),
        (["web"], 64, "unrecognized arguments: web"),
        (["--int"], 64, 'did you mean "--init"?'),
    ],
)
def test_what_is_refused(argv: list[str], code: int, said: str, own: Path, capsys: Capture) -> None:
    assert run(["config", *argv]) == code
    assert said in capsys.readouterr().err
    assert not own.exists()


def test_a_folder_that_cannot_be_made(own: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "home").write_text("a file")
    assert run(["config", "--init"]) == 1
    assert "can't be made: " in capsys.readouterr().err


def test_text_from_files_is_shown_clean(own: Path, capsys: Capture) -> None:
    write(own, '"\\u001b[2J" = 1\n[keys]\n"\\u001b]52;c;x" = "a"\n"[/red]" = "\\""\n')
    assert run(["config"]) == 78
    said = capsys.readouterr().out
    assert all(char.isprintable() for line in said.split("\n") for char in line)
    assert "keys.[/red]" in said
    assert '["\\""]' in said


@pytest.mark.parametrize(
    ("text", "argv", "environ", "state_dir"),
    [
        ("", [], {}, "/var/lib/microvms"),
        ('theme = "dark"', [], {}, "/var/lib/microvms"),
        ('state_dir = "/x"', [], {}, None),
        ('state_dir = "/x"', ["--no-config"], {}, "/var/lib/microvms"),
        ('state_dir = "/x"', ["--state-dir", "/y"], {}, "/y"),
        ('state_dir = "/x"', [], {"MVTUI_STATE_DIR": "/z"}, "/z"),
        ("", ["--theme", "dark", "--no-read-only"], {}, "/var/lib/microvms"),
    ],
)
def test_names_are_painted_early_where_it_is_plain_whose(
    text: str,
    argv: list[str],
    environ: dict[str, str],
    state_dir: str | None,
    own: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(own, text)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert panel_state_dir(argv) == state_dir


def test_names_are_not_painted_early_where_a_file_is_none(own: Path) -> None:
    own.mkdir(parents=True)
    assert panel_state_dir([]) is None
    own.rmdir()
    own.symlink_to("loop")
    (own.parent / "loop").symlink_to(own)
    assert panel_state_dir([]) is None
    own.unlink()
    os.mkfifo(own)
    assert panel_state_dir([]) is None  # nothing is read from one, and what is wrong is told later


def test_values_as_toml() -> None:
    for value in (True, 'a"b\\c\n\x7f\U0001f600', 2.0, ["x", "\t"], ()):
        assert tomllib.loads(f"x = {toml_value(value)}")["x"] == (list(value) if isinstance(value, tuple) else value)


def test_a_list_with_a_file_imports_no_pydantic(own: Path, state_dir: Path) -> None:
    write(own, 'theme = "light"\n[keys]\nstop = "X"\n')
    code = (
        "import sys; from mvtui.cli.run import run; code = run(sys.argv[1:]);"
        "print(code, sorted({'pydantic', 'textual', 'tomlkit', 'difflib'} & set(sys.modules)))"
    )
    argv = [sys.executable, "-c", code, "list", "--state-dir", str(state_dir), "--manager", "direct"]
    environ = {**os.environ, "XDG_CONFIG_HOME": str(own.parent.parent)}
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, env=environ)
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize(("locale", "said", "unicode"), [("C.UTF-8", "on", False), ("C", "off", True)])
def test_lists_keep_to_ascii_as_chosen(
    locale: str, said: str, unicode: bool, own: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Glyphs] = []

    def lines(_snapshot: object, glyphs: Glyphs, *_: object) -> list[str]:
        shown.append(glyphs)
        return []

    monkeypatch.setattr(plain, "list_lines", lines)
    monkeypatch.setenv("LC_ALL", locale)
    argv = ["list", "--state-dir", str(state_dir), "--manager", "direct"]
    assert run(argv) == 0
    assert run(["--ascii", said, *argv]) == 0
    write(own, f'ascii = "{said}"')
    assert run(argv) == 0
    assert [glyphs.unicode for glyphs in shown] == [not unicode, unicode, unicode]
