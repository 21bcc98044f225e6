"""Where root's keepers report: /run/mvtui/direct/DIGEST-OF-STATE-DIR, which root alone can write."""

import errno
import fcntl
import hashlib
import os
from contextlib import ExitStack, suppress
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def run_directory(state_dir: str, root: Path = Path("/")) -> tuple[str, list[str]]:
    """Base and parts, as `Status` has them, for the host under `state_dir`, which is free of links (realpath)."""
    digest = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]
    return str(root / "run"), ["mvtui", "direct", digest]


def forget_run_directory(state_dir: str, root: Path = Path("/")) -> None:
    """Remove what root's keepers have said of the microVMs of `state_dir`, and what is then empty above it; what is no
    keeper's stays. No link is followed. Raises BlockingIOError where a keeper lives, OSError."""
    base, parts = run_directory(state_dir, root)
    with ExitStack() as opened:
        levels: list[int] = []
        for level in (base, *parts):
            try:
                descriptor = os.open(level, _FLAGS, dir_fd=levels[-1] if levels else None)
            except (FileNotFoundError, NotADirectoryError):
                return
            opened.callback(os.close, descriptor)
            levels.append(descriptor)
        directory = os.path.join(base, *parts)
        for name in os.listdir(levels[-1]):
            with suppress(FileNotFoundError, NotADirectoryError):
                _forget(levels[-1], name, directory)
        with suppress(OSError):  # other hosts have one too
            for above, part in reversed(list(zip(levels[:-1], parts, strict=True))):
                os.rmdir(part, dir_fd=above)


def _forget(directory: int, name: str, path: str) -> None:
    """Remove what the keeper of one microVM has left in `directory`, the one at `path`."""
    own = os.open(name, _FLAGS, dir_fd=directory)
    try:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(errno.EAGAIN, "its keeper lives", os.path.join(path, name)) from None
        for each in os.listdir(own):
            os.unlink(each, dir_fd=own)
        os.rmdir(name, dir_fd=directory)
    finally:
        os.close(own)
