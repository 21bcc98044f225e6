"""What the terminal can do, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mvtui.model.locale import is_utf8
from mvtui.model.settings import Settings
from mvtui.ui import themes

# rich, which paints for Textual, knows these endings of TERM as having 256 colours; every other has 16.
_MANY_COLOURS = ("256color", "kitty")
_TRUE_COLOUR = ("truecolor", "24bit")
# Their fonts have no glyphs beyond a code page, whatever the locale says.
_PLAIN_FONTS = ("linux", "vt100", "vt102", "vt220", "screen", "ansi")
# The background's number in COLORFGBG (rxvt, Konsole): white or bright white.
_LIGHT_BACKGROUNDS = ("7", "15")


@dataclass(frozen=True, slots=True)
class Terminal:
    """`theme` is a name of `themes/`; `mouse`: reports of the mouse are worth their bytes."""

    theme: str
    ascii_only: bool
    mouse: bool

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Terminal":
        """The terminal that the environment tells of."""
        return cls(
            theme=_theme(environ),
            ascii_only=environ.get("TERM", "") in _PLAIN_FONTS or not is_utf8(environ),
            mouse="SSH_CONNECTION" not in environ,
        )

    def with_settings(self, settings: Settings) -> "Terminal":
        """The same where a person leaves it to the terminal; else as they have chosen."""
        return replace(
            self,
            theme=self.theme if settings.theme == "auto" else settings.theme,
            ascii_only=self.ascii_only if settings.ascii == "auto" else settings.ascii == "on",
            mouse=self.mouse if settings.mouse == "auto" else settings.mouse == "on",
        )


def _theme(environ: Mapping[str, str]) -> str:
    many = (
        environ.get("COLORTERM", "").strip().lower() in _TRUE_COLOUR
        or environ.get("TERM", "").rpartition("-")[2] in _MANY_COLOURS
    )
    if "NO_COLOR" in environ or not many:
        return themes.TERMINAL
    return themes.LIGHT if environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS else themes.DEFAULT
