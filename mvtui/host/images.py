"""A volume's image on the host: its size, what of it is written, and the file system that it holds."""

import errno
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from mvtui.host.superblock import is_blank, read_superblock
from mvtui.model.microvm import MISSING, ImageFacts

_WORDS = {
    errno.ENOENT: MISSING,
    errno.ENOTDIR: MISSING,
    errno.EACCES: "permission denied; root or group kvm can read it",
    errno.EPERM: "permission denied; root or group kvm can read it",
}


def read_image(directory: Path | str, image: str, root: Path = Path("/")) -> ImageFacts:
    """The facts of `image`: absolute, or relative to `directory`, the microVM's state directory. Both are paths of
    the host, whose file system is at `root`. Never raises: `problem` says what is in the way.

    A block device is wholly allocated. Nothing but regular files and block devices is ever opened, and a link in
    the image's place is followed in /dev alone: the state directory belongs to an unprivileged user.
    """
    path = os.path.join(directory, image)
    try:
        place = find_image(directory, image, root)
        try:
            fd = open_image(place)
        finally:
            os.close(place)
        try:
            return facts_of(fd, path)
        finally:
            os.close(fd)
    except OSError as error:
        words = _WORDS.get(error.errno or 0) or (error.strerror or "can't be read").lower()
        return ImageFacts(path, problem=f"{path}: {words}")
    except ValueError:
        return ImageFacts(path, problem=f"{path}: is no path")


def _is_device(path: str) -> bool:
    """Names of devices are often links, made by root (/dev/mapper, /dev/disk, /dev/zvol); /dev/shm is everybody's."""
    return path.startswith("/dev/") and not path.startswith("/dev/shm/")  # noqa: S108


def find_image(directory: Path | str, image: str, root: Path = Path("/")) -> int:
    """A descriptor of `image` that opens nothing (O_PATH): merely to open a device can be a command to it (a watchdog
    starts). Raises OSError, also for what is neither a file nor a block device, and ValueError for what is no path."""
    path = os.path.join(directory, image)
    on_disk = path if str(root) == "/" else os.path.join(root, path.lstrip("/"))
    flags = os.O_PATH | os.O_CLOEXEC
    place = os.open(on_disk, flags if _is_device(os.path.normpath(path)) else flags | os.O_NOFOLLOW)
    try:
        mode = os.fstat(place).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, "is a link, which is not followed")
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise OSError(errno.EINVAL, "is neither a file nor a block device")
    except OSError:
        os.close(place)
        raise
    return place


def open_image(place: int) -> int:
    """Open for reading the very thing that `find_image` found. Raises OSError."""
    return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def facts_of(fd: int, path: str) -> ImageFacts:
    """The facts of the image at `path` that is open for reading. Raises OSError."""
    status = os.fstat(fd)
    if stat.S_ISBLK(status.st_mode):
        size = allocated = os.lseek(fd, 0, os.SEEK_END)
    else:
        size, allocated = status.st_size, status.st_blocks * 512
    facts = ImageFacts(path, size, allocated, identity=(status.st_dev, status.st_ino))
    if stat.S_ISBLK(status.st_mode):
        facts = facts._replace(identity=(status.st_rdev, 0))
    else:
        space = os.fstatvfs(fd)
        facts = facts._replace(disk_size=space.f_blocks * space.f_frsize, disk_free=space.f_bavail * space.f_frsize)
    # Where nothing is written there is no file system; and in /proc, reading alone can take something away (kmsg).
    if not allocated:
        return facts._replace(blank=True)
    read = lambda count, offset: os.pread(fd, count, offset)  # noqa: E731
    found = read_superblock(read)
    if found is None:
        return facts._replace(blank=is_blank(read))
    return facts._replace(
        fs_type=found.fs_type,
        label=found.label,
        fs_size=found.size,
        fs_room=found.room,
        fs_used=found.used,
        made=_time(found.made),
    )


def _time(seconds: float | None) -> datetime | None:
    """In UTC; None also for what no clock ever told."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def file_made(path: str) -> datetime | None:
    """When the file, directory or link that stands there itself was made (UTC); None where nobody tells."""
    from mvtui.host.overlay.effects import birth  # noqa: PLC0415 (what looks closely alone needs it)

    try:
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        nanoseconds = birth(fd)
    finally:
        os.close(fd)
    return _time(nanoseconds / 1e9) if nanoseconds is not None else None
