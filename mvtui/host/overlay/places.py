"""Directories and files reached by descriptors, without following a link that anybody but root could have made."""

from __future__ import annotations

import errno
import os
import stat

from mvtui.host.overlay.lease import pause
from mvtui.host.overlay.stop import Stop, failed

_PLACE = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_DIRECTORY = (errno.ENOTDIR, errno.ELOOP)
_TURNS = 10

FileId = tuple[int, int]


def file_id(status: os.stat_result) -> FileId:
    """(st_dev, st_ino)."""
    return status.st_dev, status.st_ino


def walk(path: str, *, links: bool = True) -> int:
    """A descriptor of the directory at the absolute path `path`, for reading. Raises Stop, also where the way leads
    through a link in a directory where others than root can make one (with `links` False: through any), or `..`."""
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise Stop(f"{path} is no plain path: it has to be absolute and without ..")
    try:
        place = os.open("/", _PLACE)
        for name in [part for part in path.split("/") if part not in ("", ".")]:
            above = place
            try:
                place = _step(above, name, path, links=links)
            finally:
                os.close(above)
        try:
            return os.open(".", _DIRECTORY, dir_fd=place)
        finally:
            os.close(place)
    except OSError as error:
        raise failed(path, error) from None


def _step(above: int, name: str, path: str, *, links: bool) -> int:
    try:
        return os.open(name, _PLACE | os.O_NOFOLLOW, dir_fd=above)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY or not _is_link(above, name):
            raise
    of = os.fstat(above)
    if not links or of.st_uid != 0 or of.st_mode & 0o022:
        raise Stop(f"{path} is reached through a link ({name}), which is not followed", "write its path without links")
    return os.open(name, _PLACE, dir_fd=above)


def _is_link(at: int, name: str) -> bool:
    status = look(name, at)
    return status is not None and stat.S_ISLNK(status.st_mode)


def look(name: str, at: int) -> os.stat_result | None:
    """What stands there, a link itself too; None where nothing does. Raises OSError."""
    try:
        return os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return None


def names_in(at: int) -> list[str]:
    """What is in the open directory `at` now. It is opened anew: btrfs (Linux 6.5 and later) lists through a descriptor
    what was there when that was opened, or when it was listed the last time."""
    now = os.open(".", _DIRECTORY, dir_fd=at)
    try:
        return os.listdir(now)
    finally:
        os.close(now)


def open_own_directory(name: str, at: int, uid: int, path: str) -> int | None:
    """A directory of that user, for reading; None where there is none. Raises Stop, with `path`, for anything else."""
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=at)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _NO_DIRECTORY:
            raise Stop(f"{path} is no directory", "look at what it is, and move it away") from None
        raise failed(path, error) from None
    owner = os.fstat(fd).st_uid
    if owner != uid:
        os.close(fd)
        raise Stop(f"{path} belongs to user {owner}, not to {uid}", "look at what it is, and move it away")
    return fd


def open_only_regular(name: str, at: int, flags: int) -> tuple[int, os.stat_result]:
    """A regular file, opened with `flags`, and what fstat(2) tells of it. Nothing else is opened: to open a device can
    be a command to it. Raises OSError, EINVAL for what is no regular file, a link too."""
    place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    try:
        status = os.fstat(place)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", name)
        flags |= os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(f"/proc/self/fd/{place}", flags), status
    finally:
        os.close(place)


def open_regular(
    name: str, at: int, uid: int, path: str, flags: int = os.O_RDONLY
) -> tuple[int, os.stat_result] | None:
    """A regular file with one name, of that user, open for reading (or as `flags` say); None where there is none.
    Raises Stop, with `path`, for anything else; nothing else is ever opened."""
    try:
        place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed(path, error) from None
    try:
        status = os.fstat(place)
        problem = file_problem(status, uid)
        if problem:
            raise Stop(f"{path} {problem}")
        return _open_in_turn(place, flags), status
    except OSError as error:
        raise failed(path, error) from None
    finally:
        os.close(place)


def _open_in_turn(place: int, flags: int) -> int:
    """Open what `place` is of. Another's lease (open(2), EWOULDBLOCK) ends as soon as it has looked."""
    flags |= os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    for _ in range(_TURNS - 1):
        try:
            return os.open(f"/proc/self/fd/{place}", flags)
        except BlockingIOError:
            pause()
    return os.open(f"/proc/self/fd/{place}", flags)


def file_problem(status: os.stat_result, uid: int) -> str:
    """Why a reset must not touch it; "" where it may."""
    kinds = {
        stat.S_IFLNK: "is a link, which is not followed",
        stat.S_IFDIR: "is a directory",
        stat.S_IFBLK: "is a block device, of which nothing can be set aside",
        stat.S_IFCHR: "is a device",
        stat.S_IFIFO: "is a fifo",
        stat.S_IFSOCK: "is a socket",
    }
    if not stat.S_ISREG(status.st_mode):
        return kinds.get(stat.S_IFMT(status.st_mode), "is no file")
    if status.st_uid != uid:
        return f"belongs to user {status.st_uid}, not to {uid}"
    if status.st_nlink != 1:
        return f"has {status.st_nlink} hard links: something else may be the same file"
    return ""
