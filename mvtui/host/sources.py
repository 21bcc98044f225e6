"""What stands at a share's source: its kind, whose it is, and the file system that it lies on."""

import errno
import grp
import os
import pwd
import stat
from pathlib import Path

from mvtui.host.mounts import Mounts
from mvtui.host.rooted_files import RootedFiles
from mvtui.model.facts import SourceFacts, SourceKind

# By the type of a file (stat(2), S_IFMT).
KINDS = {
    stat.S_IFDIR: SourceKind.DIRECTORY,
    stat.S_IFREG: SourceKind.FILE,
    stat.S_IFBLK: SourceKind.BLOCK_DEVICE,
    stat.S_IFCHR: SourceKind.CHARACTER_DEVICE,
    stat.S_IFIFO: SourceKind.FIFO,
    stat.S_IFSOCK: SourceKind.SOCKET,
}
_WORDS = {
    errno.EACCES: "permission denied; root can look at it",
    errno.ELOOP: "is a loop of links",
}


class Sources:
    """One look at the sources of many shares, given as absolute paths of the host, whose file system is at `root`.
    Never raises. Mounts and names are read once, so the next look is another object's."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._files = RootedFiles(root)
        self._mounts: Mounts | None = None
        self._users: dict[int, str | None] = {}
        self._groups: dict[int, str | None] = {}

    def read(self, path: str) -> SourceFacts:
        """The facts. What does not answer (a dead NFS server) holds up who asks."""
        try:
            # Opens nothing: all that follows is of the same thing, whatever gets its name meanwhile.
            fd = os.open(self._files.resolve(path), os.O_PATH | os.O_CLOEXEC)
            try:
                return self._read(path, fd)
            finally:
                os.close(fd)
        except (OSError, ValueError) as error:
            return self._failed(path, error)

    def _read(self, path: str, fd: int) -> SourceFacts:
        self._mounts = self._mounts or Mounts()
        status, space, mount = os.fstat(fd), os.fstatvfs(fd), self._mounts.of(fd)
        return SourceFacts(
            path,
            True,
            KINDS.get(stat.S_IFMT(status.st_mode)),
            status.st_uid,
            status.st_gid,
            stat.S_IMODE(status.st_mode),
            user=self._user(status.st_uid),
            group=self._group(status.st_gid),
            fs_type=mount.fs_type if mount is not None else None,
            mount_point=mount.mount_point if mount is not None else None,
            fs_read_only=bool(space.f_flag & os.ST_RDONLY),
            fs_size=space.f_blocks * space.f_frsize,
            fs_free=space.f_bavail * space.f_frsize,
        )

    def _failed(self, path: str, error: OSError | ValueError) -> SourceFacts:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            itself = path if self._root == Path("/") else os.path.join(self._root, path.lstrip("/"))
            return SourceFacts(path, False, SourceKind.DANGLING if os.path.islink(itself) else SourceKind.NOTHING)
        if isinstance(error, OSError):
            words = _WORDS.get(error.errno or 0) or (error.strerror or "can't be looked at").lower()
            return SourceFacts(path, problem=f"{path}: {words}")
        return SourceFacts(path, problem=f"{path}: is no path")

    def _user(self, uid: int) -> str | None:
        if uid not in self._users:
            try:
                self._users[uid] = pwd.getpwuid(uid).pw_name
            except KeyError:
                self._users[uid] = None
        return self._users[uid]

    def _group(self, gid: int) -> str | None:
        if gid not in self._groups:
            try:
                self._groups[gid] = grp.getgrgid(gid).gr_name
            except KeyError:
                self._groups[gid] = None
        return self._groups[gid]
