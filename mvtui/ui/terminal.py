"""What the terminal can do, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from mvtui.model.locale import is_utf8
from mvtui.model.theme import DARK, LIGHT, TERMINAL, TERMINAL_LIGHT

# rich, which paints for Textual, knows these endings of TERM as having 256 colours; every other has 16.
_MANY_COLOURS = ("256color", "kitty")
_TRUE_COLOUR = ("truecolor", "24bit")
# Their fonts have no glyphs beyond a code page, whatever the locale says.
_PLAIN_FONTS = ("linux", "vt100", "vt102", "vt220", "screen", "ansi")
# The background's number in COLORFGBG (rxvt, Konsole): white or bright white.
_LIGHT_BACKGROUNDS = ("7", "15")


@dataclass(frozen=True, slots=True)
class Terminal:
    """`theme` is the one that suits it; `mouse`: reports of the mouse are worth their bytes; `own_colours`: why it can
    show no others than its own, "" where it can."""

    theme: str
    ascii_only: bool
    mouse: bool
    own_colours: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Terminal":
        """The terminal that the environment tells of."""
        own_colours = _own_colours(environ)
        return cls(
            theme=_theme(environ, own=bool(own_colours)),
            ascii_only=environ.get("TERM", "") in _PLAIN_FONTS or not is_utf8(environ),
            mouse="SSH_CONNECTION" not in environ,
            own_colours=own_colours,
        )


def _own_colours(environ: Mapping[str, str]) -> str:
    if "NO_COLOR" in environ:
        return "NO_COLOR is set"
    many = (
        environ.get("COLORTERM", "").strip().lower() in _TRUE_COLOUR
        or environ.get("TERM", "").rpartition("-")[2] in _MANY_COLOURS
    )
    return "" if many else "this terminal has 16 colours"


def _theme(environ: Mapping[str, str], *, own: bool) -> str:
    if environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS:
        return TERMINAL_LIGHT if own else LIGHT
    return TERMINAL if own else DARK
