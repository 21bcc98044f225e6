"""What is chosen in configuration files and in the environment, and what is wrong with them."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

import pytest

from mvtui.errors import ExitCode
from mvtui.host.configuration import ConfigurationError, chosen, read_configuration
from mvtui.host.configuration_files import configuration_files, own_folder
from mvtui.model.settings import DEFAULTS, Chosen, SourceKind
from tests.host.state_dirs import fresh_state_dir, without_rights

need_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "host.toml", tmp_path / "own.toml"


def of(files: tuple[Path, ...], environ: Mapping[str, str] | None = None, **flags: object) -> Chosen:
    return chosen(read_configuration([str(path) for path in files], environ or {}), flags)


def wrong(files: tuple[Path, ...], environ: Mapping[str, str] | None = None) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        of(files, environ)
    assert caught.value.exit_code is ExitCode.CONFIG
    return caught.value


def test_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/ann/conf")
    assert configuration_files() == ("/etc/mvtui/config.toml", "/home/ann/conf/mvtui/config.toml")
    monkeypatch.setenv("HOME", "/home/ann")
    for none in ("relative", ""):
        monkeypatch.setenv("XDG_CONFIG_HOME", none)
        assert own_folder() == "/home/ann/.config/mvtui"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert own_folder() == "/home/ann/.config/mvtui"


@need_root
def test_who_has_become_root_by_sudo_keeps_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("SUDO_UID", str(nobody.pw_uid))
    assert own_folder() == f"{nobody.pw_dir}/.config/mvtui"
    monkeypatch.setenv("HOME", "/root")
    for none in ("4242424", "x", "99999999999999999999"):
        monkeypatch.setenv("SUDO_UID", none)
        assert own_folder() == "/root/.config/mvtui"


def test_the_later_wins(files: tuple[Path, Path]) -> None:
    assert of(files).settings == DEFAULTS
    files[0].write_text('theme = "light"\ninterval = 5\nmanager = "direct"\nread_only = true\n')
    files[1].write_text('interval = 0.5\nmanager = "systemd"\nread_only = false\n')
    found = of(files, {"MVTUI_MANAGER": "auto", "MVTUI_READ_ONLY": "yes", "MVTUI_MOUSE": ""}, read_only=False)
    assert found.settings == DEFAULTS._replace(theme="light", interval=0.5)
    kinds = {name: (layer.kind.value, layer.path) for name, layer in found.sources.items()}
    assert kinds == {
        "theme": ("file", str(files[0])),
        "interval": ("file", str(files[1])),
        "manager": ("variable", ""),
        "read_only": ("flag", ""),
    }


def test_keys_are_joined_command_by_command(files: tuple[Path, Path]) -> None:
    files[0].write_text('[keys]\nstop = "X"\nstart = ["a", "b"]\n')
    files[1].write_text("[keys]\nstart = []\n")
    found = of(files)
    assert found.settings.keys == {"stop": ("X",), "start": ()}
    assert [found.sources[f"keys.{one}"].path for one in ("stop", "start")] == [str(files[0]), str(files[1])]


@pytest.mark.parametrize(
    ("own", "environ", "flags", "definitions"),
    [
        ("", {}, {}, "/host"),
        ('definitions = "/own/"', {}, {}, "/own"),
        ('state_dir = "/vms"', {}, {}, None),
        ('state_dir = "/vms"\ndefinitions = "/own"', {}, {}, "/own"),
        ("", {}, {"state_dir": "/vms"}, None),
        ("", {}, {"state_dir": "/vms", "definitions": "/said"}, "/said"),
        ("", {}, {"state_dir": "/var/lib/microvms/"}, "/host"),
        ("", {"MVTUI_STATE_DIR": "/vms"}, {}, None),
        ("", {"MVTUI_STATE_DIR": "/vms"}, {"definitions": "/said"}, "/said"),
    ],
)
def test_definitions_belong_to_the_state_directory_that_they_were_said_of(
    own: str,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    definitions: str | None,
    files: tuple[Path, Path],
) -> None:
    files[0].write_text('definitions = "/host"\n')
    files[1].write_text(own)
    assert of(files, environ, **flags).settings.definitions == definitions


def test_the_state_directory_of_this_host_is_that_of_the_files(files: tuple[Path, Path]) -> None:
    assert of(files, {"MVTUI_STATE_DIR": "/else"}).host_state_dir == DEFAULTS.state_dir
    files[0].write_text('state_dir = "/data/vms/"')
    assert of(files, {"MVTUI_STATE_DIR": "/else"}).host_state_dir == "/data/vms"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('# x\ndefinition = "/x"', 2, "there is no option definition (did you mean definitions?;"),
        ("read-only = true", 1, "there is no option read-only (did you mean read_only?;"),
        ("qqqqqqq = 1", 1, "there is no option qqqqqqq (the options are state_dir, definitions, "),
        (
            'definitions = "vms"',
            1,
            "definitions is an absolute path, not 'vms' (definitions = \"/etc/nixos/microvms\";",
        ),
        ("\n\nstate_dir = 3", 3, 'state_dir is an absolute path, not 3 (state_dir = "/var/lib/microvms";'),
        ('manager = "sytemd"', 1, "manager is one of auto, systemd, direct, not 'sytemd' (manager = \"systemd\";"),
        ('read_only = "yes"', 1, "read_only is true or false, not 'yes' (read_only = true;"),
        ("interval = true", 1, "interval is a number of seconds from 0.1 to 3600, not true (interval = 2.0;"),
        ("interval = nan", 1, "interval is a number of seconds from 0.1 to 3600, not nan"),
        ("interval = 2026-01-01", 1, "interval is a number of seconds from 0.1 to 3600, not 2026-01-01"),
        ('theme = ""', 1, "theme is a name without spaces that does not begin with -, not ''"),
        ('ssh_user = "-oProxyCommand=x"', 1, "ssh_user is a name without spaces that does not begin with -"),
        ('keys = "x"', 1, "keys is a table of commands with their keys, not 'x' (keys = { stop = [\"X\"] };"),
        ('[keys]\nstart = "a"\nstop = ["X", 3]', 3, "keys.stop is a key or a list of keys, not ['X', 3]"),
        ('[keys]\nstop = "X"\nread_onyl = true', 3, "not true (read_only is an option, which stands above [keys];"),
        ('[keys]\n"a b" = 3', 2, 'keys."a b" is a key or a list of keys, not 3 ([keys] "a b" = ["X"];'),
        ('theme = "dark', 1, "Unterminated string"),
        ('theme = "dark"\ntheme = "light"', 2, "Cannot overwrite a value"),
        ('"\\u001b[2J" = 1', 1, "there is no option"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(files: tuple[Path, Path], text: str, line: int, said: str) -> None:
    files[0].write_text(text)
    error = wrong(files)
    assert str(error).startswith(f"{files[0]}:{line}: ")
    assert said in str(error)
    assert str(error).endswith("mvtui --no-config … goes without configuration files)")


def test_all_that_is_wrong_is_told_and_what_is_right_counts(files: tuple[Path, Path]) -> None:
    files[0].write_text('thme = "x"\ninterval = "x"\nmouse = "off"')
    files[1].write_text('theme = "light"')
    read = read_configuration([str(path) for path in files], {"MVTUI_ASCII": "maybe"})
    assert [problem.place for problem in read.problems] == [f"{files[0]}:2", f"{files[0]}:1", "environment"]
    assert [dict(layer.values) for layer in read.layers] == [{"mouse": "off"}, {"theme": "light"}, {}]
    assert "(and 2 more: mvtui config shows all)" in str(wrong(files, {"MVTUI_ASCII": "maybe"}))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "MVTUI_STATE_DIR",
            "vms",
            "MVTUI_STATE_DIR is an absolute path, not 'vms' (MVTUI_STATE_DIR=/var/lib/microvms)",
        ),
        ("MVTUI_INTERVAL", "soon", "MVTUI_INTERVAL is a number of seconds from 0.1 to 3600, not 'soon'"),
        ("MVTUI_READ_ONLY", "maybe", "MVTUI_READ_ONLY is true or false, not 'maybe' (MVTUI_READ_ONLY=true)"),
        ("MVTUI_MOUSE", "yes", "MVTUI_MOUSE is one of auto, on, off, not 'yes'"),
    ],
)
def test_a_wrong_variable_is_named(files: tuple[Path, Path], name: str, text: str, said: str) -> None:
    error = wrong(files, {name: text})
    assert str(error).startswith(f"environment: {said}")
    assert "--no-config" not in str(error)


def test_what_variables_may_say(files: tuple[Path, Path]) -> None:
    for text, value in (("1", True), ("YES", True), ("true", True), ("0", False), ("no", False), ("False", False)):
        assert of(files, {"MVTUI_READ_ONLY": text}).settings.read_only is value
    assert of(files, {"MVTUI_INTERVAL": "0.5"}).settings.interval == 0.5
    assert of(files, {"MVTUI_DEFINITIONS": "/a//b/../c"}).settings.definitions == "/a/c"


def test_what_is_no_file(files: tuple[Path, Path]) -> None:
    files[0].symlink_to("/nowhere")
    assert "a link that leads nowhere" in str(wrong(files))
    os.mkfifo(files[1])
    assert "is not a regular file" in str(wrong(files[1:]))
    files[0].unlink()
    files[0].write_bytes(b"# " + bytes(2 << 20))
    assert "is larger than" in str(wrong(files))
    files[0].write_bytes(b"theme = '\xff'")
    assert f"{files[0]}:1: a byte that is no UTF-8" in str(wrong(files))


def test_what_may_not_be_read_is_not_as_good_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    with fresh_state_dir() as folder:
        readable, closed, inside = (folder / name for name in ("readable", "closed", "folder/config.toml"))
        inside.parent.mkdir()
        for path in (readable, closed, inside):
            path.write_text("read_only = true")
        closed.chmod(0)
        inside.parent.chmod(0)
        with without_rights():
            assert of((readable,)).settings.read_only
            assert of((inside,)).settings == DEFAULTS  # a home that is somebody else's
            monkeypatch.setattr("mvtui.host.configuration_files.HOST_FILE", str(inside))
            for path in (closed, inside):
                error = wrong((path,))
                assert str(error).startswith(f"{path}: permission denied (ask whoever owns it for the right to read it")
        inside.parent.chmod(0o700)


def test_one_that_anybody_can_write_is_not_taken(files: tuple[Path, Path]) -> None:
    files[0].write_text('theme = "light"')
    files[0].chmod(0o666)
    assert "can be written by anybody" in str(wrong(files))


@need_root
def test_a_strangers_is_not_taken(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    files[0].write_text('theme = "light"')
    os.chown(files[0], 4711, 4711)
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert "belongs to user 4711" in str(wrong(files))
    monkeypatch.setenv("SUDO_UID", "4711")
    assert of(files).settings.theme == "light"


def test_a_flag_begins_in_the_working_directory(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = of(files, state_dir="vms")
    assert found.settings.state_dir == str(tmp_path / "vms")
    assert found.sources["state_dir"].kind is SourceKind.FLAG
