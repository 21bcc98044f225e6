"""What the terminal can show, and in which colours."""

from pathlib import Path

import pytest
from textual.theme import Theme

from mvtui.errors import MvtuiError
from mvtui.model.state import StateWord
from mvtui.ui import themes
from mvtui.ui.abilities import abilities_of
from mvtui.ui.terminal import Terminal
from mvtui.ui.widgets.microvm_list import MicroVMList
from tests.ui.fake_host import FakeHost
from tests.ui.samples import PRODUCT
from tests.ui.scenes import Scene, open_scene

CONSOLE, VT100 = abilities_of("linux"), abilities_of("vt100")


@pytest.mark.parametrize(
    ("environ", "terminal"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, Terminal("dark", False, True)),
        ({"TERM": "xterm-256color", "LANG": "de_DE.utf8", "COLORFGBG": "0;15"}, Terminal("light", False, True)),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}, Terminal("dark", False, True)),
        ({"TERM": "xterm", "LANG": "C.UTF-8"}, Terminal("terminal", False, True)),
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "1"}, Terminal("terminal", False, True)),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, Terminal("terminal", True, True, CONSOLE)),
        ({"TERM": "screen", "LANG": "C.UTF-8", "SSH_CONNECTION": "a"}, Terminal("terminal", True, False, CONSOLE)),
        ({"TERM": "screen.xterm-256color", "LANG": "C.UTF-8"}, Terminal("dark", False, True, CONSOLE)),
        ({"TERM": "vt100", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}, Terminal("terminal", True, True, VT100)),
        ({"TERM": "xterm-256color", "LANG": "C"}, Terminal("dark", True, True)),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, Terminal("dark", True, True)),
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "POSIX"}, Terminal("dark", True, True)),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, Terminal("dark", False, True)),
        ({}, Terminal("terminal", True, True)),
    ],
)
def test_what_the_terminal_can(environ: dict[str, str], terminal: Terminal) -> None:
    assert Terminal.of(environ) == terminal


ROLES = (*StateWord, "text", "dim", "strong", "key", "off", "good", "warning", "error")


def test_every_theme_is_whole() -> None:
    found = themes.load()
    assert found.failed == ()
    assert {"dark", "light", "terminal"} <= found.loaded.keys()
    for theme in found.loaded.values():
        assert isinstance(theme, Theme)
        assert {f"vm-{role}" for role in ROLES} <= theme.variables.keys()
    assert not any("bright" in value for value in found.loaded["terminal"].variables.values())


def test_themes_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    whole = (themes.folder() / "dark.toml").read_text()
    (tmp_path / "whole.toml").write_text(whole)
    (tmp_path / "broken.toml").write_text("[base")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "poor.toml").write_text(whole.replace('vm-running = "#87d787"', "").replace("primary", "first"))
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "colourless.toml").write_text(whole.replace("#87d787", "greenish"))
    found = themes.load(tmp_path)
    assert list(found.loaded) == ["whole"]
    why = {failed.path.stem: failed.why for failed in found.failed}
    assert why.keys() == {"broken", "binary", "poor", "empty", "colourless"}
    assert why["poor"] == "lacks primary, vm-running"
    assert "greenish" in why["colourless"]


def test_a_theme_that_is_not_there_is_an_error_with_a_hint() -> None:
    with pytest.raises(MvtuiError, match="no usable theme 'nowhere'"):
        FakeHost().app(theme="nowhere")


async def test_the_reversed_cursor_is_one_bar() -> None:
    """Dimmed, a piece of a reversed line would have another background than its neighbours."""
    app, play = open_scene(Scene(PRODUCT, "j j j", {"theme": "terminal"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot)
        rows = app.screen.query_one(MicroVMList)
        segments = list(rows.render_line(rows.cursor))
        assert "stopped" in "".join([segment.text for segment in segments])
        styles = [segment.style for segment in segments if segment.style is not None]
        assert all(style.reverse and not style.dim for style in styles)
        assert len({(style.color, style.bgcolor) for style in styles}) == 1


def test_a_folder_without_themes_loads_none(tmp_path: Path) -> None:
    assert themes.load(tmp_path / "nowhere") == themes.Themes({})
