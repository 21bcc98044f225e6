"""Every command of the panel with its keys, for tables: of the README, of a configuration. Without Textual."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from mvtui.ui.command import Command
from mvtui.ui.commands import ALL_COMMANDS, help_of


class KeyRow(NamedTuple):
    """`group` is the command's heading in the help, `keys` are Textual's names of those that it comes with, `does` is
    what it does, in a few words."""

    group: str
    id: str
    keys: tuple[str, ...]
    does: str


def key_rows() -> Iterator[KeyRow]:
    """One for each command, group by group, in the order of the help."""
    groups = {one.group: None for one in ALL_COMMANDS}
    for group, commands in groupby(sorted(ALL_COMMANDS, key=lambda one: list(groups).index(one.group)), _group):
        for one in commands:
            yield KeyRow(group, one.id, one.keys, _does(one))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w'-]+", text))


def _group(one: Command) -> str:
    return one.group


def _does(one: Command) -> str:
    """Its words and what the help says, no word of them twice."""
    told = help_of(one, {})
    what, end, more = told.partition(";")
    if _words(one.words) <= _words(told):
        return told
    return f"{one.words}{end}{more}" if one.words.endswith(what) else f"{one.words}: {told}"
