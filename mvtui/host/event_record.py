"""What mvtui saw happen to microVMs, in `timeline.jsonl`: what no log of the host has.

An event is a line, written at once, so that several mvtui and the keepers can write it at the same time. What is
already there is never changed; when the file is full, it takes the place of the older part.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host.record_of_changes import append
from mvtui.host.records import make_records, opened, read_record, recorded_seconds, recorded_time
from mvtui.model.text import clean
from mvtui.model.timeline import Event, EventKind

EVENTS = "timeline.jsonl"
OLDER = "timeline.1.jsonl"
# So large each of the two parts may become.
LIMIT = 1 << 20
_LOCK = "timeline.lock"
_MAX_WORDS = 500


class Recorded(NamedTuple):
    """An event, and whose it is."""

    microvm: str
    event: Event


def record_event(records: Path, microvm: str, event: Event) -> str:
    """Put it on record; "", or why that can't be."""
    return record_events(records, [Recorded(microvm, event)])


def record_events(records: Path, events: Sequence[Recorded]) -> str:
    """The same of several."""
    try:
        make_records(records)
        with opened(records) as directory:
            for one in events:
                append(directory, _line(one), EVENTS, OLDER, LIMIT)
    except OSError as error:
        return f"{records}/{EVENTS} can't be written: {(error.strerror or str(error)).lower()}"
    except MvtuiError as error:
        return error.message
    return ""


@contextmanager
def alone(records: Path) -> Iterator[bool]:
    """Whether no other mvtui compares with the record right now; while this lasts, none will. Nobody waits. Raises
    OSError where there can be no record."""
    make_records(records)
    with opened(records) as directory:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        lock = os.open(_LOCK, flags, 0o600, dir_fd=directory)  # nobody else may hold it
    try:
        is_ours = False
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = True
        yield is_ours
    finally:
        os.close(lock)


def read_events(records: Path) -> tuple[Recorded, ...]:
    """All that are on record, in the order in which they were written; lines that are none are left out. Never
    raises."""
    found = []
    for part in (OLDER, EVENTS):
        for line in (read_record(records, part, LIMIT + (64 << 10), "replace") or "").split("\n"):
            recorded = _event(line) if line else None
            if recorded is not None:
                found.append(recorded)
    return tuple(found)


def stamp(records: Path) -> tuple[int, ...]:
    """Another number whenever something was put on record. Never raises."""
    with suppress(OSError):
        facts = os.lstat(records / EVENTS)
        return facts.st_ino, facts.st_size, facts.st_mtime_ns
    return ()


def _line(recorded: Recorded) -> bytes:
    event = recorded.event
    told = {
        "time": event.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "microvm": clean(recorded.microvm),
        "kind": str(event.kind),
        "what": clean(event.what)[:_MAX_WORDS],
        "why": clean(event.why)[:_MAX_WORDS],
        "user": clean(event.user)[:_MAX_WORDS],
        "ok": event.ok,
        "seconds": round(event.seconds, 3) if event.seconds is not None else None,
        "key": clean(event.key)[:_MAX_WORDS],
    }
    return f"{json.dumps(told)}\n".encode()


def _event(line: str) -> Recorded | None:
    try:
        told = json.loads(line)
        event = Event(
            at=recorded_time(told["time"]),
            kind=EventKind(told["kind"]),
            what=str(told["what"]),
            why=str(told["why"]),
            user=str(told["user"]),
            ok=told["ok"] if isinstance(told["ok"], bool) else None,
            seconds=recorded_seconds(told["seconds"]) if told["seconds"] is not None else None,
            key=str(told["key"]),
        )
        return Recorded(str(told["microvm"]), event)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
