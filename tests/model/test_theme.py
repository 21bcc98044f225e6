"""What is wrong with the file of a theme, and what stands on what."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.contrast import contrast, luminance
from mvtui.model.theme import (
    COLOURS,
    TERMINAL_COLOURS,
    TEXTS,
    ThemeDefinition,
    definition,
    faint,
    pairs,
    parent_of,
    unreadable,
    wrong_in,
    wrong_name,
)

GREY = dict.fromkeys(COLOURS, "#000000") | dict.fromkeys(TEXTS, "#ffffff")


def theme(*, ansi: bool = False, styles: dict[str, str] | None = None, **colours: str) -> ThemeDefinition:
    return ThemeDefinition("mine", "", True, ansi, GREY | colours, styles or {})


@pytest.mark.parametrize(
    ("text", "place", "what", "fix"),
    [
        ("drak = true", "drak", "there is no such key", 'did you mean "dark"?'),
        ("[colors]\ntext = '#ffffff'", "colors", "there is no such key", 'did you mean "colours"?'),
        ("zz = 1", "zz", "there is no such key", "there are about, dark, ansi, colours, styles"),
        ("dark = 'yes'", "dark", "is true or false, not 'yes'", ""),
        ("ansi = 1", "ansi", "is true or false, not 1", ""),
        ("about = true", "about", "is a text, not true", ""),
        ("colours = 3", "colours", "is a table, not 3", "[colours]"),
        ("styles = []", "styles", "is a table, not []", "[styles]"),
        ("[colours]\nruning = '#ffffff'", "colours.runing", "there is no such key", 'did you mean "running"?'),
        ("[colours]\ntext = 'greenish'", "colours.text", "'greenish' is no colour", 'a colour is "#5fafd7": red, '),
        ("[colours]\ntext = '#fff'", "colours.text", "'#fff' is no colour", 'a colour is "#5fafd7": red, green and'),
        ("[colours]\ntext = 7", "colours.text", "7 is no colour", 'a colour is "#5fafd7": red, green and blue, two'),
        ("[colours]\ntext = 'red'", "colours.text", "'red' is no colour", "have names, with ansi = true"),
        ("ansi = true\n[colours]\nbar = '#ffffff'", "colours.bar", "'#ffffff' is no colour of the terminal", "default"),
        ("ansi = true\n[colours]\nbar = []", "colours.bar", "[] is no colour of the terminal's own", "bright_white"),
        ("[styles]\nkey = 'blink'", "styles.key", "'blink' is no style", "bold, dim, italic, underline, reverse"),
        ("[styles]\nkey = 1", "styles.key", "1 is no style", "bold, dim, italic, underline, reverse"),
        ("[styles]\nbar = 'bold'", "styles.bar", "there is no such key", ""),
    ],
)
def test_what_is_wrong_with_a_file(text: str, place: str, what: str, fix: str) -> None:
    (wrong,) = wrong_in(tomllib.loads(text))
    assert wrong.place == place
    assert wrong.what.startswith(what)
    assert fix in wrong.fix


def test_all_that_is_wrong_is_told() -> None:
    wrong = list(wrong_in({"dark": 1, "colours": {"text": "x", "texts": "#000000"}, "styles": {"dim": "?"}}))
    assert [one.place for one in wrong] == ["dark", "colours.texts", "colours.text", "styles.dim"]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from([*COLOURS, "x"]), one, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["about", "dark", "ansi", "colours", "styles", "x"]), json))
def test_whatever_a_file_holds_is_right_or_told(table: dict[str, object]) -> None:
    if not list(wrong_in(table)):
        whole = definition("mine", table, theme(ansi=table.get("ansi") is True))
        assert whole.colours.keys() == COLOURS.keys()
        list(unreadable(whole))


@pytest.mark.parametrize("name", ["auto", "", "my theme", "[red]x[/]", "a\nb", "-x", "x" * 33, "ü"])
def test_names_that_no_theme_can_have(name: str) -> None:
    assert wrong_name(name)
    assert not wrong_name("solarized-dark_2")


def test_what_a_theme_does_not_say_is_as_in_another() -> None:
    assert parent_of({}) == parent_of({"dark": True}) == "dark"
    assert parent_of({"dark": False}) == "light"
    assert parent_of({"ansi": True}) == "terminal"
    assert parent_of({"ansi": True, "dark": False}) == "terminal-light"
    mine = definition("mine", {"colours": {"text": "#123456"}, "styles": {"key": ""}}, theme(styles={"key": "bold"}))
    assert mine.colours == GREY | {"text": "#123456"}
    assert mine.styles == {"key": ""}


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
    # The grey of WCAG's own example that just fails, and the next that passes.
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.542, abs=0.001)
    assert luminance("#ff0000") == pytest.approx(0.2126)


def test_a_cursor_with_a_style_is_of_one_colour() -> None:
    assert ("failed", "cursor") in pairs(theme())
    reversed_cursor = set(pairs(theme(styles={"cursor": "reverse"})))
    assert ("failed", "cursor") not in reversed_cursor
    assert {("text", "cursor"), ("failed", "question")} <= reversed_cursor


def test_the_faintest_text_is_told_first() -> None:
    found = faint(theme(failed="#767676", dim="#555555", question="#ffffff"))
    assert found[0][1:] == ("caret", "question")
    assert found == sorted(found)
    assert ("dim", "bar") in [one[1:] for one in found]
    assert not faint(theme(ansi=True))


def test_black_on_black_is_no_theme() -> None:
    assert [one.place for one in unreadable(theme(text="#101010"))] == ["colours.text"] * 4
    (wrong,) = unreadable(theme(cursor="#f0f0f0", styles={"cursor": "reverse"}))
    assert wrong.what == "#ffffff on #f0f0f0 (cursor) can't be read: contrast 1.1"
    own = dict.fromkeys(COLOURS, "default")
    black = ThemeDefinition("mine", "", True, True, own | {"text": "black", "bar": "black"}, {})
    (wrong,) = unreadable(black)
    assert wrong.what == "black on black (bar) can't be read"
    assert not list(unreadable(ThemeDefinition("mine", "", True, True, own, {})))
    assert "default" in TERMINAL_COLOURS
