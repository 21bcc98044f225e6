"""What mvtui's own themes can be read by: contrast, and eyes that see fewer colours."""

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from mvtui.host.themes import read_themes, shipped_folder
from mvtui.model.contrast import contrast
from mvtui.model.state import StateWord
from mvtui.model.theme import AA, COLOURS, STYLE_WORDS, TERMINAL_COLOURS, TEXTS, faint
from tests.ui.colour_sight import APART, NORMAL, SIGHTS, distance, too_near
from tests.ui.fake_host import SHIPPED
from tests.ui.scenes import SCENES, open_scene

THEMES = SHIPPED.found
OF_THEIR_OWN = [name for name, theme in THEMES.items() if not theme.ansi]
# What the states and findings are told apart by.
MEANING = ("good", "starting", "warning", "error", "orphan", "stopped")

# XTerm-col.ad of xterm, and the palette of the Linux console (drivers/tty/vt/vt.c): the plain colours, then the bright.
XTERM = {
    "red": ("#cd0000", "#ff0000"),
    "green": ("#00cd00", "#00ff00"),
    "yellow": ("#cdcd00", "#ffff00"),
    "blue": ("#0000ee", "#5c5cff"),
    "magenta": ("#cd00cd", "#ff00ff"),
    "cyan": ("#00cdcd", "#00ffff"),
}
VGA = {
    "red": ("#aa0000", "#ff5555"),
    "green": ("#00aa00", "#55ff55"),
    "yellow": ("#aa5500", "#ffff55"),
    "blue": ("#0000aa", "#5555ff"),
    "magenta": ("#aa00aa", "#ff55ff"),
    "cyan": ("#00aaaa", "#55ffff"),
}


def test_there_is_a_theme_for_everybody() -> None:
    assert set(THEMES) == {"dark", "light", "contrast", "colour-blind", "terminal", "terminal-light"}


@pytest.mark.parametrize("name", OF_THEIR_OWN)
def test_every_text_can_be_read_on_every_background(name: str) -> None:
    assert faint(THEMES[name]) == []


def test_high_contrast_is_high() -> None:
    assert faint(THEMES["contrast"], 7) == []


@pytest.mark.parametrize("palette", [XTERM, VGA], ids=["xterm", "vga"])
@pytest.mark.parametrize(("name", "background"), [("terminal", "#000000"), ("terminal-light", "#ffffff")])
def test_the_terminals_own_colours_on_usual_palettes(
    name: str, background: str, palette: dict[str, tuple[str, str]]
) -> None:
    """Bold is bright: xterm(1), boldColors; console_codes(4), ECMA-48 SGR 1. What is dim is as the terminal has it."""
    theme = THEMES[name]
    assert {theme.colours[one] for one in ("background", "bar", "cursor", "question")} == {"default"}
    for role in TEXTS:
        colour, words = theme.colours[role], theme.styles.get(role, "").split()
        if colour != "default":
            assert contrast(palette[colour]["bold" in words], background) >= AA, role


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", ["colour-blind", "contrast"])
def test_what_differs_in_meaning_differs_for_every_eye(name: str, sight: str) -> None:
    assert too_near({one: THEMES[name].colours[one] for one in MEANING}, sight) == []


@pytest.mark.parametrize("name", OF_THEIR_OWN)
def test_what_differs_in_meaning_differs(name: str) -> None:
    assert too_near({one: THEMES[name].colours[one] for one in MEANING}, NORMAL) == []


def test_the_simulation_tells_what_is_known() -> None:
    """Red and green are near for those who lack one of their cones, and for nobody else; greys are greys for all."""
    red, green = "#d75f5f", "#5f875f"
    assert {sight for sight in SIGHTS if distance(red, green, sight) < APART} == {"protanopia", "deuteranopia"}
    for sight in SIGHTS:
        assert distance("#808080", "#ffffff", sight) == pytest.approx(distance("#808080", "#ffffff"), abs=0.01)


def test_states_are_told_without_any_colour() -> None:
    """A unit that is on its way up or down has the glyph of one that is up; its word stands beside it."""
    moving = {StateWord.STARTING, StateWord.STOPPING}
    lasting = [word for word in StateWord if word not in moving]
    assert len({word.glyph for word in lasting}) == len({word.ascii_glyph for word in lasting}) == len(lasting)
    assert {word.ascii_glyph for word in moving}.isdisjoint({word.ascii_glyph for word in lasting})


# Where there is more than roles of lines: fields, carets, selections, marks, matches.
READ = ("states", "question", "palette-found", "filter-typed", "share-errors", "logs-found", "review", "kill")


@pytest.mark.parametrize("name", OF_THEIR_OWN)
async def test_what_stands_on_the_screen_can_be_read(name: str) -> None:
    for scene in READ:
        one = SCENES[scene]
        app, play = open_scene(replace(one, options={**one.options, "theme": name}))
        async with app.run_test(size=(80, 24)) as pilot:
            await play(pilot)
            for strip in app.screen._compositor.render_strips():
                for text, style, _ in strip:
                    if style is None or not text.strip():
                        continue
                    assert style.color is not None
                    assert style.bgcolor is not None
                    colours = style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex
                    assert contrast(*colours) >= AA, (scene, text, style)


def test_the_readme_tells_of_every_theme_and_colour() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    for name, paints in COLOURS.items():
        assert f"\n| `{name}` | {paints} |\n" in readme
    for name in THEMES:
        assert f"\n| `{name}` | " in readme
    for word in (*STYLE_WORDS, *TERMINAL_COLOURS[:9]):
        assert f"`{word}`" in readme


def test_the_readmes_own_theme_can_be_used(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    start = readme.index('    about = "dark, with a blue cursor"')
    (tmp_path / "mine.toml").write_text(dedent(readme[start : readme.index("\n| key | is |", start)]))
    found = read_themes([shipped_folder(), tmp_path])
    assert found.faults == ()
    assert found.found["mine"].colours["cursor"] == "#005f87"
