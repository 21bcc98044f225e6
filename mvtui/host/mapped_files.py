"""Which processes have one of some files mapped into memory, be it still open or not: proc_pid_maps(5)."""

import os
import time
from collections.abc import Collection, Iterator
from contextlib import suppress

# As for open files: what comes later counts as not seen.
_SCAN_SECONDS = 3.0

FileKey = tuple[int, int]
"""The device of the file system (Mount.device), and the inode."""


class MappedFiles:
    """One look at all processes but this one. After `find`, `complete` tells whether every one could be looked at that
    is to be seen here; whether others are hidden, mvtui.host.open_files tells."""

    def __init__(self, wanted: Collection[FileKey], proc: str = "/proc") -> None:
        self.complete = True
        self._wanted = frozenset(wanted)
        self._inodes = frozenset(str(inode).encode() for _, inode in wanted)
        self._proc = proc

    def find(self) -> list[tuple[int, FileKey]]:
        """Each process and file, by pid."""
        until = time.monotonic() + _SCAN_SECONDS
        found: list[tuple[int, FileKey]] = []
        for pid in sorted(int(name) for name in os.listdir(self._proc) if name.isdecimal()):
            if time.monotonic() > until:
                self.complete = False
                break
            if pid == os.getpid():
                continue
            try:
                found += [(pid, key) for key in sorted(set(self._mapped_by(pid)))]
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                pass
            except OSError:
                self.complete = False
        return found

    def _mapped_by(self, pid: int) -> Iterator[FileKey]:
        with open(f"{self._proc}/{pid}/maps", "rb") as file:
            for line in file:
                fields = line.split(None, 5)
                if len(fields) > 4 and fields[4] in self._inodes:
                    with suppress(ValueError):
                        major, minor = fields[3].split(b":")
                        key = os.makedev(int(major, 16), int(minor, 16)), int(fields[4])
                        if key in self._wanted:
                            yield key
