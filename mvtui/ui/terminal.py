"""What the terminal can do, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mvtui.model.locale import has_plain_font, is_utf8
from mvtui.model.settings import Settings
from mvtui.model.theme import DARK, LIGHT, TERMINAL, TERMINAL_LIGHT
from mvtui.ui.abilities import ALL, Abilities, abilities_of

# rich, which paints for Textual, knows these endings of TERM as having 256 colours; every other has 16.
_MANY_COLOURS = ("256color", "kitty")
_TRUE_COLOUR = ("truecolor", "24bit")
# The background's number in COLORFGBG (rxvt, Konsole): white or bright white.
_LIGHT_BACKGROUNDS = ("7", "15")


@dataclass(frozen=True, slots=True)
class Terminal:
    """`theme` is the one that suits it; `mouse`: its reports are worth their bytes; `own_colours`: why it can show no
    others than its own, "" where it can; `abilities`: what it obeys."""

    theme: str
    ascii_only: bool
    mouse: bool
    own_colours: str = ""
    abilities: Abilities = ALL

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Terminal":
        """The terminal that the environment tells of."""
        term = environ.get("TERM", "")
        own_colours = _own_colours(environ)
        return cls(
            theme=_theme(environ, own=bool(own_colours)),
            ascii_only=has_plain_font(term) or not is_utf8(environ),
            mouse="SSH_CONNECTION" not in environ,
            own_colours=own_colours,
            abilities=abilities_of(term),
        )

    def with_settings(self, settings: Settings) -> "Terminal":
        """The same where a person leaves it to the terminal; else as they have chosen."""
        return replace(
            self,
            ascii_only=self.ascii_only if settings.ascii == "auto" else settings.ascii == "on",
            mouse=self.mouse if settings.mouse == "auto" else settings.mouse == "on",
        )


def _own_colours(environ: Mapping[str, str]) -> str:
    if "NO_COLOR" in environ:
        return "NO_COLOR is set"
    many = (
        environ.get("COLORTERM", "").strip().lower() in _TRUE_COLOUR
        or environ.get("TERM", "").rpartition("-")[2] in _MANY_COLOURS
    )
    if not abilities_of(environ.get("TERM", "")).colours:
        return "this terminal has no colours"
    return "" if many else "this terminal has 16 colours"


def _theme(environ: Mapping[str, str], *, own: bool) -> str:
    if environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS:
        return TERMINAL_LIGHT if own else LIGHT
    return TERMINAL if own else DARK
