"""What is armed, on record: `armed/NAME` in the host's records, one JSON object each.

And what mvtui made, `made/NAME`: the inode of the overlay that a reset made, with its times. As long as it has those,
nobody has written to it: every write, mount or move moves its ctime, which only a change of the clock could set back.
A restore moves it too, and notes that.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mvtui.errors import MvtuiError
from mvtui.host.ports import ARMED
from mvtui.host.records import read_record, record_names, remove_record, write_record
from mvtui.model.arming import Arming
from mvtui.model.overlay import Armed
from mvtui.model.own_command import own_command

_MADE = "made"
Mark = list[int]
_MAX_BYTES = 1 << 14


def new_arming(how: Armed, *, strict: bool = False, persistent: bool = False, by_host: bool = False) -> Arming:
    """An order that is given now."""
    return Arming(how, datetime.now(UTC), os.urandom(8).hex(), strict, persistent, by_host)


def armed_names(records: Path) -> tuple[str, ...]:
    """The microVMs that have a record, sorted; one of them may be damaged. Never raises."""
    return record_names(records, ARMED)


def read_arming(records: Path, microvm: str) -> Arming | None:
    """What is armed of the microVM; None where nothing is. Raises MvtuiError for a record that is damaged."""
    text = read_record(records, f"{ARMED}/{microvm}", _MAX_BYTES)
    if text is None:
        if microvm in armed_names(records):
            raise _damaged(records, microvm)
        return None
    import json  # noqa: PLC0415 - most hosts have nothing armed, and `mvtui list` is fast

    try:
        return _parsed(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(records, microvm) from None


def write_arming(records: Path, microvm: str, arming: Arming) -> None:
    """Replace the record. Raises RightsMissingError, MvtuiError."""
    import json  # noqa: PLC0415 - as above

    document = arming._asdict() | {
        "at": arming.at.isoformat(),
        "refused_at": arming.refused_at.isoformat() if arming.refused_at is not None else None,
    }
    write_record(records, f"{ARMED}/{microvm}", json.dumps(document, indent=1) + "\n")


def remove_arming(records: Path, microvm: str) -> bool:
    """Remove the record; false where there was none. Raises RightsMissingError, MvtuiError."""
    return remove_record(records, f"{ARMED}/{microvm}")


def note_made(records: Path, microvm: str, path: str, mark: Mark | None = None) -> None:
    """Remember the overlay that a reset has just made: the image, or the share's `store`, at `path` (of this process).
    `mark` is its `mark_of` as early as it could be taken, else that of now. Raises MvtuiError; nobody has to care: it
    then counts as used."""
    import json  # noqa: PLC0415 - as above

    # Hidden: a directory that becomes a link meanwhile would have root tell what is elsewhere.
    mark = mark or mark_of(path)
    if mark is not None:
        write_record(records, f"{_MADE}/{microvm}", json.dumps([path, mark]) + "\n", 0o600)


def note_moved(records: Path, microvm: str, before: str, now: str) -> None:
    """mvtui itself has moved what was unused at `before`: a rename changes nothing but the ctime. Raises MvtuiError."""
    import json  # noqa: PLC0415 - as above

    noted, mark = _read_made(records, microvm)
    new = mark_of(now)
    if noted == before and new is not None and mark[:-1] == new[:-1]:
        write_record(records, f"{_MADE}/{microvm}", json.dumps([now, new]) + "\n", 0o600)


def made_path(records: Path, microvm: str) -> str | None:
    """Where the overlay is (for this process) that a reset made last, as long as nobody has written to it since; None
    where somebody has, or where it is not known."""
    path, mark = _read_made(records, microvm)
    return path if path and mark == mark_of(path) else None


def _read_made(records: Path, microvm: str) -> tuple[str, Mark]:
    """The path and the mark on record; "" and no mark where there are none."""
    text = read_record(records, f"{_MADE}/{microvm}", _MAX_BYTES)
    if text is None:
        return "", []
    import json  # noqa: PLC0415 - as above

    try:
        path, mark = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return "", []
    return (path, mark) if isinstance(path, str) and isinstance(mark, list) else ("", [])


def mark_of(path: str) -> Mark | None:
    """What changes with every use of it (a device has another number after a boot of the host). It is only looked at,
    whatever its owner put there."""
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return [facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns]


def _parsed(document: Mapping[str, Any]) -> Arming:
    refused_at = document["refused_at"]
    return Arming(
        how=Armed(document["how"]),
        at=datetime.fromisoformat(document["at"]).astimezone(UTC),
        key=str(document["key"]),
        strict=document["strict"] is True,
        persistent=document["persistent"] is True,
        by_host=document["by_host"] is True,
        invocation=str(document["invocation"]),
        refused=str(document["refused"]),
        refused_at=datetime.fromisoformat(refused_at).astimezone(UTC) if refused_at is not None else None,
    )


def _damaged(records: Path, microvm: str) -> MvtuiError:
    return MvtuiError(
        f"{records}/{ARMED}/{microvm} is no record that this mvtui understands",
        f"{own_command('arm', microvm, option='--off')} removes it",
    )
