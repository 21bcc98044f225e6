"""The text that a save of a definition replaced, kept for undo among the host's records. Only its owner can read it:
the file may not be for everybody."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from mvtui.host.documents import LIMIT
from mvtui.host.ports import Host
from mvtui.host.records import make_records, opened, read_record, remove_record, write_record

FOLDER = "definitions"

# Both texts, each character in the longest form that JSON has for it.
_LIMIT = 14 * LIMIT
_LOCK = ".lock"
# A save takes no time; one that stands still is not waited for longer.
_LOCK_SECONDS = 5.0


class Former(NamedTuple):
    """`before` is the text that the save of `after` at `path` replaced; None where there was no file."""

    path: str
    before: str | None
    after: str


@contextmanager
def alone(host: Host) -> Iterator[None]:
    """While this lasts, no other mvtui saves a definition. Blocking, for some seconds at most. Raises nothing of its
    own: where nothing can be kept, there is nothing to guard."""
    lock = None
    with suppress(OSError):
        make_records(host.records, FOLDER)
        with opened(host.records, FOLDER) as directory:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            lock = os.open(_LOCK, flags, 0o600, dir_fd=directory)  # nobody else may hold it
    try:
        if lock is not None:
            _wait_for(lock)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _wait_for(lock: int) -> None:
    end = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < end:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:  # a file system without locks
            return
        else:
            return


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
