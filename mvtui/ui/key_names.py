"""Keys by their names: as people write them in a configuration, as Textual calls them, as they are shown. Pure."""

import re
import string
import unicodedata

from mvtui.errors import MvtuiError
from mvtui.model.nearest import did_you_mean

# Unicode's names of these are other than Textual's (textual.keys).
_TEXTUAL_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_LABELS = {
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "insert": "Ins",
    "delete": "Del",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
}
_BY_LABEL = {label: key for key, label in _LABELS.items()}
_SAME = {"esc": "escape", "return": "enter", "pgdn": "pagedown", "pgup": "pageup", "del": "delete", "ins": "insert"}
_NAMED = {*_LABELS, "space", "backspace"}
# With ctrl, terminals send these as other keys.
_TWINS = {"i": "tab", "m": "enter", "h": "backspace", "[": "escape"}
_WITH_CTRL = {*string.ascii_lowercase, "@", "\\", "]", "^", "_"} - _TWINS.keys()
_MOVES = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "delete")
_MODIFIED = {
    "shift+tab",
    *[f"ctrl+f{number}" for number in range(1, 25)],
    *[f"{modifier}+{move}" for modifier in ("ctrl", "shift", "ctrl+shift") for move in _MOVES],
}
_MODIFIER = re.compile(r"(?i:(ctrl|alt|shift)\+|(\^))(?=.)")
# Among so many short names there is one for any word: `Foo` is half a `colon`.
_ALIKE = 0.7
_WAYS = "a key is a character, space, Enter, Esc, Tab, F1, PgDn …, ^x with ctrl, alt+x or shift+Tab"


def character_name(character: str) -> str:
    """Textual's name of the key that types it."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return _TEXTUAL_NAMES.get(name, name)


_CHARACTERS = {character_name(character): character for character in string.punctuation}


def key_of(text: str) -> str:
    """Textual's name of the key that people write so: `^p`, `F1`, `PgDn`, `space`, `/`; Textual's names mean
    themselves. Raises MvtuiError: there is no such key, or terminals send it as another one."""
    modifiers, rest = set[str](), text.strip() or text
    while matched := _MODIFIER.match(rest):
        modifiers.add((matched[1] or "ctrl").lower())
        rest = rest[matched.end() :]
    if len(rest) > 1 or rest in _BY_LABEL:
        name = rest.lower().replace(" ", "")
        name = _BY_LABEL.get(rest) or _SAME.get(name, name)
        if name not in _CHARACTERS:
            return _named(text, name, modifiers)
        rest = _CHARACTERS[name]
    if rest == " ":
        return _named(text, "space", modifiers)
    if not rest or not rest.isprintable():
        raise MvtuiError(f"there is no key {text!r}", _WAYS)
    return _typed(text, rest, modifiers)


def _named(text: str, name: str, modifiers: set[str]) -> str:
    """A key that types no visible character."""
    if name == "space" and modifiers == {"ctrl"}:
        return "ctrl+@"
    key = "+".join((*sorted(modifiers), name))
    if (name in _NAMED and not modifiers) or key in _MODIFIED:
        return key
    if name in _NAMED:
        raise MvtuiError(f"terminals do not send the key {text!r}", _WAYS)
    is_word = len(name) > 2 and name.replace("_", "").isalpha()
    near = did_you_mean(name, [*_NAMED, *_SAME, *_CHARACTERS], _ALIKE) if is_word else ""
    raise MvtuiError(f"there is no key {text!r}", near or _WAYS)


def _typed(text: str, character: str, modifiers: set[str]) -> str:
    """A key that types a character, alone or with others."""
    if "shift" in modifiers and character.isalpha():
        character = character.upper()
        modifiers = modifiers - {"shift"}
    if not modifiers:
        return character_name(character)
    if modifiers == {"ctrl"}:
        lower = character.lower()
        if lower in _TWINS:
            raise MvtuiError(f"terminals send {text!r} as {_TWINS[lower]}", f'write "{_TWINS[lower]}", or another key')
        if lower in _WITH_CTRL:
            return "ctrl+@" if lower == "@" else f"ctrl+{character_name(lower)}"
    if modifiers == {"alt"} and character.isascii() and character.isalnum():
        return f"alt+shift+{character.lower()}" if character.isupper() else f"alt+{character}"
    raise MvtuiError(f"terminals do not send the key {text!r}", _WAYS)


def key_label(key: str) -> str:
    """A key as people write it: Textual's `ctrl+p` is `^p`, its `question_mark` is `?`."""
    *modifiers, name = key.split("+")
    label = _LABELS.get(name) or _CHARACTERS.get(name, name)
    if modifiers == ["alt", "shift"]:
        return f"alt+{label.upper()}"
    return "+".join((*modifiers, label)).replace("ctrl+", "^")


def key_text(key: str) -> str:
    """A key as a file has it: as people write it, in ASCII."""
    label = key_label(key)
    return label if label.isascii() else key


def types_something(key: str) -> bool:
    """Whether it stands in a field when it is pressed there."""
    return len(key) == 1 or key in _CHARACTERS or key == "space" or ("+" not in key and key not in _NAMED)


def key_labels(keys: tuple[str, ...]) -> str:
    """Keys as people write them, a blank between them."""
    return " ".join(key_label(key) for key in keys)


def labels_within(keys: tuple[str, ...], room: int) -> str:
    """As many of the keys as have room in a column of so many cells, but the first in any case; at least as long."""
    shown = keys
    while len(shown) > 1 and len(key_labels(shown)) > room:
        shown = shown[:-1]
    return key_labels(shown).ljust(room)


def key_of_label(label: str) -> str:
    """Textual's name of a key that stands so on the screen; of several, of the first. What is none stays as it is."""
    first = label.split(" ", maxsplit=1)[0]
    try:
        return key_of(first)
    except MvtuiError:
        return first
