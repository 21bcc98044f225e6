"""Who has locked a file, by fcntl(2) (POSIX, open file description: OFD) or flock(2). Nothing here takes a lock."""

import fcntl
import os
import struct
from collections.abc import Mapping
from contextlib import suppress

# struct flock (fcntl(2)): l_type, l_whence, l_start, l_len, l_pid; length 0 is up to the end.
_FLOCK = "@hhqqi"
_SIZE = struct.calcsize(_FLOCK + "0q")

# The pid of an OFD lock, which belongs to no process: whoever has the file open may have it.
NO_PROCESS = -1

_KINDS = (b"POSIX", b"FLOCK", b"OFDLCK")


def locker(fd: int) -> int | None:
    """The pid of one who has a POSIX or OFD lock on any byte of the file (QEMU locks bytes from 100 and from 200 on,
    cloud-hypervisor all of them); None where nobody has. NO_PROCESS for an OFD lock, 0 for a process of another pid
    namespace. Needs no more than a descriptor for reading. Raises OSError."""
    question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0).ljust(_SIZE, b"\0")
    kind, _, _, _, pid = struct.unpack_from(_FLOCK, fcntl.fcntl(fd, fcntl.F_OFD_GETLK, question))
    return None if kind == fcntl.F_UNLCK else pid


def read_locks(proc: str = "/proc") -> Mapping[tuple[int, int], set[int]]:
    """Every lock that /proc/locks tells of (proc_locks(5)): the pids, by the device of the file system
    (Mount.device) and the inode. It tells OFD locks of all, the others of this pid namespace."""
    locks: dict[tuple[int, int], set[int]] = {}
    with suppress(OSError), open(f"{proc}/locks", "rb") as file:
        for line in file:
            fields = line.split()
            # `->` instead of the kind is one who waits.
            if len(fields) < 6 or fields[1] not in _KINDS:
                continue
            with suppress(ValueError):
                major, minor, inode = fields[5].split(b":")
                key = os.makedev(int(major, 16), int(minor, 16)), int(inode)
                locks.setdefault(key, set()).add(int(fields[4]))
    return locks
