"""The way to a file, one name after the other: who may go it, where it ends, and whether a link of another's is on
it."""

import errno
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from mvtui.model.rights import Inode

ACCESS_ACL = "system.posix_acl_access"

# As many links as Linux follows in one path (path_resolution(7)).
_MAX_LINKS = 40
# Each directory on the way takes a descriptor.
_MAX_DEPTH = 128
_FLAGS = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Way:
    """The way to the host's absolute `path`, whose file system is at `root`; links are followed below it too. Opens
    nothing (O_PATH): what stands there is only looked at. A context manager: it holds descriptors.

    `searched` are the directories that who goes there must be allowed to enter. `end` is a descriptor of what is
    there, None where nothing is: `missing` then is the first path that is not there (`missing_last`: it is where the
    way would end; `left`: the names that the way would go on with), and `nearest` a descriptor of the directory that it
    would be in. `planted`: a link is on it that others than root and this process' user could have put there."""

    def __init__(self, path: str, root: Path = Path("/")) -> None:
        self.searched: list[tuple[str, Inode]] = []
        self.end: int | None = None
        self.missing = ""
        self.missing_last = False
        self.left: tuple[str, ...] = ()
        self.planted = False
        self._path = path
        self._root = root
        self._stack: list[tuple[str, int]] = []
        self._links = 0

    def __enter__(self) -> Self:
        """Go the way. Raises OSError where it can't be gone: no right, a loop of links, no directory on it; ValueError
        for what is no path."""
        try:
            self._go()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def nearest(self) -> int:
        """The last directory on the way."""
        return self._stack[-1][1]

    def _go(self) -> None:
        self._stack.append(("", os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)))
        todo = _parts(self._path)
        while todo:
            part = todo.pop()
            if part == "..":
                self._search()
                if len(self._stack) > 1:
                    os.close(self._stack.pop()[1])
                continue
            here = self._search()
            place = f"{self._stack[-1][0]}/{part}"
            try:
                found = os.open(part, _FLAGS, dir_fd=self.nearest)
            except FileNotFoundError:
                self.missing, self.missing_last = place, not todo
                self.left = tuple(reversed(todo))
                return
            try:
                status = os.fstat(found)
                if stat.S_ISLNK(status.st_mode):
                    todo += self._follow(found, place, {here.uid, status.st_uid})
                    os.close(found)
                    continue
                if todo and not stat.S_ISDIR(status.st_mode):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), place)
                if len(self._stack) > _MAX_DEPTH:
                    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), self._path)
            except OSError:
                os.close(found)
                raise
            if not todo and not stat.S_ISDIR(status.st_mode):
                self.end = found
                return
            self._stack.append((place, found))
        self.end = self._stack[-1][1]

    def _search(self) -> Inode:
        """The directory that a name is now looked up in."""
        place, fd = self._stack[-1]
        inode = inode_of(fd)
        self.searched.append((place or "/", inode))
        return inode

    def _follow(self, link: int, place: str, owners: set[int]) -> list[str]:
        """The names that the link leads over; begins anew where it is absolute."""
        self._links += 1
        if self._links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), place)
        if not owners <= {0, os.geteuid()}:
            self.planted = True
        target = os.readlink("", dir_fd=link)
        if target.startswith("/"):
            while len(self._stack) > 1:
                os.close(self._stack.pop()[1])
        return _parts(target)

    def _close(self) -> None:
        known = {fd for _, fd in self._stack}
        for fd in known if self.end is None else known | {self.end}:
            os.close(fd)
        self._stack.clear()
        self.end = None


def inode_of(fd: int) -> Inode:
    """Who may use what the descriptor is of. Raises OSError."""
    status = os.fstat(fd)
    return Inode(status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), attribute(fd, ACCESS_ACL)[0])


def attribute(fd: int, name: str) -> tuple[bytes | None, bool | None]:
    """The value of an extended attribute (None: it has none), and whether the file system has such ones (None: that
    can't be told)."""
    try:
        return os.getxattr(f"/proc/self/fd/{fd}", name), True
    except OSError as error:
        supported = {errno.ENODATA: True, errno.EOPNOTSUPP: False}
        return None, supported.get(error.errno or 0)


def _parts(path: str) -> list[str]:
    """The names of `path`, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
