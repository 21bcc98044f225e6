"""What the terminal can show, and in which colours."""

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.themes import Themes, read_themes, shipped_folder
from mvtui.model.theme import COLOURS
from mvtui.ui.abilities import abilities_of
from mvtui.ui.terminal import Terminal
from mvtui.ui.themes import Choice, choose, textual_theme
from mvtui.ui.widgets.microvm_list import MicroVMList
from tests.ui.fake_host import FakeHost
from tests.ui.samples import PRODUCT
from tests.ui.scenes import Scene, open_scene

CONSOLE, SCREEN, VT100, XTERM = map(abilities_of, ("linux", "screen", "vt100", "xterm"))
SIXTEEN = "this terminal has 16 colours"


@pytest.mark.parametrize(
    ("environ", "terminal"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, Terminal("dark", False, True, "", XTERM)),
        (
            {"TERM": "xterm-256color", "LANG": "de_DE.utf8", "COLORFGBG": "0;15"},
            Terminal("light", False, True, "", XTERM),
        ),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}, Terminal("dark", False, True, "", XTERM)),
        ({"TERM": "xterm", "LANG": "C.UTF-8"}, Terminal("terminal", False, True, SIXTEEN, XTERM)),
        (
            {"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "1"},
            Terminal("terminal", False, True, "NO_COLOR is set", XTERM),
        ),
        (
            {"TERM": "xterm", "LANG": "C.UTF-8", "COLORFGBG": "0;15"},
            Terminal("terminal-light", False, True, SIXTEEN, XTERM),
        ),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, Terminal("terminal", True, True, SIXTEEN, CONSOLE)),
        (
            {"TERM": "screen", "LANG": "C.UTF-8", "SSH_CONNECTION": "a"},
            Terminal("terminal", True, False, SIXTEEN, SCREEN),
        ),
        ({"TERM": "screen.xterm-256color", "LANG": "C.UTF-8"}, Terminal("dark", False, True, "", SCREEN)),
        (
            {"TERM": "vt100", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
            Terminal("terminal", True, True, "this terminal has no colours", VT100),
        ),
        ({"TERM": "xterm-256color", "LANG": "C"}, Terminal("dark", True, True, "", XTERM)),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, Terminal("dark", True, True, "", XTERM)),
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "POSIX"}, Terminal("dark", True, True, "", XTERM)),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, Terminal("dark", False, True, "", XTERM)),
        ({}, Terminal("terminal", True, True, SIXTEEN)),
    ],
)
def test_what_the_terminal_can(environ: dict[str, str], terminal: Terminal) -> None:
    assert Terminal.of(environ) == terminal


def test_textual_gets_every_colour_and_style() -> None:
    found = read_themes([shipped_folder()]).found
    for definition in found.values():
        theme = textual_theme(definition)
        assert {f"vm-{name}" for name in COLOURS} <= theme.variables.keys()
        assert theme.ansi == definition.ansi
    assert textual_theme(found["terminal"]).variables["vm-failed"] == "ansi_red"


@pytest.mark.parametrize(
    ("wanted", "automatic", "own_colours", "choice"),
    [
        ("auto", "light", "", Choice("light")),
        ("dark", "light", "", Choice("dark")),
        ("terminal", "terminal", "NO_COLOR is set", Choice("terminal")),
        ("dark", "terminal", "NO_COLOR is set", Choice("terminal", "NO_COLOR is set: theme terminal, not dark")),
        ("drak", "light", "", Choice("light", "there is no theme 'drak'; did you mean \"dark\"?")),
    ],
)
def test_the_theme_that_is_used(wanted: str, automatic: str, own_colours: str, choice: Choice) -> None:
    assert choose(wanted, automatic, own_colours, read_themes([shipped_folder()])) == choice


def test_a_name_that_is_like_no_other_names_all_that_there_are() -> None:
    said = choose("xyzzy", "dark", "", read_themes([shipped_folder()])).said
    assert said.startswith("there is no theme 'xyzzy'; there are ")
    assert all(name in said for name in ("dark", "light", "terminal"))


def test_without_the_automatic_theme_there_is_no_panel() -> None:
    with pytest.raises(MvtuiError, match="no usable theme 'dark'"):
        FakeHost().app(themes=Themes)


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
