"""Which processes have one of some files mapped into their memory: a look at the mappings of every process. Who has
closed its descriptor since is seen nowhere else."""

import os
import re
import time
from collections.abc import Collection
from contextlib import suppress

MappedFile = tuple[int, int]
"""The device of the file system (Mount.device) and the inode, as /proc/PID/maps tells them (proc_pid_maps(5))."""

_SCAN_SECONDS = 3.0
_CHUNK_BYTES = 1 << 16
# Device and inode stand in front of the path; longer than this no line is up to there.
_HEAD_BYTES = 128
_DEVICE_AND_INODE = re.compile(rb"^[0-9a-f]+-[0-9a-f]+ \S+ [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+)", re.MULTILINE)


class Mappings:
    """One look at all processes but this one. After `find`, `complete` tells whether the mappings of all that can be
    seen were looked at."""

    def __init__(self, wanted: Collection[MappedFile], proc: str = "/proc") -> None:
        self.complete = True
        self._wanted = frozenset(wanted)
        self._needles = [b" %d " % inode for _, inode in self._wanted]
        self._proc = proc

    def find(self) -> list[tuple[int, MappedFile]]:
        """The pid and the file, once for each."""
        found: list[tuple[int, MappedFile]] = []
        until = time.monotonic() + _SCAN_SECONDS
        try:
            pids = sorted(int(name) for name in os.listdir(self._proc) if name.isdecimal())
        except OSError:
            self.complete = False
            return []
        for pid in pids:
            if time.monotonic() > until:
                self.complete = False
                break
            if pid != os.getpid():
                found += [(pid, file) for file in sorted(self._mapped_by(pid))]
        return found

    def _mapped_by(self, pid: int) -> set[MappedFile]:
        files: set[MappedFile] = set()
        try:
            with open(f"{self._proc}/{pid}/maps", "rb", buffering=0) as file:
                rest = b""
                while chunk := file.read(_CHUNK_BYTES):
                    text = rest + chunk
                    files |= self._in(text)
                    rest = text[text.rfind(b"\n") + 1 :][:_HEAD_BYTES]
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            pass
        except OSError:
            self.complete = False
        return files

    def _in(self, text: bytes) -> set[MappedFile]:
        if not any(needle in text for needle in self._needles):
            return set()
        found = set()
        for match in _DEVICE_AND_INODE.finditer(text):
            with suppress(ValueError):
                found.add((os.makedev(int(match[1], 16), int(match[2], 16)), int(match[3])))
        return found & self._wanted
