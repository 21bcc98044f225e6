"""What mvtui changed on a host, on record: in the journal, and in `history.jsonl`, which a timeline can read."""

import errno
import fcntl
import json
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host import journal
from mvtui.host.records import make_records, opened, read_record, recorded_seconds, recorded_time
from mvtui.model.text import clean

HISTORY = "history.jsonl"
OLDER = "history.1.jsonl"
# So large each of the two parts may become.
LIMIT = 1 << 20
_MAX_RESULT = 1000


class Change(NamedTuple):
    """One line of the history. `time` is UTC; `action` a verb (`reset`, `restore`); `result` a sentence; `seconds` how
    long it took."""

    time: datetime
    microvm: str
    action: str
    user: str
    result: str
    ok: bool
    seconds: float


def record_change(records: Path, microvm: str, action: str, result: str, *, ok: bool, seconds: float) -> None:
    """Put it on record, with the user who did it. Where the history can't be written, the journal alone has it."""
    journal.record_change(action, microvm, result, ok=ok, seconds=seconds)
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "microvm": clean(microvm),
        "action": action,
        "user": clean(journal.user()),
        "result": clean(result)[:_MAX_RESULT],
        "ok": ok,
        "seconds": round(seconds, 3),
    }
    with suppress(OSError, MvtuiError):
        make_records(records)
        with opened(records) as directory:
            append(directory, (json.dumps(line, ensure_ascii=False) + "\n").encode(), HISTORY, OLDER, LIMIT)


def append(directory: int, line: bytes, name: str, older: str, limit: int) -> None:
    """Write `line` at the end of the file `name` of the open directory, on a line of its own; where that has more than
    `limit` bytes then, it takes the place of `older`. Raises OSError."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(name, flags, 0o644, dir_fd=directory)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return
        if not status.st_size:
            os.fchmod(fd, 0o644)  # whatever the umask
        elif os.pread(fd, 1, status.st_size - 1) != b"\n":
            line = b"\n" + line  # a full disk has cut the last one short, which must not take this one with it
        # One write: two mvtui at once do not mix their lines.
        if os.write(fd, line) < len(line):
            raise OSError(errno.ENOSPC, "there was room for a part of a line only")
        # Whoever may not have the lock leaves the turn to another; a reader who holds it can't stop the record.
        if status.st_size + len(line) > limit:
            with suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                now = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if now.st_ino == status.st_ino:
                    os.rename(name, older, src_dir_fd=directory, dst_dir_fd=directory)
    finally:
        os.close(fd)


def read_changes(records: Path) -> tuple[Change, ...]:
    """The history, oldest first; lines that are none are left out. Never raises."""
    found = []
    for part in (OLDER, HISTORY):
        # The last line may lie beyond the limit.
        for line in (read_record(records, part, LIMIT + (64 << 10), "replace") or "").splitlines():
            change = _change(line)
            if change is not None:
                found.append(change)
    return tuple(found)


def _change(line: str) -> Change | None:
    try:
        told = json.loads(line)
        return Change(
            time=recorded_time(told["time"]),
            microvm=str(told["microvm"]),
            action=str(told["action"]),
            user=str(told["user"]),
            result=str(told["result"]),
            ok=told["ok"] is True,
            seconds=recorded_seconds(told["seconds"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
