"""What microVMs without systemd have logged: the files that their keepers write.

Nobody notes when a line of them was written, so they are not merged by time: one file follows the other, the one that
was written to last at the end, and what comes is shown as it comes. A record is a line with its place before it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host.keeper_group import HYPERVISOR_LOG, VIRTIOFSD_LOG
from mvtui.host.log_files import LogFile, Place, lines_after, lines_before, open_log, parsed
from mvtui.model.log import DEBUG, INFO, LogEntry, LogFilter, LogSource
from mvtui.model.log_words import told_by_virtiofsd

_FILES = {LogSource.VIRTIOFSD: VIRTIOFSD_LOG, LogSource.GUEST: HYPERVISOR_LOG}
_ROTATED = ".1"
_READ_BYTES = 1 << 20
# So many lines are told of what was there: of empty ones these take 95 MB.
_MOST_LINES = 1 << 20


class FileLogs:
    """`Logs` of `microvms`, whose directories are below `state_dir` (a path of this process)."""

    def __init__(self, microvms: Sequence[str], state_dir: Path) -> None:
        self._microvms = tuple(microvms)
        self._state_dir = str(state_dir)
        self._written: dict[tuple[int, LogSource], int] = {}

    def page(
        self, wanted: LogFilter, limit: int, *, before: bytes | None = None, after: bytes | None = None
    ) -> list[bytes]:
        """As JournalLogs.page. Where the place is gone, since the keeper has shortened that log, what stands in
        the next file counts. Raises RightsMissingError, MvtuiError."""
        with self._open(wanted) as files:
            if after is not None:
                found = self._forward(files, parsed(after)[0] if after else None)
                return self._some(found, wanted, limit)
            place = parsed(before)[0] if before is not None else None
            return self._some(self._backward(files, place), wanted, limit)[::-1]

    def _some(self, records: Iterator[bytes], wanted: LogFilter, limit: int) -> list[bytes]:
        found = []
        for record in records:
            if self.matches(record, wanted):
                found.append(record)
            if len(found) == limit:
                break
        return found

    def _backward(self, files: Sequence[LogFile], place: Place | None) -> Iterator[bytes]:
        number, end = len(files) - 1, None
        if place is not None:
            number = next((n for n, file in enumerate(files) if file.inode == place.inode), -1)
            end = place.start
        for file in reversed(files[: number + 1]):
            yield from lines_before(file, file.size if end is None else min(end, file.size))
            end = None

    def _forward(self, files: Sequence[LogFile], place: Place | None) -> Iterator[bytes]:
        number, start = 0, 0
        if place is not None:
            number = next((n for n, file in enumerate(files) if file.inode == place.inode), len(files))
            start = place.end
        for file in files[number:]:
            yield from lines_after(file, max(start, file.first))
            start = 0

    def stream(
        self, wanted: LogFilter, *, after: bytes | None = None, last: int | None = None, follow: bool = True
    ) -> "FileStream":
        """As JournalLogs.stream; it is to be looked at again and again."""
        if after is None:  # who comes to the end sees the log that was written to last there, as of now
            self._written = {}
        tails = self._tails(wanted) if follow else []
        first: list[bytes] = []
        if last != 0:
            first = self.page(wanted, last if last is not None else _MOST_LINES, after=after)
        ends = {}
        for record in first:
            place, _ = parsed(record)
            ends[place.inode] = place.end
        for tail in tails:
            tail.go_on_behind(ends)
        return FileStream(self, wanted, first, tails)

    def _tails(self, wanted: LogFilter) -> "list[_Tail]":
        return [
            _Tail(os.path.join(self._state_dir, name), number, source)
            for number, name in enumerate(self._microvms)
            for source in _wanted_sources(wanted)
        ]

    @contextmanager
    def _open(self, wanted: LogFilter) -> Iterator[list[LogFile]]:
        """The logs in their order. Raises RightsMissingError, MvtuiError."""
        files: list[LogFile] = []
        try:
            for number, name in enumerate(self._microvms):
                directory = os.path.join(self._state_dir, name)
                for source in _wanted_sources(wanted):
                    for file_name in (_FILES[source] + _ROTATED, _FILES[source]):
                        file = open_log(directory, file_name, number, source)
                        files += [file] if file is not None else []
            yield sorted(files, key=lambda file: (self._rank(file, files), file.microvm, file.source))
        finally:
            for file in files:
                os.close(file.descriptor)

    def _rank(self, file: LogFile, files: Sequence[LogFile]) -> int:
        """When that log was written to last, at the first look: who leafs through all goes through each once."""
        of_log, written = (file.microvm, file.source), self._written
        if of_log not in written:
            written[of_log] = max(one.written for one in files if (one.microvm, one.source) == of_log)
        return written[of_log]

    def matches(self, record: bytes, wanted: LogFilter) -> bool:
        """Whether it is wanted. What a guest says has no level of its own: it counts as info, as in the journal."""
        if wanted.level >= DEBUG and wanted.since is None:
            return True
        entry = self.entry(record)
        is_late = wanted.since is None or entry.at is None or entry.at >= wanted.since
        return entry.level <= wanted.level and is_late

    def check(self, complaint: str, *, is_empty: bool) -> None:
        """Nobody complains."""

    def entry(self, record: bytes) -> LogEntry:
        """What a record says."""
        place, line = parsed(record)
        message = line.decode(errors="surrogateescape").rstrip("\r")
        microvm = self._microvms[place.microvm]
        if place.source is not LogSource.VIRTIOFSD:
            return LogEntry(None, INFO, place.source, message, microvm)
        told = told_by_virtiofsd(message)
        at = _time(told.written, told.is_utc)
        return LogEntry(at, told.level, place.source, message, microvm, told.tag, start=told.start)


class FileStream:
    """`LogStream` of files: what was there, then what comes. A file that is moved away is read to its end, one that
    became shorter from its start."""

    def __init__(self, logs: FileLogs, wanted: LogFilter, first: list[bytes], tails: "list[_Tail]") -> None:
        self._logs, self._wanted = logs, wanted
        self._first, self._tails = first, tails
        self.complaint = ""

    def fileno(self) -> int | None:
        """None: a file never becomes readable."""
        return None

    def read(self) -> list[bytes] | None:
        """What has come since the last time; None when no more will come."""
        first, self._first = self._first, []
        if first:
            return first
        if not self._tails:
            return None
        records = [record for tail in self._tails for record in tail.read()]
        return [record for record in records if self._logs.matches(record, self._wanted)]

    def close(self) -> None:
        """Let go of the files."""
        for tail in self._tails:
            tail.close()
        self._tails = []


class _Tail:
    """The end of one log, from now on."""

    def __init__(self, directory: str, microvm: int, source: LogSource) -> None:
        self._directory, self._microvm, self._source = directory, microvm, source
        self._file = self._reopen()
        self._at = self._file.size if self._file is not None else 0

    def go_on_behind(self, ends: Mapping[int, int]) -> None:
        """What is told already, by the inode of the file up to where, does not come again."""
        if self._file is not None:
            self._at = ends.get(self._file.inode, self._at)

    def _reopen(self) -> LogFile | None:
        with suppress(MvtuiError):
            return open_log(self._directory, _FILES[self._source], self._microvm, self._source)
        return None

    def read(self) -> list[bytes]:
        if self._file is None:
            self._file, self._at = self._reopen(), 0
        if self._file is None:
            return []
        records = self._more(self._file)
        if records or not self._has_moved(self._file):
            return records
        self.close()
        return []

    def _more(self, file: LogFile) -> list[bytes]:
        size = os.fstat(file.descriptor).st_size
        if size < self._at:
            self._at = 0
        records = list(lines_after(file._replace(size=min(size, self._at + _READ_BYTES)), self._at, is_live=True))
        if records:
            self._at = parsed(records[-1])[0].end
        return records

    def _has_moved(self, file: LogFile) -> bool:
        try:
            facts = os.lstat(os.path.join(self._directory, _FILES[self._source]))
        except OSError:
            return True
        return facts.st_ino != file.inode

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file.descriptor)
            self._file = None


def _wanted_sources(wanted: LogFilter) -> list[LogSource]:
    """None of whose lines is wanted needs no look: a guest can fill its log with empty lines."""
    of_guests = wanted.level >= INFO
    return [
        source for source in _FILES if wanted.source in (None, source) and (of_guests or source is LogSource.VIRTIOFSD)
    ]


def _time(written: str, is_utc: bool) -> datetime | None:
    try:
        naive = datetime.fromisoformat(written)
        return naive.replace(tzinfo=UTC) if is_utc else naive.astimezone(UTC)
    except ValueError:
        return None
