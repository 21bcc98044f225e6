"""Which processes have one of some files open: a look at every descriptor of every process."""

import ctypes
import errno
import os
import stat
import struct
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from mvtui.host.process_stat import read_proc

# A process can have a million descriptors (a virtiofsd has what its guest opened): so many of one are looked at, and
# a scan ends after this time (seconds). What comes after counts as not seen.
_DESCRIPTORS = 50_000
_SCAN_SECONDS = 3.0
_FDINFO_BYTES = 4096

# statx(2). What the kernel has at hand is enough: to ask a server would wait for one that is dead, and the "server" of
# a FUSE file system may be anybody's program.
_AT_STATX_DONT_SYNC = 0x4000
_STATX_TYPE, _STATX_INO = 0x1, 0x100
_STATX_BYTES = 256
_MODE_AND_INODE = struct.Struct("=H2xQ")  # at 28: stx_mode, stx_ino
_DEVICES = struct.Struct("=IIII")  # at 128: of the device itself and of the file's file system, major and minor

# PROC_PID_INIT_INO: the outermost pid namespace, in which every process has a pid.
_OUTERMOST = "pid:[4026531836]"


class FileId(NamedTuple):
    """A file by its device (st_dev) and inode; a block device by its own number (st_rdev) and 0."""

    device: int
    inode: int


class OpenFile(NamedTuple):
    """A process that has a file open; `locked`: through one of its descriptors it also holds a lock on it."""

    pid: int
    file: FileId
    locked: bool


def file_id(status: os.stat_result) -> FileId:
    """The identity of what `status` is of."""
    return FileId(status.st_rdev, 0) if stat.S_ISBLK(status.st_mode) else FileId(status.st_dev, status.st_ino)


class OpenFiles:
    """One look at all processes but this one, for whoever has one of `wanted` open.

    After `find`, `complete` tells whether every descriptor on the machine was looked at. It is false to anybody but
    root, within a pid namespace, and where there were too many.
    """

    def __init__(self, wanted: Collection[FileId], proc: str = "/proc") -> None:
        self.complete = True
        self._wanted = frozenset(wanted)
        self._inodes = frozenset(file.inode for file in wanted)
        self._proc = proc
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._buffer = ctypes.create_string_buffer(_STATX_BYTES)

    def find(self) -> list[OpenFile]:
        """One for each process and file, by pid."""
        with suppress(OSError):
            return self._find(sorted(int(name) for name in os.listdir(self._proc) if name.isdecimal()))
        self.complete = False
        return []

    def _find(self, pids: list[int]) -> list[OpenFile]:
        # With hidepid (proc(5)), the first process is hidden too.
        self.complete = 1 in pids and self._is_outermost()
        until = time.monotonic() + _SCAN_SECONDS
        found: list[OpenFile] = []
        for pid in pids:
            if time.monotonic() > until:
                self.complete = False
                break
            if pid != os.getpid():
                found += self._look_at(pid)
        return found

    def _is_outermost(self) -> bool:
        try:
            return os.readlink(f"{self._proc}/self/ns/pid") == _OUTERMOST
        except OSError:
            return False

    def _look_at(self, pid: int) -> list[OpenFile]:
        locked: dict[FileId, bool] = {}
        try:
            directory = os.open(f"{self._proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                for name, file in self._wanted_in(directory):
                    locked[file] = locked.get(file, False) or self._locks(pid, name)
            finally:
                os.close(directory)
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            pass
        except OSError:
            self.complete = False
        return [OpenFile(pid, file, is_locked) for file, is_locked in locked.items()]

    def _wanted_in(self, directory: int) -> Iterator[tuple[str, FileId]]:
        buffer, raw = self._buffer, memoryview(self._buffer)
        statx, mask = self._libc.statx, _STATX_TYPE | _STATX_INO
        with os.scandir(directory) as entries:
            for entry in islice(entries, _DESCRIPTORS):
                if statx(directory, entry.name.encode(), _AT_STATX_DONT_SYNC, mask, buffer) != 0:
                    _must_be_no_matter(directory, entry.name, ctypes.get_errno())
                    continue
                mode, inode = _MODE_AND_INODE.unpack_from(raw, 28)
                is_device = stat.S_ISBLK(mode)
                if inode not in self._inodes and not is_device:
                    continue
                own_major, own_minor, major, minor = _DEVICES.unpack_from(raw, 128)
                device = os.makedev(own_major, own_minor) if is_device else os.makedev(major, minor)
                file = FileId(device, 0 if is_device else inode)
                if file in self._wanted:
                    yield entry.name, file
            self.complete &= next(entries, None) is None

    def _locks(self, pid: int, descriptor: str) -> bool:
        """Whether a lock belongs to that descriptor (proc_pid_fdinfo(5))."""
        with suppress(OSError):
            return b"\nlock:" in (read_proc(f"{self._proc}/{pid}/fdinfo/{descriptor}", _FDINFO_BYTES) or b"")
        return False


def _must_be_no_matter(directory: int, descriptor: str, error: int) -> None:
    """Raises OSError where what could not be looked at may be any file. Where the descriptor itself may be seen, it was
    its file system that refused, and it is no image (FUSE keeps root out of what other users mount)."""
    if error not in (errno.ENOENT, errno.ESRCH):  # closed between the listing and the look
        with suppress(FileNotFoundError):
            os.readlink(descriptor, dir_fd=directory)
