"""What a person changes in a definition file: one value for each change. Pure.

Changes are applied one after the other: an index (`at`) counts in what the change before it left.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

Value = str | int | bool | Sequence[str]
"""What an option of a share or a volume takes, in TOML's types."""


class ItemKind(StrEnum):
    """What a definition has several of; the option's name."""

    SHARES = "shares"
    VOLUMES = "volumes"


class SetField(NamedTuple):
    """The option `key` of the share or volume `at` gets `value`; None takes the key out, so that it has its
    default."""

    kind: ItemKind
    at: int
    key: str
    value: Value | None


class AddItem(NamedTuple):
    """A new share or volume with `values` by option name, in that order; behind the others, or at `at`."""

    kind: ItemKind
    values: Mapping[str, Value]
    at: int | None = None


class RemoveItem(NamedTuple):
    """The share or volume `at` goes, with the comment right above it. Of the last one an empty list is left: without a
    word of them, the file would say nothing of shares, and not that there are none."""

    kind: ItemKind
    at: int


class MoveItem(NamedTuple):
    """The share or volume `at` moves to where it is number `to`. A volume's place is its drive letter."""

    kind: ItemKind
    at: int
    to: int


class SetOverlay(NamedTuple):
    """`writableStoreOverlay` gets this path; None takes it out."""

    path: str | None


Edit = SetField | AddItem | RemoveItem | MoveItem | SetOverlay
