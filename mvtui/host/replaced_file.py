"""A file that is there whole, as it was or as it is to be, whenever this process or the machine stops."""

import os
from contextlib import suppress


def replace_file(directory: int, name: str, content: bytes, mode: int) -> None:
    """Write `name` in an open directory, with that mode whatever the umask, by way of a file beside it whose name
    begins with a dot; on the disk when this returns. The directory is nobody else's. Raises OSError."""
    new = f".{os.getpid()}.new"
    with suppress(FileNotFoundError):  # of one that was killed
        os.unlink(new, dir_fd=directory)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=directory)
    try:
        try:
            os.fchmod(fd, mode)
            left = memoryview(content)
            while left:
                left = left[os.write(fd, left) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        with suppress(OSError):
            os.unlink(new, dir_fd=directory)
        raise
    os.fsync(directory)
