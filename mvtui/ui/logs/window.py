"""The part of a log that is in memory: records one after the other, bounded in number and bytes. Pure."""

from collections.abc import Sequence

MOST_RECORDS = 10_000
MOST_BYTES = 16 << 20


class LogWindow:
    """Records by number; a record keeps its number while others come before or behind it. `first` is the number of the
    first one, `end` is behind the last."""

    def __init__(self, most: int = MOST_RECORDS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._records: list[bytes] = []
        self._bytes = 0
        self.first = 0

    @property
    def end(self) -> int:
        """One more than the last number."""
        return self.first + len(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, number: int) -> bytes:
        return self._records[number - self.first]

    def append(self, records: Sequence[bytes]) -> None:
        """Newer ones; what has no room goes at the other end."""
        self._records += records
        self._bytes += sum(map(len, records))
        count = 0
        while self._has_too_many(count):
            self._bytes -= len(self._records[count])
            count += 1
        del self._records[:count]
        self.first += count

    def prepend(self, records: Sequence[bytes]) -> None:
        """Older ones; what has no room goes at the other end."""
        self._records[:0] = records
        self._bytes += sum(map(len, records))
        self.first -= len(records)
        while self._has_too_many():
            self._bytes -= len(self._records.pop())

    def _has_too_many(self, without: int = 0) -> bool:
        """Whether it has, without so many; one always has room."""
        count = len(self._records) - without
        return count > 1 and (count > self._most or self._bytes > self._most_bytes)
