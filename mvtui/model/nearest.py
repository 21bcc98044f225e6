"""The right word that a wrong one was probably meant to be. Pure."""

from collections.abc import Iterable


def nearest(word: str, words: Iterable[str]) -> str:
    """The one of `words` that looks most like `word`, or "" where none is near."""
    import difflib  # noqa: PLC0415 (most words are right)

    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)
    return found[0] if found else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`did you mean "list"?`, or "" where nothing is near."""
    near = nearest(word, words)
    return f'did you mean "{near}"?' if near else ""
