"""Text from the host, made safe to show."""

import re
import unicodedata

_SPACES = "Zs"
# Unicode's Default_Ignorable_Code_Point, as far as Python calls them printable: joiners, fillers, variation selectors.
# Nothing is seen of them, and of some no two terminals say how wide they are.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")

# What mvtui itself says that is not ASCII: one cell for one cell.
ASCII_TWINS = str.maketrans(
    {
        "…": "~",
        "×": "x",
        "≠": "!",
        "─": "-",
        "—": "-",
        "→": ">",
        "←": "<",
        "·": ".",
        "│": "|",
        "↑": "^",
        "↓": "v",
        "‹": "<",
        "›": ">",
    }
)


def clean(text: str) -> str:
    r"""`text` on one line, with nothing in it that acts instead of being seen.

    Control characters, line separators, what changes the direction of writing or has no width, and lone surrogates
    (bytes that were no UTF-8) become escapes as Python writes them: `\x1b`, `\n`, `\u202e`, `\udc80`. Spaces of any
    width become ordinary ones.
    """
    if text.isprintable() and (text.isascii() or not _UNSEEN.search(text)):
        return text
    return "".join(char if char.isprintable() and not _UNSEEN.match(char) else _visible(char) for char in text)


def _visible(char: str) -> str:
    if unicodedata.category(char) == _SPACES:
        return " "
    return char.encode("unicode_escape").decode("ascii")
