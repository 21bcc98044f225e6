"""A guest's console in systemd's journal: microvm.nix's units have the serial console on their standard output."""

import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mvtui.host.bounded_output import bounded_output
from mvtui.host.calls import CallLog
from mvtui.host.journal_export import EntrySplitter, fields_of, received_at
from mvtui.model.call import CallKind
from mvtui.model.console import Logged, read_console
from mvtui.model.guest import Console
from mvtui.model.unit import UnitKind, unit_name

# Where systemd notes which run a unit is in, for journald (systemd's src/shared/unit-file: `invocation:UNIT`).
_INVOCATIONS = "run/systemd/units"
# Seconds and bytes that one look may take; a boot's console is some 100 KiB.
_SECONDS = 2.0
_MAX_BYTES = 2 << 20
# Of what is too much the end is read, so many lines.
_LAST_LINES = 1000


class Position(NamedTuple):
    """How far the console of this run was read: `cursor` is journald's, "" before the first line."""

    console: Console
    cursor: str = ""


def invocation(root: Path, microvm: str) -> str | None:
    """What names this run of `microvm@NAME` (systemd.exec(5), $INVOCATION_ID); None where it can't be told."""
    with suppress(OSError):
        found = os.readlink(root / _INVOCATIONS / f"invocation:{unit_name(UnitKind.HYPERVISOR, microvm)}")
        return found if len(found) == 32 and found.isalnum() and found.isascii() else None
    return None


class ConsoleJournal:
    """Reads by journalctl(1), which follows no link that a guest could make, and knows whose line each is."""

    def __init__(self, calls: CallLog, program: str = "journalctl", seconds: float = _SECONDS) -> None:
        self._calls = calls
        self._program = program
        self._seconds = seconds

    def read(self, microvm: str, run: str, before: Position | None) -> Position:
        """What the console has shown in the run `run`, on from `before`. Blocking, a few seconds at most; where the
        journal is not to be read, the console's `problem` says so."""
        matches = [f"_SYSTEMD_UNIT={unit_name(UnitKind.HYPERVISOR, microvm)}", f"_SYSTEMD_INVOCATION_ID={run}"]
        after = [f"--after-cursor={before.cursor}"] if before is not None and before.cursor else []
        console = before.console if before is not None else Console()
        with self._calls.call(CallKind.COMMAND, shlex.join([self._program, *matches]), poll=True) as call:
            found = self._entries([*after, *matches])
            if found.cut:  # a guest that floods its console: what stands at its end counts
                console = read_console(console, found.lines)._replace(complete=False)
                found = self._entries(["--reverse", f"--lines={_LAST_LINES}", *matches])
                found = found._replace(lines=found.lines[::-1], cursor=found.first_cursor)
            call.end(found.problem or f"{len(found.lines)} lines", ok=not found.problem)
        cursor = found.cursor or (before.cursor if before is not None else "")
        console = read_console(console, found.lines)
        nothing = not cursor and not found.lines
        problem = found.problem or (_nothing() if nothing else "")
        return Position(console._replace(problem=problem), cursor)

    def _entries(self, arguments: Sequence[str]) -> "_Found":
        command = [self._program, "--quiet", "--no-pager", "--output=export", "--output-fields=MESSAGE", *arguments]
        try:
            output, whole = bounded_output(command, self._seconds, _MAX_BYTES)
        except OSError as error:
            return _Found((), "", "", cut=False, problem=f"{self._program}: {error.strerror}")
        return _parse(output, cut=not whole)


def _nothing() -> str:
    rights = "" if os.geteuid() == 0 else " that this user may read (root and the group systemd-journal may read all)"
    return f"there is nothing of its console in the journal{rights}"


class _Found(NamedTuple):
    lines: tuple[Logged, ...]
    first_cursor: str
    cursor: str
    cut: bool
    problem: str = ""


def _parse(output: bytes, *, cut: bool) -> _Found:
    """The lines in what journalctl exports; an entry that was cut short is left out."""
    lines: list[Logged] = []
    first = last = ""
    for entry in EntrySplitter().feed(output):
        fields = dict(fields_of(entry))
        message, cursor = fields.get("MESSAGE"), fields.get("__CURSOR", b"").decode(errors="replace")
        if message is not None and cursor:
            lines.append(Logged(received_at(fields.get("__REALTIME_TIMESTAMP")), message.decode(errors="replace")))
            first, last = first or cursor, cursor
    return _Found(tuple(lines), first, last, cut)
