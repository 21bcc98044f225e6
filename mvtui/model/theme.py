"""Themes: which colour each thing in the panel has, as a file says it, and what is wrong with such a file. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mvtui.model.contrast import contrast
from mvtui.model.nearest import did_you_mean

AUTO = "auto"
DARK, LIGHT = "dark", "light"
# Of the terminal's own colours, on a dark and on a light background.
TERMINAL, TERMINAL_LIGHT = "terminal", "terminal-light"

# Every colour that a theme has, and what it paints.
BACKGROUNDS = {
    "background": "behind everything",
    "bar": "behind header, column heads, tabs, and every panel over the foot",
    "cursor": "behind the line that the cursor is on",
    "question": "behind a question of one line",
}
TEXTS = {
    "running": "the state running: its glyph and word; a unit that is active, a share that is served",
    "starting": "the state starting; a unit that is activating; a step that is under way",
    "stopping": "the state stopping; a unit that is deactivating",
    "degraded": "the state degraded",
    "looping": "the state looping",
    "failed": "the state failed; a unit that failed, a share that is down",
    "stopped": "the state stopped; a unit that is inactive",
    "orphan": "the state orphan",
    "unknown": "the state unknown",
    "text": "text",
    "dim": "what matters less: labels, rules, times, what can't be done now",
    "strong": "titles, names, what is asked",
    "key": "a key that can be pressed",
    "off": "a key that can't be used now; pressed, it says why",
    "good": "what is right: a check that holds, a line that a diff adds",
    "warning": "a warning",
    "error": "an error, a check that does not hold, a line that a diff removes",
    "caret": "in reverse: where the next character goes in a form, what is found in a log",
}
COLOURS = {**BACKGROUNDS, **TEXTS}
# What can have a style: text but for the caret, and the backgrounds that lie over text of other colours.
STYLED = (*[name for name in TEXTS if name != "caret"], "cursor", "question")

# Words of a style, with "not " before them where what lies below shall not have it.
STYLE_WORDS = ("bold", "dim", "italic", "underline", "reverse")
# The 16 colours of ECMA-48 and aixterm, and the terminal's own text and background.
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
TERMINAL_COLOURS = ("default", *_NAMES, *[f"bright_{name}" for name in _NAMES])

_KEYS = ("about", "dark", "ansi", "colours", "styles")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")

# What the Web Content Accessibility Guidelines 2.2 ask for text (level AA, 1.4.3), a ratio.
AA = 4.5
# Below this, nobody can be asked to read it. The faintest text that people are known to choose, that of Solarized
# (base01 on base02), has 2.4.
UNREADABLE = 1.5


class Wrong(NamedTuple):
    """`place`: of the key in the file (`colours.text`), "" for the file as a whole; `what`: is wrong with it; `fix`:
    what is right, or ""."""

    place: str
    what: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class ThemeDefinition:
    """`about`: a few words; `dark`: for a dark background; `ansi`: of the terminal's own colours. `colours` has all of
    COLOURS, `styles` the words of some of STYLED."""

    name: str
    about: str
    dark: bool
    ansi: bool
    colours: Mapping[str, str] = field(hash=False)
    styles: Mapping[str, str] = field(hash=False)


def parent_of(table: Mapping[str, Any]) -> str:
    """The theme that the theme of this file has from what it does not say itself."""
    is_light = table.get("dark") is False
    if table.get("ansi") is True:
        return TERMINAL_LIGHT if is_light else TERMINAL
    return LIGHT if is_light else DARK


def wrong_name(name: str) -> str:
    """Why no theme can have that name; "" where one can."""
    if name == AUTO:
        return f"{AUTO} is what chooses a theme by the terminal, and can't be one"
    return "" if _NAME.fullmatch(name) else "a theme's name is made of letters, digits, - and _"


def wrong_in(table: Mapping[str, Any]) -> Iterator[Wrong]:
    """All that is wrong with the tables of a theme's file."""
    yield from _wrong_keys("", table, _KEYS)
    for flag in ("dark", "ansi"):
        if not isinstance(table.get(flag, False), bool):
            yield Wrong(flag, f"is true or false, not {_shown(table[flag])}")
    if not isinstance(table.get("about", ""), str):
        yield Wrong("about", f"is a text, not {_shown(table['about'])}")
    colours, styles = table.get("colours", {}), table.get("styles", {})
    for name, value in (("colours", colours), ("styles", styles)):
        if not isinstance(value, dict):
            yield Wrong(name, f"is a table, not {_shown(value)}", f"[{name}]")
    if isinstance(colours, dict):
        yield from _wrong_keys("colours.", colours, tuple(COLOURS))
        yield from _wrong_colours(colours, ansi=table.get("ansi") is True)
    if isinstance(styles, dict):
        yield from _wrong_keys("styles.", styles, STYLED)
        yield from _wrong_styles(styles)


def _wrong_keys(before: str, table: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[Wrong]:
    for key in table:
        if key not in known:
            yield Wrong(
                before + key, "there is no such key", did_you_mean(key, known) or f"there are {', '.join(known)}"
            )


def _wrong_colours(colours: Mapping[str, Any], *, ansi: bool) -> Iterator[Wrong]:
    for key, value in colours.items():
        if key not in COLOURS:
            continue
        if ansi and not (isinstance(value, str) and value in TERMINAL_COLOURS):
            fix = f"with ansi = true it is one of {', '.join(TERMINAL_COLOURS)}"
            yield Wrong(f"colours.{key}", f"{_shown(value)} is no colour of the terminal's own", fix)
        elif not ansi and not (isinstance(value, str) and _HEX.fullmatch(value)):
            fix = 'a colour is "#5fafd7": red, green and blue, two digits each'
            if isinstance(value, str) and value in TERMINAL_COLOURS:
                fix += "; the terminal's own have names, with ansi = true"
            yield Wrong(f"colours.{key}", f"{_shown(value)} is no colour", fix)


def _wrong_styles(styles: Mapping[str, Any]) -> Iterator[Wrong]:
    for key, value in styles.items():
        words = value.replace("not ", "").split() if isinstance(value, str) else ["?"]
        if key in STYLED and not set(words) <= set(STYLE_WORDS):
            fix = f'a style is one or more of {", ".join(STYLE_WORDS)}, each after a "not" or none: "bold not dim"'
            yield Wrong(f"styles.{key}", f"{_shown(value)} is no style", fix)


def _shown(value: object) -> str:
    """A value of TOML, in a few characters."""
    text = {True: "true", False: "false"}.get(value, repr(value)) if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def definition(name: str, table: Mapping[str, Any], parent: ThemeDefinition | None = None) -> ThemeDefinition:
    """The theme of a file in which nothing is wrong. What it does not say is as in `parent`; without one, it must say
    all."""
    return ThemeDefinition(
        name,
        table.get("about", ""),
        table.get("dark", True),
        table.get("ansi", False),
        {**(parent.colours if parent is not None else {}), **table.get("colours", {})},
        {**(parent.styles if parent is not None else {}), **table.get("styles", {})},
    )


def pairs(theme: ThemeDefinition) -> Iterator[tuple[str, str]]:
    """What of its colours stands on what: text and background. Where the cursor has a style, that line is all of one
    colour."""
    for text in TEXTS:
        for background in BACKGROUNDS:
            if background == "cursor" and theme.styles.get("cursor") and text != "text":
                continue
            yield text, background


def faint(theme: ThemeDefinition, ratio: float = AA) -> list[tuple[float, str, str]]:
    """Every text that has less contrast than `ratio` to a background it stands on, the faintest first: contrast, text,
    background. Nothing of a theme with the terminal's own colours, of which the terminal alone knows."""
    if theme.ansi:
        return []
    colours = theme.colours
    found = ((contrast(colours[text], colours[background]), text, background) for text, background in pairs(theme))
    return sorted(one for one in found if one[0] < ratio)


def unreadable(theme: ThemeDefinition) -> Iterator[Wrong]:
    """Text that can't be told from its background."""
    if theme.ansi:
        for text, background in pairs(theme):
            colour = theme.colours[text]
            if colour == theme.colours[background] != "default":
                yield Wrong(f"colours.{text}", f"{colour} on {colour} ({background}) can't be read")
    for ratio, text, background in faint(theme, UNREADABLE):
        what = (
            f"{theme.colours[text]} on {theme.colours[background]} ({background}) can't be read: contrast {ratio:.1f}"
        )
        yield Wrong(f"colours.{text}", what, f"{AA} and more is good to read")
