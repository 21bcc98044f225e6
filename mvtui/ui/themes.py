"""Themes, as Textual takes them: each colour is the variable `vm-NAME`, each style `vm-NAME-style`."""

from typing import NamedTuple

from textual.theme import Theme

from mvtui.host.themes import Themes
from mvtui.model.theme import AUTO, ThemeDefinition


def textual_theme(theme: ThemeDefinition) -> Theme:
    """The same for Textual."""
    before = "ansi_" if theme.ansi else ""
    colours = {name: before + colour for name, colour in theme.colours.items()}
    variables = {f"vm-{name}": colour for name, colour in colours.items()}
    variables |= {f"vm-{name}-style": words or "none" for name, words in theme.styles.items()}
    if theme.ansi:
        # Textual's own style sheets ask for these.
        variables |= {"ansi-background": colours["background"], "ansi-foreground": colours["text"]}
    return Theme(
        name=theme.name,
        primary=colours["key"],
        foreground=colours["text"],
        background=colours["background"],
        surface=colours["bar"],
        panel=colours["bar"],
        variables=variables,
        dark=theme.dark,
        ansi=theme.ansi,
    )


class Choice(NamedTuple):
    """The name of a theme, and what is to be said of it ("" where it is the one that was wanted)."""

    name: str
    said: str = ""


def choose(wanted: str, automatic: str, own_colours: str, themes: Themes) -> Choice:
    """The theme that is used where `wanted` is asked for. `automatic` is the terminal's; `own_colours` says why the
    terminal can show no others than its own, "" where it can."""
    if wanted == AUTO:
        return Choice(automatic)
    theme = themes.found.get(wanted)
    if theme is None:
        if (fault := themes.unusable(wanted)) is not None:
            return Choice(automatic, f"{fault.short}; theme {automatic} instead")
        return Choice(automatic, f"there is no theme {wanted!r}; {themes.meant(wanted)}")
    if own_colours and not theme.ansi:
        return Choice(automatic, f"{own_colours}: theme {automatic}, not {wanted}")
    return Choice(wanted)
