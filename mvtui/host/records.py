"""What mvtui has to remember of a host between its runs: small files in `host.records`, each replaced as a whole.

The directory is made 0755, its files 0644 unless said otherwise: everybody may read what was done. A link is followed
nowhere in it.
"""

import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.records_place import ROOTS_RECORDS, records_of
from mvtui.host.replaced_file import replace_file

IMAGES = "overlay-images.json"

_MAX_BYTES = 1 << 20


def forget_records(state_dir: Path) -> None:
    """Remove all records of the host under `state_dir`, which is not the default one. Raises OSError."""
    place = records_of(state_dir)
    if ROOTS_RECORDS not in place.parents:
        return  # they go with the state directory
    with suppress(FileNotFoundError), opened(place) as directory:
        _empty(directory)
    with suppress(FileNotFoundError):
        place.rmdir()
    with suppress(OSError):  # the default host has records too
        ROOTS_RECORDS.rmdir()


def _empty(directory: int) -> None:
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_directory in found:
        if is_directory:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            try:
                _empty(inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=directory)
        else:
            os.unlink(name, dir_fd=directory)


def read_record(records: Path, name: str, limit: int = _MAX_BYTES, errors: str = "strict") -> str | None:
    """The text of the record `name` (`armed/web`), None where there is none that can be read: one that is no regular
    file, larger than `limit` bytes, no UTF-8 (`errors`: as of bytes.decode), or of a user who is neither root nor this
    one."""
    *inner, last = name.split("/")
    try:
        with opened(records, *inner) as directory:
            fd = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
            with open(fd, "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_uid not in (0, os.geteuid()):
                    return None
                content = file.read(limit + 1)
        return content.decode(errors=errors) if len(content) <= limit else None
    except (OSError, ValueError):
        return None


def recorded_time(text: str) -> datetime:
    """The instant of a line of a record, in UTC. Raises ValueError or TypeError for none, and for one that not every
    time zone has a date for."""
    at = datetime.fromisoformat(text)
    if not 1970 <= at.year < 9999:
        raise ValueError(text)
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


def recorded_seconds(told: object) -> float:
    """How long something took, by a line of a record. Raises ValueError or TypeError."""
    seconds = float(told)  # type: ignore[arg-type]
    if not math.isfinite(seconds):
        raise ValueError(told)
    return seconds


def record_names(records: Path, folder: str) -> tuple[str, ...]:
    """The names of the records in `folder` (`armed`), sorted. Never raises."""
    try:
        with opened(records, folder) as directory:
            return tuple(sorted(name for name in os.listdir(directory) if not name.startswith(".")))
    except (OSError, ValueError):
        return ()


def write_record(records: Path, name: str, text: str, mode: int = 0o644) -> None:
    """Replace the record `name` as a whole; it is on disk when this returns. `mode` 0600 hides it from others. Raises
    RightsMissingError, MvtuiError."""
    *inner, last = name.split("/")
    try:
        if last in ("", ".", ".."):
            raise ValueError("is no name")
        make_records(records, *inner)
        with opened(records, *inner) as directory:
            replace_file(directory, last, text.encode(), mode)
    except (OSError, ValueError) as error:
        raise _can_t_write(records, name, error) from None


def remove_record(records: Path, name: str) -> bool:
    """Remove the record `name`; false where there was none. Raises RightsMissingError, MvtuiError."""
    *inner, last = name.split("/")
    try:
        with opened(records, *inner) as directory:
            os.unlink(last, dir_fd=directory)
            os.fsync(directory)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise _can_t_write(records, name, error) from None
    return True


def chosen_images(records: Path) -> dict[str, str]:
    """The images that a person chose as overlays, by microVM."""
    with suppress(ValueError, RecursionError):
        found = json.loads(read_record(records, IMAGES) or "{}")
        if isinstance(found, dict):
            return {name: image for name, image in found.items() if isinstance(image, str) and image}
    return {}


def remember_image(records: Path, microvm: str, image: str) -> None:
    """Remember that `image` is the overlay of `microvm`. Raises RightsMissingError, MvtuiError."""
    known = chosen_images(records)
    if known.get(microvm) != image:
        write_record(records, IMAGES, json.dumps({**known, microvm: image}, indent=1, sort_keys=True) + "\n")


@contextmanager
def opened(records: Path, *inner: str) -> Iterator[int]:
    """A descriptor of the records' directory, or of one in it. Raises OSError, also for one of another user's."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    directory = os.open(records, flags)
    try:
        for name in inner:
            below = os.open(name, flags, dir_fd=directory)
            os.close(directory)
            directory = below
        if os.fstat(directory).st_uid not in (0, os.geteuid()):
            raise PermissionError(errno.EPERM, "belongs to another user")
        yield directory
    finally:
        os.close(directory)


def make_records(records: Path, *inner: str) -> None:
    """Make the directories, each 0755 whatever the umask. Raises OSError."""
    missing = [place for place in (records, *records.parents) if not os.path.lexists(place)]
    for place in reversed(missing):
        _make_one(str(place), None)
    if inner:
        with opened(records) as directory:
            _make_one(inner[0], directory)


def _make_one(name: str, directory: int | None) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=directory)
    except FileExistsError:
        return
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        os.fchmod(fd, 0o755)
    finally:
        os.close(fd)


def _can_t_write(records: Path, name: str, error: OSError | ValueError) -> MvtuiError:
    words = (error.strerror or "can't be written").lower() if isinstance(error, OSError) else str(error)
    message = f"{records}/{name} can't be written: {words}"
    if isinstance(error, PermissionError):
        return RightsMissingError(message, "run mvtui as root (sudo mvtui)")
    return MvtuiError(message, "mvtui keeps there what it has to remember of the host")
