"""The text that a save of a definition replaced, kept for undo among the host's records. Only its owner can read it:
the file may not be for everybody."""

import json
from typing import NamedTuple

from mvtui.host.documents import LIMIT
from mvtui.host.ports import Host
from mvtui.host.records import read_record, remove_record, write_record

FOLDER = "definitions"

# Both texts, each character in the longest form that JSON has for it.
_LIMIT = 14 * LIMIT


class Former(NamedTuple):
    """`before` is the text that the save of `after` at `path` replaced; None where there was no file."""

    path: str
    before: str | None
    after: str


def keep_former(host: Host, microvm: str, former: Former | None) -> None:
    """Keep it in the place of what was kept; None: nothing is kept. Raises RightsMissingError, MvtuiError."""
    if former is None:
        remove_record(host.records, f"{FOLDER}/{microvm}")
    else:
        write_record(host.records, f"{FOLDER}/{microvm}", json.dumps(former._asdict()) + "\n", 0o600)


def former_text(host: Host, microvm: str) -> Former | None:
    """What is kept of the last save; None where nothing is, or it can't be read."""
    try:
        told = json.loads(read_record(host.records, f"{FOLDER}/{microvm}", _LIMIT) or "")
        path, before, after = told["path"], told["before"], told["after"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if isinstance(path, str) and isinstance(before, str | None) and isinstance(after, str):
        return Former(path, before, after)
    return None
