"""When what systemd no longer tells has ended, from its journal: a unit that was unloaded, a virtiofsd whose unit is
active all the same.
"""

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from mvtui.host.bounded_output import bounded_output
from mvtui.host.calls import CallLog
from mvtui.host.journal_export import received_at
from mvtui.host.ports import End
from mvtui.model.call import CallKind
from mvtui.model.unit import UnitKind, unit_name

# Seconds that journalctl may take; lines (the newest) and bytes that are read of what it says.
_TIMEOUT = 2.0
_MAX_LINES = 1000
_MAX_BYTES = 4 << 20
_MAX_LINE_BYTES = 1 << 14

_FIELDS = ("UNIT", "_SYSTEMD_UNIT", "MESSAGE_ID", "MESSAGE")
# sd-messages.h: SD_MESSAGE_UNIT_STARTED, and what is logged when a unit leaves for inactive or failed
# (…_UNIT_STOPPED, …_UNIT_SUCCESS, …_UNIT_FAILURE_RESULT).
_STARTED = "39f53479d3a045ac8e11786248231fbf"
_ENDED = (
    "9d1aaa27d60140bd96365438aad20286",
    "7ad2d189f7e94e70a38c781354912448",
    "d9b373ed55a64feb8242e02dbe79a49c",
)
# supervisord's log: `2026-08-01 12:00:00,000 WARN exited: virtiofsd-home (terminated by SIGKILL; not expected)`.
_DAEMON_ENDED = re.compile(
    r"\S+ \S+ [A-Z]+ (?:(?:exited|stopped): virtiofsd-(.+) \([^()]*\)|gave up: virtiofsd-(.+) entered FATAL state\b.*)"
)


class Entry(NamedTuple):
    """An entry of the journal, as far as it makes sense: `at` is when journald received it, None also where that has
    not come yet (the clock was set back). `subject` is the unit that systemd speaks of, `unit` the one that speaks."""

    at: datetime | None
    subject: object
    unit: object
    message_id: object
    message: object


class JournalTimes:
    """`EndTimes` of systemd's journal, by one run of journalctl(1) for all that is asked. Where there is none, where it
    may not be read or does not answer within `timeout` seconds, nothing is known.

    A share went down with the first end of its virtiofsd in this run: the hypervisor does not connect to the one that
    supervisord starts after it. Where the journal has lost that end already, the first that is left counts.
    """

    def __init__(
        self,
        calls: CallLog,
        program: str = "journalctl",
        timeout: float = _TIMEOUT,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._calls = calls
        self._program = program
        self._timeout = timeout
        self._now = now or (lambda: datetime.now(UTC))

    def read(self, ends: Collection[End]) -> Mapping[End, datetime]:
        """When each of `ends` was."""
        if not ends:
            return {}
        lines = self._lines([self._program, *_arguments(ends)])
        newest_first = list(_entries(lines, self._now()))
        is_whole = len(lines) < _MAX_LINES
        found = {}
        for end in ends:
            at = _unit_end(end, newest_first) if end.share is None else _daemon_end(end, newest_first, is_whole)
            if at is not None:
                found[end] = at
        return found

    def _lines(self, command: list[str]) -> list[bytes]:
        with self._calls.call(CallKind.COMMAND, shlex.join(command), poll=True) as call:
            try:
                output, is_whole = bounded_output(command, self._timeout, _MAX_BYTES)
            except OSError:  # there is none
                output, is_whole = b"", False
            lines = output.splitlines() if is_whole else []
            call.end(f"{len(lines)} lines" if lines else "nothing")
        return lines


def _arguments(ends: Collection[End]) -> list[str]:
    arguments = ["--quiet", "--no-pager", "--output=json", f"--output-fields={','.join(_FIELDS)}"]
    arguments += ["--reverse", f"--lines={_MAX_LINES}"]
    afters = [end.after for end in ends if end.after is not None]
    if len(afters) == len(ends):
        arguments.append(f"--since=@{min(afters).timestamp():.6f}")
    stopped = {_hypervisor_unit(end) for end in ends if end.share is None}
    served = {_virtiofsd_unit(end) for end in ends if end.share is not None}
    if stopped:
        # Of the service manager itself: anybody can log a field UNIT, and nobody an underlined one.
        arguments += ["_PID=1", *(f"MESSAGE_ID={each}" for each in (_STARTED, *_ENDED))]
        arguments += [f"UNIT={unit}" for unit in sorted(stopped)]
    if stopped and served:
        arguments.append("+")
    if served:
        # What the daemons themselves say supervisord hands on by syslog(3).
        arguments += ["_TRANSPORT=stdout", *(f"_SYSTEMD_UNIT={unit}" for unit in sorted(served))]
    return arguments


def _hypervisor_unit(end: End) -> str:
    return unit_name(UnitKind.HYPERVISOR, end.microvm)


def _virtiofsd_unit(end: End) -> str:
    return unit_name(UnitKind.VIRTIOFSD, end.microvm)


def _unit_end(end: End, newest_first: Sequence[Entry]) -> datetime | None:
    """The last end, unless a start came after it: then the journal misses how that run ended."""
    unit = _hypervisor_unit(end)
    last = next((entry for entry in newest_first if entry.subject == unit), None)
    return last.at if last is not None and last.message_id in _ENDED else None


def _daemon_end(end: End, newest_first: Sequence[Entry], is_whole: bool) -> datetime | None:
    unit, first = _virtiofsd_unit(end), None
    reaches_back = is_whole
    for entry in newest_first:
        if entry.at is None:
            continue
        if end.after is not None and entry.at < end.after:
            reaches_back = True
            break
        said = entry.message if entry.unit == unit else None
        ended = _DAEMON_ENDED.fullmatch(said) if isinstance(said, str) else None
        if ended is not None and end.share in ended.groups():
            first = entry.at
    return first if reaches_back else None


def _entries(lines: Sequence[bytes], now: datetime) -> Iterator[Entry]:
    import json  # noqa: PLC0415 - most looks need nothing of the journal

    for line in lines:
        if len(line) > _MAX_LINE_BYTES:
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict):
            at = received_at(fields.get("__REALTIME_TIMESTAMP"))
            told = (fields.get(name) for name in _FIELDS)
            yield Entry(at if at is not None and at <= now else None, *told)
