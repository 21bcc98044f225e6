"""The keys of commands: those that they have, and those of them that work now."""

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from mvtui.ui.key_names import key_label, key_labels, key_of_label, types_something

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

__all__ = ["ALWAYS", "Keys", "all_keys", "key_label", "key_labels", "key_of_label", "leaves", "live_keys", "no_key"]

# The keys of each command, by its id; none where it has none, and is reached by the palette alone.
Keys = Mapping[str, tuple[str, ...]]

# Begins the id of a binding that no keymap takes away from its command.
ALWAYS = "always "
# Begins what a command is bound to that has no key: Textual keeps a binding's own keys where it is given none.
_NO_KEY = "no key for "


def no_key(id: str) -> str:  # noqa: A002
    """What stands for the keys of that command where it has none."""
    return f"{_NO_KEY}{id}"


def all_keys(app: "App[Any]") -> Keys:
    """The keys of every command, in this panel."""
    keys: Keys = getattr(app, "keys", {})
    return keys


def live_keys(screen: "Screen[Any]") -> Keys:
    """The keys that work where the focus is, by the ids of their commands; a command that works there without a key has
    none."""
    found: dict[str, tuple[str, ...]] = {}
    bound = [(key, active.binding.id) for key, active in screen.active_bindings.items() if active.binding.id]
    for key, id in sorted(bound, key=lambda one: one[1].startswith(ALWAYS)):  # noqa: A001
        own = () if key.startswith(_NO_KEY) else (key,)
        found[id.removeprefix(ALWAYS)] = found.get(id.removeprefix(ALWAYS), ()) + own
    return found


def leaves(key: str, keys: Keys, *also: str) -> bool:
    """Whether it leaves what is open over the list or a page: Esc does, whatever the keymap, and so do the keys of
    `leave` and of the commands `also`."""
    return key == "escape" or any(key in keys.get(one, ()) for one in ("leave", *also))


def leave_label(keys: Keys, *, typing: bool = False, taken: Container[str] = ()) -> str:
    """The key that leaves it, as people write it; `typing`: one that types nothing; it is none of those `taken`."""
    own = [key for key in keys.get("leave", ()) if key not in taken and not (typing and types_something(key))]
    return key_label(own[0] if own else "escape")
