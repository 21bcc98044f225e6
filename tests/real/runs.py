"""The folder and the cgroup of a run of the tests: its own while it lives, and removed by the next if it was killed.

Whoever makes or removes one holds the lock of all runs meanwhile. Without it, one run takes for a leftover what another
is just making, or makes a file anew in what another is just removing.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.real.packages import UnavailableError, locked

PREFIX = "mvtui-test-"


@contextlib.contextmanager
def own_folder(runs: Path, controllers: Path) -> Iterator[tuple[Path, Path]]:
    """A new folder below `runs`, and an empty cgroup of the same name below `controllers` (a cgroup2).

    What killed runs left is removed before. At the end, whatever is still in the cgroup is killed. Raises
    UnavailableError where no cgroup can be made.
    """
    runs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as owned:
        with locked(runs / "lock"):
            for leftover in runs.glob(f"{PREFIX}*"):
                with contextlib.suppress(BlockingIOError), _owned(leftover):
                    _remove(leftover, controllers)
            folder = Path(tempfile.mkdtemp(dir=runs, prefix=PREFIX))
            owned.enter_context(_owned(folder))
        try:
            yield folder, _make_cgroup(controllers / folder.name)
        finally:
            with locked(runs / "lock"):
                _remove(folder, controllers)


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError where a living run owns it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove(folder: Path, controllers: Path) -> None:
    remove_cgroup(controllers / folder.name)
    shutil.rmtree(folder)


def _make_cgroup(cgroup: Path) -> Path:
    try:
        cgroup.mkdir()
    except OSError as error:
        raise UnavailableError(f"no cgroup can be made: {error}") from error
    return cgroup


def remove_cgroup(cgroup: Path) -> None:
    """Remove a cgroup with all that is below and in it; the kernel may need a moment to let go of what was killed."""
    with contextlib.suppress(OSError), (cgroup / "cgroup.kill").open("r+") as kill:  # since Linux 5.14
        kill.write("1")
    deadline = time.monotonic() + 30
    while True:
        for below, _, _ in os.walk(cgroup, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(below)
        if not cgroup.exists() or time.monotonic() > deadline:
            return
        time.sleep(0.02)
