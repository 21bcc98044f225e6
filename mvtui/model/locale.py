"""Which characters and colours a terminal has, by its environment. Pure."""

from collections.abc import Mapping

# The terminals of DEC, by TERM, and what takes after them.
_MONOCHROME = ("vt1", "vt2", "vt3", "vt4", "vt5", "ansi")
_NONE = ("", "dumb", "unknown")


def moves_cursor(term: str) -> bool:
    """Whether the terminal of that name (TERM) can move its cursor."""
    return term not in _NONE


def has_colours(term: str) -> bool:
    """Whether it has colours."""
    return term not in _NONE and not term.startswith(_MONOCHROME)


def has_plain_font(term: str) -> bool:
    """Whether its font has no more glyphs than a code page, whatever the locale says."""
    return term == "screen" or term.startswith(("linux", "screen.linux", *_MONOCHROME))


def is_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8 (locale(7): LC_ALL, then LC_CTYPE, then LANG).

    In the C locale, Python sets LC_CTYPE to C.UTF-8 by itself (PEP 538): that tells nothing of the terminal.
    """
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environ.get(name, "")
        if value and not (name == "LC_CTYPE" and value == "C.UTF-8"):
            return value.lower().replace("-", "").endswith("utf8")
    return False
