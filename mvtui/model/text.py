"""Text from the host, made safe to show."""

import unicodedata

_SPACES = "Zs"


def clean(text: str) -> str:
    r"""`text` on one line, with nothing in it that acts instead of being seen.

    Control characters, line separators, what changes the direction of writing or has no width, and lone surrogates
    (bytes that were no UTF-8) become escapes as Python writes them: `\x1b`, `\n`, `\u202e`, `\udc80`. Spaces of any
    width become ordinary ones.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _visible(char) for char in text)


def _visible(char: str) -> str:
    if unicodedata.category(char) == _SPACES:
        return " "
    return char.encode("unicode_escape").decode("ascii")
