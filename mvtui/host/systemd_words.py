"""Calls of systemd's manager and their replies, in a few words for the record of calls."""

import re
from collections.abc import Sequence
from typing import Any

# They change nothing, and come again and again: with each look, each new connection, each job that takes its time.
POLLS = frozenset({"ListUnitsByPatterns", "GetJob", "GetNameOwner", "AddMatch", "Subscribe"})

_NAMED_AT_MOST = 3
_ESCAPED = re.compile("(?:_[0-9a-f]{2})+")


def asked(member: str, body: Sequence[object]) -> str:
    """A method and its arguments: `StopUnit microvm@web.service replace`."""
    if member == "StartTransientUnit":  # the rest are its properties
        body = body[:2]
    return " ".join([member, *(_argument(argument) for argument in body)])


def _argument(argument: object) -> str:
    return f"[{' '.join(map(_argument, argument))}]" if isinstance(argument, list) else str(argument)


def asked_properties(questions: Sequence[tuple[str, str, str]]) -> str:
    """Properties by object path, interface and name: `Get microvm@web.service (12 properties)`."""
    names = [_named(path) for path in dict.fromkeys(path for path, _, _ in questions)]
    if len(names) > _NAMED_AT_MOST:
        names = [names[0], f"and {len(names) - 1} others"]
    what = questions[0][2] if len(questions) == 1 else f"({len(questions)} properties)"
    return " ".join(["Get", *names, what])


def _named(path: str) -> str:
    """The unit or the number of the job of an object path (see `unit_path`)."""
    label = path.rpartition("/")[2]
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace("_", "")).decode(errors="replace"), label)


def told(member: str, body: Sequence[Any]) -> str:
    """The gist of a reply: `job 1234`, `37 units`, `done` where it has none."""
    match body:
        case [list() as listed] if member.startswith("ListUnits"):
            return f"{len(listed)} {'unit' if len(listed) == 1 else 'units'}"
        case [str() as path] if "/job/" in path:
            return f"job {path.rpartition('/')[2]}"
        case [str() as word]:
            return word
        case _:
            return "done"


def told_properties(values: Sequence[object]) -> str:
    """The one value, or how many there are; None is a property that systemd did not give."""
    missing = sum(value is None for value in values)
    match values:
        case [None]:
            return "none"
        case [(str() | int() | float()) as value]:
            return str(value)
        case _:
            return f"{len(values)} values" + (f", {missing} of them none" if missing else "")
