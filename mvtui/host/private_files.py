"""Files that are their owner's alone, in directories that nobody else can write: no link is followed to them."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from mvtui.host.replaced_file import replace_file

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OTHERS_MAY_WRITE = 0o022


def belongs_to_us_alone(found: os.stat_result) -> bool:
    """Whether it is ours, and nobody else may write it."""
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_MAY_WRITE


def open_own(folder: Path, mode: int = 0o700) -> int:
    """A descriptor of it, made with `mode` where it is missing. Raises OSError, also where somebody else can write
    there."""
    with suppress(FileExistsError):
        os.mkdir(folder, mode)
    directory = os.open(folder, _DIRECTORY)
    if not belongs_to_us_alone(os.fstat(directory)):
        os.close(directory)
        raise PermissionError(f"{folder} is somebody else's")
    return directory


def write(directory: int, name: str, content: bytes) -> None:
    """Write it in the place of what was there, in one step, with mode 0600. Raises OSError: nothing has changed."""
    replace_file(directory, name, content, stat.S_IRUSR | stat.S_IWUSR)


def read(directory: int, name: str, most: int) -> bytes:
    """At most `most` bytes of it. Raises OSError, also where it is not ours alone."""
    file = os.open(name, _FILE, dir_fd=directory)
    with open(file, "rb") as opened:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or not belongs_to_us_alone(found):
            raise PermissionError(f"{name} is somebody else's")
        return opened.read(most)
