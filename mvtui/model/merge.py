"""Two texts that were made from one, put together line by line where their changes do not touch. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class _Change(NamedTuple):
    """Lines `start` to `end` of the base became `lines`."""

    start: int
    end: int
    lines: Sequence[str]


def merged(base: str, mine: str, theirs: str) -> str | None:
    """`base` with the changes of both; None where two touch: they change the same line, or lines next to each other in
    different ways."""
    lines = base.splitlines(keepends=True)
    changes = sorted({*_changes(lines, mine), *_changes(lines, theirs)})
    parts: list[str] = []
    at = 0
    for number, change in enumerate(changes):
        if number and change.start <= changes[number - 1].end:
            return None
        parts += [*lines[at : change.start], *change.lines]
        at = change.end
    return "".join([*parts, *lines[at:]])


def _changes(base: Sequence[str], text: str) -> list[_Change]:
    lines = text.splitlines(keepends=True)
    matcher = SequenceMatcher(None, base, lines, autojunk=False)
    return [
        _Change(start, end, tuple(lines[new_start:new_end]))
        for tag, start, end, new_start, new_end in matcher.get_opcodes()
        if tag != "equal"
    ]
