"""The files of themes: which are read, which count, and what is said of those that can't be used."""

import os
from pathlib import Path

import pytest

from mvtui.host import theme_file
from mvtui.host.themes import Fault, read_themes, shipped_folder, theme_folders
from mvtui.model.finding import Severity
from mvtui.model.theme import COLOURS, STYLED

SHIPPED = shipped_folder()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "themes"
    folder.mkdir()
    return folder


def faults(own: Path) -> tuple[Fault, ...]:
    return read_themes([SHIPPED, own]).faults


def test_mvtuis_own_are_whole() -> None:
    found = read_themes([SHIPPED])
    assert found.faults == ()
    assert {"dark", "light", "terminal"} <= found.found.keys()
    for theme in found.found.values():
        assert list(theme.colours) == list(COLOURS)
        assert theme.styles.keys() <= set(STYLED)
        assert theme.about
    assert not any("bright" in colour for colour in found.found["terminal"].colours.values())


def test_folders_beside_the_configuration_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/ann/.config")
    assert theme_folders() == (SHIPPED, Path("/etc/mvtui/themes"), Path("/home/ann/.config/mvtui/themes"))


def test_an_own_theme_says_only_what_is_other(own: Path) -> None:
    (own / "mine.toml").write_text('about = "mine"\ndark = false\n[colours]\nfailed = "#000087"\n')
    found = read_themes([SHIPPED, own]).found
    assert found["mine"].colours == {**found["light"].colours, "failed": "#000087"}
    assert found["mine"].styles == found["light"].styles
    assert (found["mine"].about, found["mine"].dark) == ("mine", False)


def test_the_last_of_a_name_counts_and_a_broken_one_does_not(own: Path) -> None:
    (own / "light.toml").write_text('[colours]\nfailed = "#00ff00"\n')
    (own / "dark.toml").write_text("[colours\n")
    found = read_themes([SHIPPED, own])
    assert found.found["light"].colours["failed"] == "#00ff00"
    assert found.found["dark"] == read_themes([SHIPPED]).found["dark"]
    assert [fault.theme for fault in found.faults] == ["dark"]


def test_a_broken_theme_is_told_with_file_line_key_and_what_is_right(own: Path) -> None:
    (own / "mine.toml").write_text('dark = true\n\n[colours]\nruning = "#ffffff"\ntext = "white"\n')
    first, second = [fault.finding for fault in faults(own)]
    assert first.severity is Severity.WARNING
    assert first.subject == "theme mine"
    assert first.what == f"{own}/mine.toml:4: colours.runing: there is no such key."
    assert first.why == "Theme mine can't be used."
    assert first.fix == 'did you mean "running"?'
    assert second.what == f"{own}/mine.toml:5: colours.text: 'white' is no colour."
    assert '"#5fafd7"' in second.fix


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"dark = true\n[colours\n", 2, "Expected ']' at the end of a table declaration"),
        (b'dark = true\nabout = "x\n', 2, "Illegal character '\\n'"),
        (b"\n\n\xff", 3, "a byte that is no UTF-8"),
        (b"a = " + b"[" * 9000, None, "lists or tables in lists, too deep to read"),
    ],
)
def test_what_is_no_toml(own: Path, content: bytes, line: int | None, what: str) -> None:
    (own / "mine.toml").write_bytes(content)
    (fault,) = faults(own)
    assert (fault.line, fault.what, fault.usable) == (line, what, False)
    assert fault.fix or "Expected" in fault.what


def test_a_theme_that_nobody_can_read(own: Path) -> None:
    (own / "mine.toml").write_text('[colours]\n\ntext = "#202020"\n')
    found = read_themes([SHIPPED, own])
    assert "mine" not in found.found
    assert {(fault.place, fault.line) for fault in found.faults} == {("colours.text", 3)}
    assert "can't be read: contrast 1." in found.faults[0].what


def test_faint_colours_are_told_and_can_be_used(own: Path) -> None:
    (own / "mine.toml").write_text('[colours]\ndim = "#767676"\n')
    found = read_themes([SHIPPED, own])
    assert "mine" in found.found
    (fault,) = found.faults
    assert fault.usable
    assert fault.finding.severity is Severity.INFO
    assert "colours.dim: contrast 2." in fault.finding.what


def test_other_names_are_told(own: Path) -> None:
    for name in ("auto", "my theme", "[red]"):
        (own / f"{name}.toml").write_text("")
    (own / "readme.md").write_text("no theme")
    assert {fault.theme for fault in faults(own)} == {"auto", "my theme", "[red]"}
    assert all(fault.fix == "rename the file" for fault in faults(own))


def test_what_is_no_file(own: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("root:x:0")
    (own / "link.toml").symlink_to(tmp_path / "secret")
    (own / "dangling.toml").symlink_to(tmp_path / "nowhere")
    (own / "directory.toml").mkdir()
    os.mkfifo(own / "fifo.toml")
    (own / "huge.toml").write_text("#" * (65 << 10))
    said = {fault.theme: fault.what for fault in faults(own)}
    assert said == {
        "link": "it is a link",
        "dangling": "it is a link",
        "directory": "it is no regular file",
        "fifo": "it is no regular file",
        "huge": "it is larger than 64 KiB",
    }


def test_a_link_into_the_nix_store_is_followed(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "mine.toml").write_text('[colours]\nfailed = "#ffffff"\n')
    monkeypatch.setattr(theme_file, "_NIX_STORE", f"{store}/")
    (tmp_path / "home-manager").symlink_to(store)
    (own / "mine.toml").symlink_to(tmp_path / "home-manager/mine.toml")
    (own / "out.toml").symlink_to(store / "../secret")
    found = read_themes([SHIPPED, own])
    assert found.found["mine"].colours["failed"] == "#ffffff"
    assert [fault.theme for fault in found.faults] == ["out"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_somebody_else(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = own / "mine.toml"
    path.write_text('[colours]\nfailed = "#ffffff"\n')
    os.chown(path, 4242, 4242)
    assert [fault.what for fault in faults(own)] == ["it belongs to user 4242"]
    monkeypatch.setenv("SUDO_UID", "4242")
    assert faults(own) == ()
    os.chown(path, 0, 0)
    assert faults(own) == ()
    path.chmod(0o600)
    assert [fault.what for fault in faults(own)] == ["root alone may read it"]


def test_more_files_than_anybody_has(own: Path) -> None:
    for number in range(103):
        (own / f"t{number:03}.toml").write_text("")
    found = read_themes([SHIPPED, own])
    assert [fault.what for fault in found.faults] == ["of 103 files, the first 100 are read"]
    assert "t099" in found.found
    assert "t100" not in found.found


def test_without_folders_there_is_nothing(tmp_path: Path) -> None:
    assert read_themes([tmp_path / "nowhere"]).found == {}
    assert read_themes([tmp_path / "nowhere"]).faults == ()


def test_a_first_folder_whose_theme_does_not_say_all(tmp_path: Path) -> None:
    (tmp_path / "dark.toml").write_text('[colours]\ntext = "#ffffff"\n')
    (fault,) = read_themes([tmp_path]).faults
    assert fault.what.startswith("lacks background, bar, caret,")
    assert fault.line == 1
