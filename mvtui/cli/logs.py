"""`mvtui logs NAME…`: what microVMs have logged, and what they log."""

import argparse
import os
import re
import select
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from mvtui.cli.output import write_lines
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host, Logs
from mvtui.model.log import LEVELS, LogEntry, LogFilter, LogSource, level_number
from mvtui.model.nearest import did_you_mean
from mvtui.model.text import clean
from mvtui.operations.logs import last_records, open_logs

SCHEMA = 1
# So many are shown where nothing else is said.
DEFAULT_LINES = 50
# Seconds: so often a log is looked at that does not say when it has something to read.
_LOOK_SECONDS = 0.25

_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
Match = Callable[[bytes], bool]


def check_options(args: argparse.Namespace, now: datetime) -> LogFilter:
    """What is wanted. Raises MvtuiError for words that mean nothing."""
    level = level_number(args.level)
    if level is None:
        raise MvtuiError(f"there is no level {args.level!r}", f"there are {', '.join(LEVELS)}", ExitCode.USAGE)
    source = LogSource(args.source) if args.source is not None else None
    return LogFilter(level, source, instant(args.since, now) if args.since is not None else None)


def instant(text: str, now: datetime) -> datetime:
    """`15m`, `2h`, `3d` ago; `today`, `yesterday`; `12:30` of today; an ISO 8601 date or time, in local time where it
    names no zone. In UTC. Raises MvtuiError."""
    span = re.fullmatch(r"(\d{1,6}) ?(s|min|m|h|d|w)(?: ago)?", text.strip())
    today = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if span is not None:
            return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        if text in ("today", "yesterday"):
            return (today - timedelta(days=text == "yesterday")).astimezone(UTC)
        if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
            return datetime.fromisoformat(f"{today:%Y-%m-%d}T{text}").astimezone(UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise MvtuiError(
        f"--since {text!r} is no time", 'say for example 15m, 2h, today, 12:30, or "2026-08-01 12:30"', ExitCode.USAGE
    )


def pattern(text: str) -> re.Pattern[str]:
    """The regular expression; without a capital letter it means both cases. Raises MvtuiError."""
    try:
        return re.compile(text, 0 if any(char.isupper() for char in text) else re.IGNORECASE)
    except re.error as error:
        hint = "it is a regular expression of Python; a backslash before a character takes its meaning away"
        raise MvtuiError(f"--grep {text!r}: {error}", hint, ExitCode.USAGE) from None


def run_logs(host: Host, args: argparse.Namespace) -> int:
    """Write what is wanted, and with `-f` go on. Raises MvtuiError."""
    wanted = check_options(args, datetime.now(UTC))
    expression = pattern(args.grep) if args.grep is not None else None
    names = list(dict.fromkeys(args.names))
    logs = open_logs(host, names)
    _check_names(host, names)

    def is_meant(record: bytes) -> bool:
        return logs.matches(record, wanted) and (
            expression is None or expression.search(logs.entry(record).message) is not None
        )

    tell = _Teller(logs, as_json=args.json, names_too=len(names) > 1)
    if args.lines is None and wanted.since is not None:
        _stream(logs, wanted, is_meant, tell, follow=args.follow)
        return ExitCode.OK
    count = args.lines if args.lines is not None else DEFAULT_LINES
    shown, newest = last_records(logs, wanted, count, is_meant)
    tell(shown)
    if args.follow:
        _stream(logs, wanted, is_meant, tell, after=newest, follow=True, last=0)
    return ExitCode.OK


def _check_names(host: Host, names: Sequence[str]) -> None:
    """Raises MvtuiError for one that is no microVM, unless the logs know it: what is gone may have said why."""
    state_dir = host.on_disk(host.state_dir)
    for name in names:
        is_name = name not in ("", ".", "..") and not any(char in name for char in "/\0")
        if is_name and (os.path.isdir(state_dir / name) or open_logs(host, [name]).page(LogFilter(), 1)):
            continue
        try:
            known = [each for each in os.listdir(state_dir) if not each.startswith(".")]
        except OSError:
            known = []
        hint = did_you_mean(name, known) or "mvtui list shows those there are"
        raise MvtuiError(f"there is no microVM {name!r} in {host.state_dir}", hint)


class _Teller:
    """Writes records to standard output."""

    def __init__(self, logs: Logs, *, as_json: bool, names_too: bool) -> None:
        self._entry, self._as_json, self._names_too = logs.entry, as_json, names_too

    def __call__(self, records: Sequence[bytes]) -> None:
        """All of them, at once."""
        if records:
            write_lines(list(self._lines(records)))

    def _lines(self, records: Sequence[bytes]) -> Iterator[str]:
        for record in records:
            entry = self._entry(record)
            yield _json_line(entry) if self._as_json else _line(entry, names_too=self._names_too)


def _line(entry: LogEntry, *, names_too: bool) -> str:
    at = f"{entry.at.astimezone():%b %d %H:%M:%S}" if entry.at is not None else " " * 15
    who = f"{entry.microvm} {entry.source}" if names_too else str(entry.source)
    speaker = f" {entry.speaker}" if entry.speaker else ""
    return clean(f"{at} {who}{speaker}: {entry.message}")


def _json_line(entry: LogEntry) -> str:
    import json

    return json.dumps(
        {
            "schema": SCHEMA,
            "at": f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}" if entry.at is not None else None,
            "microvm": entry.microvm,
            "source": str(entry.source),
            "speaker": entry.speaker or None,
            "level": LEVELS[entry.level],
            "unit": entry.unit,
            "message": entry.message,
        }
    )


def _stream(
    logs: Logs,
    wanted: LogFilter,
    is_meant: Match,
    tell: "_Teller",
    *,
    after: bytes | None = None,
    follow: bool,
    last: int | None = None,
) -> None:
    """What comes, as it comes, until there is no more."""
    stream = logs.stream(wanted, after=after, last=None if after is not None else last, follow=follow)
    poll = select.poll()
    descriptor = stream.fileno()
    if descriptor is not None:
        poll.register(descriptor, select.POLLIN)
    poll.register(1, 0)  # who reads may have gone
    is_empty = True
    try:
        while (records := stream.read()) is not None:
            is_empty = is_empty and not records
            tell([record for record in records if is_meant(record)])
            if records and follow is False:
                continue
            ready = poll.poll(None if descriptor is not None else _LOOK_SECONDS * 1000)
            if any(number == 1 for number, _ in ready):
                raise BrokenPipeError
        logs.check(stream.complaint, is_empty=is_empty)
    finally:
        stream.close()
