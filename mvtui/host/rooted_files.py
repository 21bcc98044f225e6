"""Files named by the host's absolute paths, below a root, opened so that no content or kind of file can hurt."""

import errno
import os
import stat
from collections.abc import Container
from pathlib import Path

# As many links as Linux follows in one path (path_resolution(7)).
_MAX_LINKS = 40


class RootedFiles:
    """Reads regular files of the host whose file system is at `root`; absolute links are followed below it too.

    Remembers where directories are: for one look, not for one that must see changes.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = "" if str(root) == "/" else str(root)
        self._directories: dict[str, str] = {}

    def resolve(self, path: str) -> str:
        """Where the host's absolute `path` is for this process, links followed. Raises OSError for a loop of links.

        With the root `/` the kernel follows them, and the path comes back as it is.
        """
        if not self._root:
            return path
        for _ in range(_MAX_LINKS):
            directory, _, name = path.rpartition("/")
            if name in ("", ".", ".."):
                return self._walk(path)
            parent = self._directories.get(directory)
            if parent is None:
                parent = self._directories[directory] = self._walk(directory)
            try:
                target = os.readlink(f"{parent}/{name}")
            except OSError:
                return f"{parent}/{name}"
            path = target if target.startswith("/") else f"{parent[len(self._root) :]}/{target}"
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)

    def _walk(self, path: str) -> str:
        """As `resolve`, one name after the other."""
        todo = [part for part in reversed(path.split("/")) if part and part != "."]
        done: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del done[-1:]
                continue
            try:
                target = os.readlink("/".join((self._root, *done, part)))
            except OSError:
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                done.clear()
            todo.extend(part for part in reversed(target.split("/")) if part and part != ".")
        return "/".join((self._root, *done))

    def stat(self, path: str) -> os.stat_result:
        """What stands there, behind all links. Raises OSError."""
        return os.stat(self.resolve(path))

    def exists(self, path: str) -> bool:
        """Whether something stands there, behind all links. Raises OSError where that can't be told."""
        try:
            self.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def names(self, path: str, limit: int) -> list[str]:
        """The first `limit` names of a directory. Raises OSError."""
        found: list[str] = []
        with os.scandir(self.resolve(path)) as entries:
            for entry in entries:
                found.append(entry.name)
                if len(found) == limit:
                    break
        return found

    def read(self, path: str, limit: int, owners: Container[int] | None = None) -> str:
        """The text of a regular file of at most `limit` bytes; what is no UTF-8 becomes surrogates, so that a path in
        it can be opened again. Raises OSError, also for a file of another kind, one that is too large, and, where
        `owners` (uids) are named, one of somebody else or that anybody can write."""
        on_disk = self.resolve(path)
        try:
            fd, status = _open_regular(on_disk, path)
        except ValueError as error:  # a NUL in the path
            raise OSError(errno.EINVAL, "is no path", path) from error
        try:
            if owners is not None:
                _check_owner(status, path, owners)
            left = min(status.st_size, limit + 1)
            content = os.read(fd, left)
            while len(content) < left and (more := os.read(fd, left - len(content))):
                content += more
        finally:
            os.close(fd)
        if len(content) > limit:
            raise OSError(errno.EFBIG, f"is larger than {limit >> 10} KiB", path)
        return content.decode("utf-8", "surrogateescape")


def _check_owner(status: os.stat_result, path: str, owners: Container[int]) -> None:
    if status.st_uid not in owners:
        raise OSError(errno.EPERM, f"belongs to user {status.st_uid}: mvtui takes nothing from it", path)
    if status.st_mode & stat.S_IWOTH:
        raise OSError(errno.EPERM, "can be written by anybody: mvtui takes nothing from it", path)


def _open_regular(on_disk: str, path: str) -> tuple[int, os.stat_result]:
    """A descriptor for reading, and what is known of the file.

    Only opening a device can already be a command to it: the kind is looked at through a descriptor that opens nothing
    (O_PATH), and that very thing is then opened.
    """
    place = os.open(on_disk, os.O_PATH | os.O_CLOEXEC)
    try:
        status = os.fstat(place)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", path)
        fd = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        return fd, status
    finally:
        os.close(place)
