"""Events as the driver posts them."""

from textual.events import Key
from textual.keys import _character_to_key


def key_event(name: str) -> Key:
    """As the driver makes it: with the name that Textual has for a character."""
    if len(name) == 1:
        return Key(_character_to_key(name), name)
    return Key(name, {"space": " ", "slash": "/", "colon": ":", "question_mark": "?"}.get(name))
