"""The theme while the panel runs: changed in the palette, and what is said of one that can't be used."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.color import Color

from mvtui.host.themes import Fault, Themes, read_themes, shipped_folder
from tests.ui.conftest import Open, Panel
from tests.ui.fake_host import SHIPPED
from tests.ui.scenes import SCENES, open_scene


def backgrounds(panel: Panel) -> set[Color]:
    """Those of the cells that stand on the screen."""
    strips = panel.app.screen._compositor.render_strips()
    return {style.bgcolor for strip in strips for _, style, _ in strip if style is not None and style.bgcolor}


def status(panel: Panel) -> str:
    return panel.lines[-2]


async def choose(panel: Panel, name: str) -> None:
    keys = {" ": "space", "-": "minus"}
    await panel.press("colon", *[keys.get(char, char) for char in f"theme {name}"], "enter")


async def test_the_palette_changes_the_theme_at_once(open_panel: Open) -> None:
    async with open_panel() as panel:
        before = panel.lines
        dark = backgrounds(panel)
        assert Color.parse("#1c1c1c") in dark
        await choose(panel, "light")
        assert panel.app.theme == "light"
        light = backgrounds(panel)
        assert Color.parse("#eeeeee") in light
        assert dark.isdisjoint(light)
        assert status(panel) == 'theme light; theme = "light" in config.toml keeps it'
        assert panel.lines[:6] == before[:6]
        await choose(panel, "terminal")
        assert backgrounds(panel) == {Color.default()}
        await choose(panel, "contrast")
        assert Color.parse("#000000") in backgrounds(panel)
        await choose(panel, "auto")
        assert backgrounds(panel) == dark


async def test_the_palette_says_which_is_in_use(open_panel: Open) -> None:
    async with open_panel(theme="contrast") as panel:
        await panel.press("colon", *"theme")
        told = {line.split()[1]: line for line in panel.lines if line.strip().startswith("theme ")}
        assert told.keys() == {"auto", *SHIPPED.found}
        assert [name for name, line in told.items() if "in use" in line] == ["contrast"]


async def test_16_colours_are_the_terminals(open_panel: Open) -> None:
    options = {"automatic": "terminal", "own_colours": "this terminal has 16 colours"}
    async with open_panel(theme="light", **options) as panel:
        assert panel.app.theme == "terminal"
        assert status(panel).startswith("this terminal has 16 colours: theme terminal, not light")
        await choose(panel, "dark")
        assert panel.app.theme == "terminal"
        assert "theme dark: this terminal has 16 colours" in panel.text
        await panel.press("escape")
        await choose(panel, "terminal-light")
        assert panel.app.theme == "terminal-light"


async def test_a_theme_that_is_not_there_is_said_and_the_panel_opens(open_panel: Open) -> None:
    async with open_panel(theme="drak", automatic="light") as panel:
        assert panel.app.theme == "light"
        assert status(panel) == "there is no theme 'drak'; did you mean \"dark\"?"
        await panel.press("D")
        assert "Info        there is no theme 'drak'; did you mean \"dark\"?" in panel.text


@pytest.mark.parametrize(("keys", "more"), [(("h",), " (h: more)"), ((), " (:check: more)")])
async def test_where_more_is_told_is_said_by_its_own_key(open_panel: Open, keys: tuple[str, ...], more: str) -> None:
    themes = Themes(SHIPPED.found, (Fault(Path("/x/mine.toml"), "about", 3, "is a text, not 1"),))
    async with open_panel(themes=lambda: themes, keys={"doctor": keys}) as panel:
        assert status(panel) == f"mine.toml:3: about: is a text, not 1{more}"


async def test_a_broken_theme_is_said_and_the_rest_works(open_panel: Open, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[colours]\n\nruning = "#ffffff"\n')
    (tmp_path / "ours.toml").write_text('about = "ours"\n[colours]\nbackground = "#000000"\n')
    themes = read_themes([shipped_folder(), tmp_path])
    async with open_panel(theme="mine", themes=lambda: themes, size=(160, 30)) as panel:
        assert panel.app.theme == "dark"
        assert status(panel) == "mine.toml:3: colours.runing: there is no such key; theme dark instead (D: more)"
        await panel.press("D")
        assert f"{tmp_path}/mine.toml:3: colours.runing: there is no such key." in panel.text.replace("\n", "")
        assert 'did you mean "running"?' in panel.text
        await panel.press("escape")
        await choose(panel, "ours")
        assert Color.parse("#000000") in backgrounds(panel)


async def test_a_broken_theme_that_nobody_wants_is_said_too(open_panel: Open) -> None:
    fault = Fault(Path("/x/mine.toml"), "colours.text", 3, "[red]'no'[/] is no colour")
    async with open_panel(themes=lambda: Themes(SHIPPED.found, (fault,))) as panel:
        assert status(panel) == "mine.toml:3: colours.text: [red]'no'[/] is no colour (D: more)"


async def test_without_colour_there_is_none(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for: NO_COLOR has the terminal's own, without their colours; never black on black."""
    monkeypatch.setenv("NO_COLOR", "1")
    options = {"theme": "light", "automatic": "terminal", "own_colours": "NO_COLOR is set"}
    async with open_panel(**options) as panel:
        assert panel.app.no_color
        assert backgrounds(panel) <= {Color.default()}
        styles = {style for strip in panel.app.screen._compositor.render_strips() for _, style, _ in strip if style}
        assert {style.color for style in styles} <= {None, Color.default()}
        assert any(style.reverse for style in styles)  # the cursor


@pytest.mark.parametrize("theme", ["terminal", "terminal-light"])
async def test_the_cursor_of_a_field_is_seen_on_every_background(open_panel: Open, theme: str) -> None:
    async with open_panel(theme=theme) as panel:
        await panel.press("slash", "w")
        (line,) = [strip for strip in panel.app.screen._compositor.render_strips() if strip.text.startswith("/w")]
        reversed_text = [text for text, style, _ in line if style is not None and style.reverse]
        assert reversed_text == [" "]


@pytest.mark.parametrize("theme", SHIPPED.found)
async def test_the_caret_of_a_form_is_seen_on_its_line(theme: str) -> None:
    """Also where that line is in reverse."""
    app, play = open_scene(replace(SCENES["share-errors"], options={"theme": theme}))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot)
        (line,) = [strip for strip in app.screen._compositor.render_strips() if strip.text.startswith("× tag")]
        reverses = [(text, bool(style.reverse)) for text, style, _ in line if style is not None and text]
        usual = reverses[0][1]
        assert [text for text, reverse in reverses if reverse is not usual] == [" "]


async def test_a_theme_is_read_anew_when_it_is_chosen(open_panel: Open, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[colours]\nbackground = 1\n")
    async with open_panel(theme="mine", themes=lambda: read_themes([shipped_folder(), tmp_path])) as panel:
        assert panel.app.theme == "dark"
        mine.write_text('[colours]\nbackground = "#000030"\n')
        await choose(panel, "mine")
        assert Color.parse("#000030") in backgrounds(panel)
        mine.write_text('[colours]\nbackground = "#000060"\n')
        await choose(panel, "mine")
        assert Color.parse("#000060") in backgrounds(panel)
        assert Color.parse("#000030") not in backgrounds(panel)
        mine.write_text("[colours]\nbackground = 2\n")
        await choose(panel, "mine")
        assert panel.app.theme == "dark"
        assert status(panel) == "mine.toml:2: colours.background: 2 is no colour; theme dark instead"
        await panel.press("D")
        assert f"{tmp_path}/mine.toml:2" in panel.text.replace("\n", "").replace(" ", "")


async def test_without_mvtuis_own_the_theme_stays(open_panel: Open) -> None:
    told = [SHIPPED, Themes()]
    async with open_panel(themes=lambda: told.pop(0)) as panel:
        await choose(panel, "light")
        assert panel.app.theme == "dark"
        assert status(panel).startswith("there is no usable theme 'dark' in ")


async def test_a_key_that_would_do_something_to_the_terminal_is_shown_clean(open_panel: Open, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('"[@click=app.quit]\\u001b]0;x\\u0007" = 1\n', encoding="utf-8")
    async with open_panel(themes=lambda: read_themes([shipped_folder(), tmp_path]), size=(160, 30)) as panel:
        assert "\x1b" not in panel.text
        assert "[@click=app.quit]" in status(panel)
        await panel.press("D")
        assert "\x1b" not in panel.text
        assert "[@click=app.quit]" in panel.text
