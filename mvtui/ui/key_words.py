"""Keys in the words of operations, which know none: where these name a command of the shell, the panel names its key
too. Pure."""

import re

from mvtui.ui.commands import hint
from mvtui.ui.keys import Keys

# The commands of the panel that do the same, by the verb.
_COMMANDS = {"reset": "reset", "reset --discard": "free", "restore": "undo", "kill": "kill", "grow": "grow"}
_VERBS = "|".join(sorted(_COMMANDS, key=len, reverse=True))
# `empty it: mvtui reset web`, `empty it (mvtui reset web)`, "`mvtui restore web` brings it back".
_NAMED = re.compile(rf"(?P<mark>: |\(|`)mvtui (?P<verb>{_VERBS})(?= )")
_WITH_KEY = {": ": " ({key}): ", "(": "({key}, ", "`": "{key} or `"}


def with_keys(text: str, keys: Keys) -> str:
    """`text` with the key of what a command of the shell in it does, before that: `empty it (O): mvtui reset web`."""

    def told(match: re.Match[str]) -> str:
        key = hint(_COMMANDS[match["verb"]], keys)
        return f"{_WITH_KEY[match['mark']].format(key=key)}mvtui {match['verb']}"

    return _NAMED.sub(told, text)
