"""mvtui's own commands, as a person would write them in a shell. Pure."""

import shlex


def own_command(verb: str, *words: str, option: str = "") -> str:
    """The command that does `verb` to `words` (names, images), none of which is taken for an option; `option` stands
    behind them where it can."""
    named = [shlex.quote(word) for word in words]
    parts = [verb, option, "--", *named] if any(word.startswith("-") for word in words) else [verb, *named, option]
    return " ".join(("mvtui", *filter(None, parts)))
