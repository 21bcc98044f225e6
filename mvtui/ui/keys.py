"""Keys, as Textual names them and as people write them."""

from collections.abc import Mapping
from typing import Any

from textual.screen import Screen

_KEY_LABELS = {
    "question_mark": "?",
    "f1": "F1",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
    "enter": "Enter",
    "escape": "Esc",
    "space": "space",
    "slash": "/",
    "colon": ":",
    "asterisk": "*",
    "at": "@",
    "equals_sign": "=",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}
_KEYS_BY_LABEL = {label: key for key, label in _KEY_LABELS.items()}

# The keys of each command that work, by its id.
Keys = Mapping[str, tuple[str, ...]]


def key_label(key: str) -> str:
    """A key as people write it: Textual's `ctrl+p` is `^p`."""
    return _KEY_LABELS.get(key, key.replace("ctrl+", "^"))


def key_labels(keys: tuple[str, ...]) -> str:
    """Keys as people write them, a blank between them."""
    return " ".join(key_label(key) for key in keys)


def key_of_label(label: str) -> str:
    """Textual's name of a key that people write so; of several, of the first."""
    first = label.split(" ", maxsplit=1)[0]
    return _KEYS_BY_LABEL.get(first, f"ctrl+{first[1:]}" if len(first) > 1 and first.startswith("^") else first)


def live_keys(screen: Screen[Any]) -> Keys:
    """The keys that work where the focus is, by the ids of their commands."""
    found: dict[str, tuple[str, ...]] = {}
    for key, active in screen.active_bindings.items():
        if active.binding.id is not None:
            found[active.binding.id] = (*found.get(active.binding.id, ()), key)
    return found
