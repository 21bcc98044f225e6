"""What is chosen in configuration files, and what is wrong with them."""

import os
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.configuration import configuration_files, configured_definitions
from mvtui.operations.hosts import open_host

need_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "host.toml", tmp_path / "own.toml"


def test_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/ann/conf")
    assert configuration_files() == (Path("/etc/mvtui/config.toml"), Path("/home/ann/conf/mvtui/config.toml"))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/ann")
    assert configuration_files()[1] == Path("/home/ann/.config/mvtui/config.toml")


def test_the_persons_own_counts_more(files: tuple[Path, Path]) -> None:
    assert configured_definitions(files) is None
    files[0].write_text('definitions = "/host"\n')
    assert configured_definitions(files) == Path("/host")
    files[1].write_text("# nothing yet\n")
    assert configured_definitions(files) == Path("/host")
    files[1].write_text('definitions = "/own"\n')
    assert configured_definitions(files) == Path("/own")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('definition = "/x"', "there is no option 'definition' (the options are definitions)"),
        ('definitions = "vms"', "definitions is an absolute path, not 'vms'"),
        ("definitions = 3", "definitions is an absolute path, not 3"),
        ('definitions = "/x', ":1:"),
        ('"\\u001b[2J" = 1', r"there is no option '\x1b[2J'"),
    ],
)
def test_what_is_wrong_is_named(files: tuple[Path, Path], text: str, said: str) -> None:
    files[0].write_text(text)
    with pytest.raises(MvtuiError) as caught:
        configured_definitions(files)
    assert str(files[0]) in str(caught.value)
    assert said in str(caught.value)


def test_what_is_no_file(files: tuple[Path, Path]) -> None:
    files[0].symlink_to("/nowhere")
    with pytest.raises(MvtuiError, match="no such file"):
        configured_definitions(files)
    os.mkfifo(files[1])
    with pytest.raises(MvtuiError):
        configured_definitions(files[1:])


@need_root
def test_a_strangers_is_not_taken(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    files[0].write_text('definitions = "/x"')
    os.chown(files[0], 4711, 4711)
    monkeypatch.delenv("SUDO_UID", raising=False)
    with pytest.raises(MvtuiError, match="belongs to user 4711"):
        configured_definitions(files)
    monkeypatch.setenv("SUDO_UID", "4711")
    assert configured_definitions(files) == Path("/x")


def test_the_default_host_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mvtui").mkdir()
    (tmp_path / "mvtui/config.toml").write_text('definitions = "/chosen"')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    host = open_host(manager="direct")
    assert (host.definitions, host.options) == (Path("/chosen"), ("--definitions", "/chosen"))
    assert open_host(manager="direct", definitions=Path("/said")).definitions == Path("/said")
    assert open_host(tmp_path / "vms", manager="direct").definitions == tmp_path / "definitions"
