"""What a microVM's units said last, from the journal or from the logs of who runs them without systemd."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.host.journal_export import received_at
from mvtui.host.log_files import open_log
from mvtui.model.call import CallKind
from mvtui.model.closer import LastWords
from mvtui.model.log import LogSource
from mvtui.model.unit import UnitKind, unit_name

# A keeper has one log for virtiofsd, and one for all else, in which it says itself why it could not start it.
_LOG, _LOG_OF_VIRTIOFSD = "microvm.log", "virtiofsd.log"
_TIMEOUT = 2.0
_LINES = 60
_TAIL_BYTES = 1 << 14
# A guest says what it likes on its console; more than a sentence helps nobody.
_MOST_CHARACTERS = 300

# supervisord's own log; its last run begins with the first of these.
_SUPERVISORD = re.compile(r"\S+ \S+ (?:INFO|WARN|CRIT|ERRO|DEBG) (.*)")
_BEGINS = "supervisord started with pid"
_GAVE_UP = re.compile(r"gave up: virtiofsd-(.+) entered FATAL state\b.*")


class Said(NamedTuple):
    """One line that `unit` wrote; `at` in UTC."""

    unit: str
    text: str
    at: datetime | None = None


class Words(NamedTuple):
    """The last line of each unit, the hypervisor's first, and the tags of the shares that supervisord has given up."""

    last: tuple[LastWords, ...] = ()
    gave_up: tuple[str, ...] = ()


def from_journal(microvm: str, calls: CallLog, program: str = "journalctl") -> Words:
    """Of the units of `microvm`, by one run of journalctl(1). Nothing where it may not be read or does not answer."""
    units = [unit_name(kind, microvm) for kind in reversed(UnitKind)]
    command = [program, "--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE,_SYSTEMD_UNIT", "--reverse"]
    command += [f"--lines={_LINES}", *(f"_SYSTEMD_UNIT={unit}" for unit in units)]
    with calls.call(CallKind.COMMAND, shlex.join(command), poll=True) as call:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            call.end("nothing")
            return Words()
        lines = done.stdout.splitlines()
        call.end(f"{len(lines)} lines" if lines else "nothing")
    return _words(list(_entries(lines)), microvm)


def from_logs(microvm: str, directory: Path) -> Words:
    """Of the logs in `directory`, that of `microvm`, where who runs it writes them."""
    lines = {name: _tail(directory, name)[::-1] for name in (_LOG, _LOG_OF_VIRTIOFSD)}
    logs = {kind: _LOG_OF_VIRTIOFSD if kind is UnitKind.VIRTIOFSD else _LOG for kind in reversed(UnitKind)}
    said = [Said(unit_name(kind, microvm), line) for kind, name in logs.items() for line in lines[name]]
    return _words(said, microvm)


def _words(newest_first: Sequence[Said], microvm: str) -> Words:
    last, gave_up = [], []
    for unit in (unit_name(kind, microvm) for kind in reversed(UnitKind)):
        own = [one for one in newest_first if one.unit == unit and one.text.strip()]
        said = next((one for one in own if not _SUPERVISORD.fullmatch(one.text)), None)
        if said is not None:
            last.append(LastWords(unit, said.text.strip()[:_MOST_CHARACTERS], said.at))
    for one in newest_first:
        if one.unit != unit_name(UnitKind.VIRTIOFSD, microvm):  # a guest can say the same on its console
            continue
        log = _SUPERVISORD.fullmatch(one.text)
        if log is not None and log[1].startswith(_BEGINS):
            break
        if log is not None and (given := _GAVE_UP.fullmatch(log[1])):
            gave_up.append(given[1])
    return Words(tuple(last), tuple(dict.fromkeys(gave_up)))


def _entries(lines: Sequence[bytes]) -> Iterator[Said]:
    import json  # noqa: PLC0415 - most looks need nothing of the journal

    for line in lines:
        with suppress(ValueError, TypeError, KeyError, RecursionError, OverflowError, OSError):
            fields = json.loads(line)
            if not isinstance(fields, dict):
                continue
            unit, text = fields.get("_SYSTEMD_UNIT"), fields.get("MESSAGE")
            if isinstance(text, list):  # bytes that are no UTF-8
                text = bytes(text).decode("utf-8", "replace")
            if isinstance(unit, str) and isinstance(text, str):
                at = received_at(fields.get("__REALTIME_TIMESTAMP"))
                if at is not None:
                    yield Said(unit, text, at)


def _tail(directory: Path, name: str) -> list[str]:
    """The last lines of a log; the directory is an unprivileged user's, so a link or a device is none."""
    try:
        log = open_log(str(directory), name, 0, LogSource.GUEST)
    except MvtuiError:
        return []
    if log is None:
        return []
    try:
        end = os.pread(log.descriptor, _TAIL_BYTES, max(0, log.size - _TAIL_BYTES))
    except OSError:
        return []
    finally:
        os.close(log.descriptor)
    return end.decode("utf-8", "replace").splitlines()
