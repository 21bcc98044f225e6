"""Keys that a configuration has for the panel's commands, checked; and all commands for the file that it writes."""

from collections.abc import Iterator

from mvtui.host.configuration import Problem
from mvtui.model.positions import position_of, positions
from mvtui.model.settings import Chosen
from mvtui.ui.key_names import key_label, key_text
from mvtui.ui.key_table import key_rows
from mvtui.ui.keymap import checked_keys, keys_with
from mvtui.ui.keys import Keys


def keys_of(counts: Chosen) -> Keys:
    """What the panel takes. Raises ConfigurationError where anything is wrong with them."""
    return checked_keys(counts.settings.keys, lambda one: _place(one, counts)) if counts.settings.keys else {}


def key_problems(counts: Chosen) -> tuple[Problem, ...]:
    """What is wrong with them."""
    return keys_with(counts.settings.keys, lambda one: _place(one, counts))[1] if counts.settings.keys else ()


def key_notes(counts: Chosen) -> Iterator[str]:
    """Keys that were chosen and do not show everywhere."""
    keys, _ = keys_with(counts.settings.keys)
    for id in counts.settings.keys:  # noqa: A001
        for key in keys.get(id, ()):
            if not key_text(key).isascii():
                where = _place(id, counts)
                yield f"{where}: {id} has the key {key_label(key)}, which shows as ? where the panel is in ASCII"


def key_lines() -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Every command: its id, the keys that it comes with as a file has them, what it does."""
    for row in key_rows():
        yield row.id, tuple(map(key_text, row.keys)), row.does


def _place(id: str, counts: Chosen) -> str:  # noqa: A002
    """The file that has chosen the keys of that command, and the line."""
    layer = counts.sources.get(f"keys.{id}")
    if layer is None:
        return "keys"
    position = position_of(f"keys.{id}", positions(layer.text))
    return f"{layer.path}:{position.line}" if position is not None else layer.path
