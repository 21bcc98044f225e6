"""The log files of keepers, line by line, forwards and backwards; and where each line stands."""

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.model.log import LogSource

_BLOCK_BYTES = 1 << 16
# A line that is longer comes in pieces, as journald makes them (LineMax=).
_PIECE_BYTES = 48 << 10
# Of a log that is larger the end counts: keepers move it away at 10 MiB, but it lies in a directory of another's.
_MOST_BYTES = 32 << 20


class Place(NamedTuple):
    """Which bytes of which file a record is; of which microVM, as a number."""

    microvm: int
    source: LogSource
    inode: int
    start: int
    end: int


class LogFile(NamedTuple):
    """An open log."""

    microvm: int
    source: LogSource
    descriptor: int
    inode: int
    size: int
    written: int

    @property
    def first(self) -> int:
        """From which byte on it is read."""
        return max(0, self.size - _MOST_BYTES)


def record_of(place: Place, line: bytes) -> bytes:
    """The record of a line: its place, and what it says."""
    return b"%d %s %d %d %d " % (place.microvm, place.source.encode(), *place[2:]) + line


def parsed(record: bytes) -> tuple[Place, bytes]:
    """Place and line of a record."""
    microvm, source, inode, start, end, line = record.split(b" ", 5)
    return Place(int(microvm), LogSource(source.decode()), int(inode), int(start), int(end)), line


def open_log(directory: str, name: str, microvm: int, source: LogSource) -> LogFile | None:
    """The log, None where there is none. The directory is an unprivileged user's: no link is followed, and what is no
    regular file with one name is none of its logs. Raises RightsMissingError, MvtuiError."""
    try:
        parent = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        finally:
            os.close(parent)
        try:
            descriptor = _open_only_log(place)
        finally:
            os.close(place)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        group = _group_of(directory, name)
        hint = f"be in the group {group} (usermod -aG {group} USER), or run mvtui with sudo"
        raise RightsMissingError(f"{directory}/{name} may not be read: {error.strerror}", hint) from None
    except OSError as error:
        raise MvtuiError(f"{directory}/{name}: {error.strerror}", f"remove {name}: it is no log") from None
    if descriptor is None:
        raise MvtuiError(f"{directory}/{name} is no regular file with one name", f"remove {name}: it is no log")
    facts = os.fstat(descriptor)
    return LogFile(microvm, source, descriptor, facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _open_only_log(place: int) -> int | None:
    """Only opening a device can already be a command to it: the kind is looked at first."""
    facts = os.fstat(place)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
        return None
    return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _group_of(directory: str, name: str) -> str:
    import grp  # noqa: PLC0415

    try:
        return grp.getgrgid(os.lstat(os.path.join(directory, name)).st_gid).gr_name
    except (OSError, KeyError):
        return "kvm"


def lines_before(file: LogFile, end: int) -> Iterator[bytes]:
    """The lines that end before byte `end`, the last first; longer ones in pieces."""
    held, start = b"", end
    while True:
        while held:
            line = held.removesuffix(b"\n")
            cut = line.rfind(b"\n") + 1
            if cut == 0 and start > file.first and len(held) < _PIECE_BYTES:
                break  # it may begin before what was read
            yield record_of(_place(file, start + cut, start + len(held)), line[cut:])
            held = held[:cut]
        size = min(_BLOCK_BYTES, max(0, start - file.first))
        read = os.pread(file.descriptor, size, start - size)
        if len(read) < size or not read:
            return
        held, start = read + held, start - size


def lines_after(file: LogFile, start: int, *, is_live: bool = False) -> Iterator[bytes]:
    """The lines from byte `start` on; longer ones in pieces. Where the file `is_live`, a line that has not ended yet is
    none."""
    held, at = b"", start
    while at + len(held) < file.size or held:
        read = os.pread(file.descriptor, min(_BLOCK_BYTES, file.size - at - len(held)), at + len(held))
        held += read
        *lines, held = held.split(b"\n")
        for line in lines:
            yield record_of(_place(file, at, at + len(line) + 1), line)
            at += len(line) + 1
        if held and (len(held) >= _PIECE_BYTES or (not read and not is_live)):
            yield record_of(_place(file, at, at + len(held)), held)
            at, held = at + len(held), b""
        if not read:
            break


def _place(file: LogFile, start: int, end: int) -> Place:
    return Place(file.microvm, file.source, file.inode, start, end)
