"""Makes the directory of a share where root alone decides what stands there: nobody else can have it made elsewhere."""

import errno
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.mounts import Mounts
from mvtui.host.way import Way
from mvtui.model.definition import HOST_STORE
from mvtui.model.rights import WRITE, Account, Inode, may
from mvtui.model.source_plan import ELSEWHERE, MODE, is_in_store

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_WORDS = {errno.EACCES: "may not be looked at", errno.ELOOP: "is a loop of links"}


class Place(NamedTuple):
    """Where it would be: `makes` are the host's paths that are missing, the outermost first, () where the source is
    there. `may_write`: this process may make them."""

    makes: tuple[str, ...]
    mount_point: str = ""
    fs_type: str = ""
    may_write: bool = True


class _RefusedError(MvtuiError):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, ExitCode.REFUSED)


def find_place(path: str, account: Account | None, root: Path = Path("/")) -> Place:
    """Where the source `path` (the host's) would be made. `account` is whom the microVM runs as. Nothing is changed.

    Raises MvtuiError where it must not be made, with why and what mends that. Blocking.
    """
    _check_words(path)
    try:
        with Way(path, root) as way:
            if way.end is not None:
                if stat.S_ISDIR(os.fstat(way.end).st_mode):
                    return Place(())
                raise _RefusedError(f"{path} is no directory", "move away what stands there")
            makes = _check(way, path, account)
            mount, space = Mounts().of(way.nearest), os.fstatvfs(way.nearest)
            if space.f_flag & os.ST_RDONLY:
                where = mount.mount_point if mount is not None else os.path.dirname(makes[0])
                raise _RefusedError(f"the file system at {where} is read-only", "mount it read-write")
            writable = os.access(f"/proc/self/fd/{way.nearest}", os.W_OK | os.X_OK, effective_ids=True)
            told = (mount.mount_point, mount.fs_type) if mount is not None else ("", "")
            return Place(makes, *told, may_write=writable)
    except OSError as error:
        raise _failed(path, error) from None


def make(path: str, account: Account | None, makes: tuple[str, ...], owner: tuple[int, int], root: Path) -> None:
    """Make the directories `makes`, which are what `find_place` gave, the last with this owner (uid, gid). Whatever was
    made stays where one of them can't be.

    Raises RightsMissingError where root may do it, else MvtuiError. Blocking.
    """
    _check_words(path)
    try:
        with Way(path, root) as way:
            if way.end is not None or _check(way, path, account) != makes:
                raise _RefusedError(f"what is on the way to {path} has changed meanwhile", "look again")
            here = os.dup(way.nearest)
        try:
            for each in makes:
                inside = _make_one(os.path.basename(each), here, owner if each == makes[-1] else None)
                os.close(here)
                here = inside
        finally:
            os.close(here)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM) and os.geteuid() != 0:
            raise RightsMissingError(f"{path} can't be made: permission denied", "root can do that") from None
        raise _failed(path, error) from None


def _make_one(name: str, directory: int, owner: tuple[int, int] | None) -> int:
    """A descriptor of the new directory."""
    os.mkdir(name, 0o700, dir_fd=directory)
    fd = os.open(name, _DIRECTORY, dir_fd=directory)
    try:
        if os.fstat(fd).st_uid != os.geteuid():  # where everybody may write (sticky), nobody else can have replaced it
            raise _RefusedError(f"{name} was replaced while it was made")
        if owner is not None and owner != (os.geteuid(), os.getegid()):
            os.fchown(fd, *owner)
        os.fchmod(fd, MODE)  # whatever the umask
    except BaseException:
        os.close(fd)
        raise
    return fd


def owner_words(uid: int, gid: int) -> str:
    """`user:group`, numbers where they have no name."""
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    try:
        return f"{user}:{grp.getgrgid(gid).gr_name}"
    except KeyError:
        return f"{user}:{gid}"


def _check_words(path: str) -> None:
    if not path.startswith("/"):
        what = "begins with ~, which nobody replaces" if path.startswith("~") else "is relative"
        raise _RefusedError(f"the source {path} {what}", "give it an absolute path, and rebuild")
    if ".." in path.split("/"):
        raise _RefusedError(f"the source {path} has .. in it", "give it the path without, and rebuild")
    if not path.isprintable():
        raise _RefusedError(f"the source {path} has characters that can't be shown", "another path, and rebuild")
    _check_store(path)


def _check_store(path: str) -> None:
    if is_in_store(path):
        raise _RefusedError(f"{path} is in {HOST_STORE}, where Nix alone makes something", ELSEWHERE)


def _check(way: Way, path: str, account: Account | None) -> tuple[str, ...]:
    """What is missing. Raises MvtuiError where others decide what stands on the way."""
    if ".." in way.left:
        raise _RefusedError(f"a link on the way to {path} has .. in it", "make what it leads to by hand")
    if way.planted:
        raise _RefusedError(
            f"a link on the way to {path} is another user's", f"mkdir -p {shlex.quote(path)}, if it is right"
        )
    for place, inode in way.searched:
        _check_directory(place, inode, path, account)
    makes = [way.missing]
    for name in way.left:
        makes.append(f"{makes[-1]}/{name}")
    _check_store(makes[-1])
    return tuple(makes)


def _check_directory(place: str, inode: Inode, path: str, account: Account | None) -> None:
    """Whoever may write there could have it made elsewhere, or take what stands there away."""
    quoted = shlex.quote(path)
    if inode.uid not in (0, os.geteuid()):
        user = owner_words(inode.uid, inode.gid).partition(":")[0]
        raise _RefusedError(
            f"{place} belongs to user {user}, who decides what stands there", f"sudo -u {user} mkdir -p {quoted}"
        )
    if inode.mode & stat.S_ISVTX:
        return  # what is root's, nobody else can replace there
    if inode.mode & 0o022 or (
        account is not None and account.uid not in (0, os.geteuid()) and may(account, inode, WRITE)
    ):
        raise _RefusedError(f"others than root can write {place}", f"mkdir -p {quoted}, if what stands there is right")


def _failed(path: str, error: OSError) -> MvtuiError:
    if isinstance(error, NotADirectoryError):
        return _RefusedError(f"{error.filename or path} is no directory", "move away what stands there")
    words = _WORDS.get(error.errno or 0) or (error.strerror or "fails").lower()
    return _RefusedError(f"{path} can't be made: {words}" if error.errno not in _WORDS else f"{path} {words}")
