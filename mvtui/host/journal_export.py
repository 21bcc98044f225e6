"""The journal export format (systemd.io/JOURNAL_EXPORT_FORMATS): entries of fields, a blank line behind each.

A field is `NAME=text`, or, where it is no text, its name alone on a line, its length in 8 bytes, and so many bytes,
which may read like anything, also like fields or the end of an entry.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

# A longer entry is told without what makes it so long.
MAX_ENTRY_BYTES = 4 << 20

# The name of a field that is no text; with a literal beginning it is found ten times as fast.
_NAME_ALONE = re.compile(rb"\n[A-Z0-9_]+\n")
_NAME_FIRST = re.compile(rb"[A-Z0-9_]+\n")
_TOO_LONG = b"MESSAGE=(a message that is too long to be shown here)\n"


class EntrySplitter:
    """Cuts what is fed into entries, without the blank line behind each."""

    def __init__(self, most: int = MAX_ENTRY_BYTES) -> None:
        self._most = most
        self._rest = b""
        self._skips = 0  # so many bytes more of a field that is too long
        self._skips_line = False  # the rest of a line that is too long

    def feed(self, data: bytes) -> list[bytes]:
        """The entries that end in `data`."""
        self._rest += self._kept(data)
        is_text = not _NAME_FIRST.match(self._rest) and not _NAME_ALONE.search(self._rest)
        if is_text and len(self._rest) <= self._most:
            *entries, self._rest = self._rest.split(b"\n\n")
            return entries
        entries, start = [], 0
        while (end := self._end_of_entry(start)) is not None:
            entries.append(self._rest[start : end - 1])
            start = end + 1
        self._rest = self._rest[start:]
        return entries

    def _kept(self, data: bytes) -> bytes:
        skipped = min(self._skips, len(data))
        self._skips -= skipped
        data = data[skipped:]
        if self._skips_line:
            end = data.find(b"\n")
            data = data[end + 1 :] if end >= 0 else b""
            self._skips_line = end < 0
        return data

    def _end_of_entry(self, start: int) -> int | None:
        """Where the blank line is behind the entry that begins at `start`; None where it has not come yet."""
        at = start
        while (end := self._rest.find(b"\n", at)) != at:
            if end < 0:
                if len(self._rest) - start > self._most:
                    self._rest, self._skips_line = self._rest[:at] + _TOO_LONG, True
                return None
            if self._rest.find(b"=", at, end) >= 0:
                if end - start > self._most:  # also of many fields, each of some length
                    told = _TOO_LONG if end - at > self._most // 2 else b""
                    self._rest = self._rest[:at] + told + self._rest[end + 1 :]
                    at += len(told)
                else:
                    at = end + 1
                continue
            data = end + 9
            if data > len(self._rest):
                return None
            behind = data + int.from_bytes(self._rest[end + 1 : data], "little") + 1
            if behind - start > self._most:
                self._skips = max(0, behind - len(self._rest))
                self._rest = self._rest[:at] + _TOO_LONG + self._rest[behind:]
                at += len(_TOO_LONG)
            elif behind > len(self._rest):
                return None
            else:
                at = behind
        return at


def shortened(entry: bytes, most: int) -> bytes:
    """The entry without what makes it longer than `most` bytes."""
    return EntrySplitter(most).feed(entry + b"\n\n")[0] if len(entry) > most else entry


def fields_of(entry: bytes) -> Iterator[tuple[str, bytes]]:
    """The fields of an entry; what is none is left out."""
    at = 0
    while at < len(entry):
        end = entry.find(b"\n", at)
        end = len(entry) if end < 0 else end
        name, equals, text = entry[at:end].partition(b"=")
        if equals:
            yield name.decode(errors="replace"), text
            at = end + 1
        else:
            data = end + 9
            size = int.from_bytes(entry[end + 1 : data], "little")
            yield name.decode(errors="replace"), entry[data : data + size]
            at = data + size + 1


def received_at(microseconds: object) -> datetime | None:
    """When journald received an entry, of its field `__REALTIME_TIMESTAMP`; None for what is no time."""
    if isinstance(microseconds, str | bytes):
        with suppress(ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(int(microseconds) / 1e6, UTC)
    return None
