"""A definition file replaced as a whole, only where it still is the one that was read.

The new text is complete, on disk, and has the old one's owner, mode, ACL and other extended attributes before it gets
the name. The two then change names at one instant: what came off is looked at once more, so that whoever saved in
between loses nothing.
"""

import errno
import fcntl
import os
import shlex
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.documents import LIMIT
from mvtui.host.overlay.effects import Effects

# In the directory of the file; who is killed leaves it there, and the next save takes it away.
NEW = ".mvtui.new"

_BOM = b"\xef\xbb\xbf"
_MAX_LINKS = 40
_LOCK_SECONDS = 5.0
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class SaveEffects(Effects):
    """Everything that a save does to the host: what tests make fail."""

    def write(self, fd: int, content: bytes) -> None:
        """All of it."""
        left = memoryview(content)
        while left:
            left = left[os.write(fd, left) :]

    def setxattr(self, fd: int, name: str, value: bytes) -> None:
        """Set an extended attribute; a file's ACL is one."""
        os.setxattr(fd, name, value)

    def replace(self, old: str, new: str, at: int) -> None:
        """Rename, replacing: for file systems that know no exchange."""
        os.rename(old, new, src_dir_fd=at, dst_dir_fd=at)


class ChangedError(Exception):
    """The file is not the one that was read."""


class _Found(NamedTuple):
    content: bytes
    status: os.stat_result
    attributes: dict[str, bytes]


def replace_text(path: Path, before: str | None, text: str, effects: SaveEffects | None = None) -> None:
    """Make `text` the file at `path` (a path of this process), whose text was `before`, None where there was none;
    both without a byte order mark, which stays where there is one. A link is followed, and what it leads to replaced;
    of a file with several hard links the others keep the old text. A new file is 0644 and, made by root, its
    directory's owner's; one missing directory is made.

    Raises ChangedError where the text is not `before` any more, RightsMissingError, MvtuiError."""
    effects = effects or SaveEffects()
    try:
        place = _followed(path)
        if before is None:
            _make_directory(place.parent)
        with _locked(place.parent) as directory:
            _replace(effects, directory, place.name, before, text)
    except UnicodeEncodeError:
        raise MvtuiError(f"{path} can't be written: the text holds what is no Unicode", "") from None
    except OSError as error:
        raise _explained(path, error) from None


def _replace(effects: SaveEffects, directory: int, name: str, before: str | None, text: str) -> None:
    old = _read(directory, name)
    _must_be(before, old)
    bom = _BOM if old is not None and old.content.startswith(_BOM) else b""
    with suppress(FileNotFoundError):
        effects.unlink(NEW, directory)
    fd = effects.create(NEW, directory)
    try:
        try:
            effects.write(fd, bom + text.encode())
            _dress(effects, fd, directory, old)
            effects.fsync(fd)
        finally:
            os.close(fd)
        _name(effects, directory, name, old)
    except BaseException:
        with suppress(OSError):
            effects.unlink(NEW, directory)
        raise
    try:
        effects.fsync(directory)
    except OSError as error:
        words = f"{name} has the new text, but the disk did not confirm it: {(error.strerror or '').lower()}"
        raise MvtuiError(words, "look at the disk (dmesg), and whether the file is there") from None


def _name(effects: SaveEffects, directory: int, name: str, old: _Found | None) -> None:
    """Give the new file its name, or raise ChangedError with everything as it was."""
    if old is None:
        try:
            effects.rename(NEW, directory, name, directory)
        except FileExistsError:
            raise ChangedError from None
        return
    try:
        effects.exchange(NEW, directory, name, directory)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise ChangedError from None
        if error.errno not in _UNSUPPORTED:
            raise
        _must_be_same(old, _read(directory, name))
        effects.replace(NEW, name, directory)
        return
    try:
        _must_be_same(old, _read(directory, NEW))
    except (ChangedError, OSError):
        effects.exchange(NEW, directory, name, directory)
        raise
    with suppress(OSError):  # it is saved; the next save takes the rest away
        effects.unlink(NEW, directory)


def _dress(effects: SaveEffects, fd: int, directory: int, old: _Found | None) -> None:
    """The new file gets the old one's owner, mode and attributes; without one those of a new file."""
    if old is None:
        above = os.fstat(directory)
        if os.geteuid() == 0 and (above.st_uid, above.st_gid) != (0, 0):
            effects.chown(fd, above.st_uid, above.st_gid)
        effects.chmod(fd, 0o644)
        return
    own = os.fstat(fd)
    if (own.st_uid, own.st_gid) != (old.status.st_uid, old.status.st_gid):
        effects.chown(fd, old.status.st_uid, old.status.st_gid)
    # What the directory gives to new files goes, what the old one had comes: the ACL last, which has the mode in it.
    for name in set(_attributes(fd)) - set(old.attributes):
        if not name.startswith("security."):
            os.removexattr(fd, name)
    effects.chmod(fd, stat.S_IMODE(old.status.st_mode))
    for name, value in old.attributes.items():
        try:
            effects.setxattr(fd, name, value)
        except PermissionError:
            if not name.startswith(("security.", "trusted.")):  # the kernel's own
                raise


def _read(directory: int, name: str) -> _Found | None:
    """What has the name; None where nothing does. Raises OSError for what is no regular file."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file")
        content = b""
        while len(content) <= LIMIT and (more := os.read(fd, LIMIT + 1 - len(content))):
            content += more
        return _Found(content, status, _attributes(fd))
    finally:
        os.close(fd)


def _attributes(fd: int) -> dict[str, bytes]:
    """The extended attributes, by name; none where the file system has none."""
    found: dict[str, bytes] = {}
    with suppress(OSError):
        for name in os.listxattr(fd):
            with suppress(OSError):
                found[name] = os.getxattr(fd, name)
    return found


def _must_be(before: str | None, found: _Found | None) -> None:
    content = found.content.removeprefix(_BOM) if found is not None else None
    if content != (before.encode() if before is not None else None):
        raise ChangedError


def _must_be_same(old: _Found, now: _Found | None) -> None:
    if now is None or now.content != old.content:
        raise ChangedError


def _followed(path: Path) -> Path:
    """Where the link at `path` leads. One that belongs neither to root, nor to this user, nor to the owner of what it
    leads to could lead anywhere: PermissionError (as the kernel's fs.protected_symlinks)."""
    owners = {0, os.geteuid()}
    for _ in range(_MAX_LINKS):
        try:
            target = os.readlink(path)
        except FileNotFoundError:
            return path
        except OSError as error:
            if error.errno == errno.EINVAL:
                return path
            raise
        owner = os.lstat(path).st_uid
        if owner not in owners and owner != os.stat(path).st_uid:
            raise PermissionError(errno.EPERM, f"is a link of user {owner} to what is not that user's")
        path = path.parent / target
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _make_directory(directory: Path) -> None:
    try:
        os.mkdir(directory, 0o755)
    except FileExistsError:
        return
    above = os.stat(directory.parent)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(fd, 0o755)
        if os.geteuid() == 0:
            os.fchown(fd, above.st_uid, above.st_gid)
    finally:
        os.close(fd)


@contextmanager
def _locked(directory: Path) -> Iterator[int]:
    """The directory, locked against other saves of mvtui. Raises OSError, also where it stays locked."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise OSError(errno.EBUSY, f"another process holds a lock on {directory}") from None
                time.sleep(0.01)
            except OSError as error:
                if error.errno not in (*_UNSUPPORTED, errno.ENOLCK):
                    raise
                break
        yield fd
    finally:
        os.close(fd)


def _explained(path: Path, error: OSError) -> MvtuiError:
    words = error.strerror or "can't be written"
    message = f"{path} can't be saved: {words[0].lower()}{words[1:]}"
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return RightsMissingError(message, "its owner can save it, or root (sudo mvtui); the file is as it was")
        case errno.EROFS:
            return MvtuiError(message, "keep the definitions where they can be written: --definitions DIR")
        case errno.ENOSPC | errno.EDQUOT:
            return MvtuiError(message, f"make room on the file system of {path.parent}; the file is as it was")
        case errno.ENOENT:
            return MvtuiError(message, f"make the directory: mkdir -p {shlex.quote(str(path.parent))}")
    return MvtuiError(message, "the file is as it was")
