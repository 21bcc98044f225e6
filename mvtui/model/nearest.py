"""The right word that a wrong one was probably meant to be. Pure."""

from collections.abc import Iterable

# How alike two words are, from 0 to 1 (difflib's ratio), of which one may be meant by the other.
NEAR = 0.5


def nearest(word: str, words: Iterable[str], least: float = NEAR) -> str:
    """The one of `words` that looks most like `word`, or "" where none is alike at `least`."""
    import difflib  # noqa: PLC0415 (most words are right)

    found = difflib.get_close_matches(word, list(words), n=1, cutoff=least)
    return found[0] if found else ""


def did_you_mean(word: str, words: Iterable[str], least: float = NEAR) -> str:
    """`did you mean "list"?`, or "" where nothing is near."""
    near = nearest(word, words, least)
    return f'did you mean "{near}"?' if near else ""
