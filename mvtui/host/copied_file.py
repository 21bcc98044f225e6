"""The file in which a copied text stays: its owner's alone, in a directory that nobody else can write.

That is `mvtui` in $XDG_RUNTIME_DIR where that is the person's own (after sudo it may be another's), root's /run/mvtui,
else `mvtui-UID` where temporary files go. Nothing but a directory of one's own is used: no link is followed to it.
"""

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

NAME = "copied"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Of the keepers, too, whose directory is to be seen by all.
_ROOTS = Path("/run/mvtui")
_OTHERS_MAY_WRITE = 0o022


def leave(text: str, environ: Mapping[str, str]) -> Path:
    """Write it in the place of what was copied before, in one step, with mode 0600; where it is then. Raises OSError:
    of the last place that was tried."""
    trouble = OSError(f"there is no directory of {os.geteuid()}'s own")
    for folder in _folders(environ):
        try:
            directory = _open_own(folder)
        except OSError as error:
            trouble = error
            continue
        try:
            _write(directory, text.encode("utf-8", "backslashreplace"))
            return folder / NAME
        except OSError as error:
            trouble = error
        finally:
            os.close(directory)
    raise trouble


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and _is_own(runtime):
        yield Path(runtime) / "mvtui"
    if os.geteuid() == 0:
        yield _ROOTS
    yield Path(tempfile.gettempdir()) / f"mvtui-{os.geteuid()}"


def _is_own(path: str) -> bool:
    try:
        return _belongs_to_us_alone(os.stat(path))
    except OSError:
        return False


def _belongs_to_us_alone(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_MAY_WRITE


def _open_own(folder: Path) -> int:
    """A descriptor of it, made where it is missing. Raises OSError, also where somebody else can write there."""
    with suppress(FileExistsError):
        os.mkdir(folder, 0o755 if folder == _ROOTS else 0o700)
    directory = os.open(folder, _DIRECTORY)
    if not _belongs_to_us_alone(os.fstat(directory)):
        os.close(directory)
        raise PermissionError(f"{folder} is somebody else's")
    return directory


def _write(directory: int, content: bytes) -> None:
    new = f".{NAME}.{os.getpid()}"
    with suppress(FileNotFoundError):  # of one that was killed
        os.unlink(new, dir_fd=directory)
    file = os.open(new, _CREATE, 0o600, dir_fd=directory)
    try:
        try:
            os.fchmod(file, stat.S_IRUSR | stat.S_IWUSR)  # whatever the umask
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
        finally:
            os.close(file)
        os.rename(new, NAME, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        with suppress(OSError):
            os.unlink(new, dir_fd=directory)
        raise
