"""An archive that is made in one piece: complete and only its owner's, or not there."""

import gzip
import io
import os
import stat
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def packed(folder: str, files: Mapping[str, bytes], at: int) -> bytes:
    """A tar.gz of `files`, by their names below `folder`, in that order; `at` is the time of all of them (Unix)."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=out, mode="wb", mtime=at) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mtime, member.mode = len(content), at, 0o600
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write the file, which must not be there yet, with `mode` (readable for its owner alone). Nothing that has its
    name, a link least of all, is followed or replaced; where the writing fails, nothing is left. Raises
    RightsMissingError, MvtuiError."""
    try:
        directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _error(path, error) from None
    try:
        file = os.open(path.name, _CREATE, mode, dir_fd=directory)
        try:
            os.fchmod(file, mode)  # whatever the umask
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        except BaseException:
            _remove(directory, path.name, file)
            raise
        finally:
            os.close(file)
    except (OSError, ValueError) as error:
        raise _error(path, error) from None
    finally:
        os.close(directory)


def _remove(directory: int, name: str, file: int) -> None:
    """Where it is still this very file."""
    with suppress(OSError):
        there, own = os.stat(name, dir_fd=directory, follow_symlinks=False), os.fstat(file)
        if stat.S_ISREG(there.st_mode) and (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino):
            os.unlink(name, dir_fd=directory)


def _error(path: Path, error: OSError | ValueError) -> MvtuiError:
    if isinstance(error, FileExistsError):
        return MvtuiError(
            f"{path} is there already", "nothing is written over: -o names another file", ExitCode.REFUSED
        )
    words = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    message = f"{path} can't be written: {words[0].lower()}{words[1:]}"
    if isinstance(error, PermissionError):
        return RightsMissingError(message, "-o names a file where you may write")
    return MvtuiError(message, "-o names another file")
