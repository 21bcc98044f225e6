"""Who has the pid file of a daemon locked. Takes no lock itself."""

import os
import stat
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from mvtui.host.locks import NO_PROCESS, locker, read_locks
from mvtui.host.mounts import Mounts

Locks = Mapping[tuple[int, int], set[int]]


class PidFileLocks:
    """One look at many pid files, given as the host's absolute paths; its file system is at `root`. Locks and mounts
    are read once, when the first file is there. Never raises."""

    def __init__(self, root: Path = Path("/"), proc: str = "/proc") -> None:
        self._root = root
        self._proc = proc

    def holders(self, path: str) -> tuple[int | None, ...]:
        """The pids of those who have a lock on it, None for one that nobody names. Empty where nobody has, where there
        is no such file, and where that can't be told."""
        on_disk = path if self._root == Path("/") else os.path.join(self._root, path.lstrip("/"))
        try:
            # A directory of an unprivileged user's: no link is followed, and nothing but a file is opened.
            place = os.open(on_disk, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                return self._holders(place)
            finally:
                os.close(place)
        except (OSError, ValueError):
            return ()

    def _holders(self, place: int) -> tuple[int | None, ...]:
        status = os.fstat(place)
        if not stat.S_ISREG(status.st_mode):
            return ()
        mount = self._mounts.of(place)
        key = (mount.device if mount is not None else status.st_dev, status.st_ino)
        told = set(self._locks.get(key, ()))
        # Not to wait: who owns the file can have a lease on it.
        fd = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            by_question = locker(fd)
        finally:
            os.close(fd)
        if by_question is not None:
            told.add(by_question)
        # A flock is told with the pid that took it, which may have left it to its children.
        alive = {pid if pid > 0 and os.path.exists(f"{self._proc}/{pid}") else NO_PROCESS for pid in told}
        return tuple(None if pid == NO_PROCESS else pid for pid in sorted(alive))

    @cached_property
    def _mounts(self) -> Mounts:
        return Mounts(self._proc)

    @cached_property
    def _locks(self) -> Locks:
        return read_locks(self._proc)
