"""A command that goes on when mvtui ends, whatever ends it: in a session of its own, its output in a file.

The file is locked (flock(2)) through the command's own standard output: as long as anything of it runs, nobody begins
it again, and whoever comes later can read what it says.
"""

import asyncio
import ctypes
import fcntl
import os
import signal
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.readable import readable
from mvtui.host.records import make_records, opened

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# At once, so much of it is read; what is further behind is left out.
CHUNK = 1 << 18
LOOK_AGAIN_SECONDS = 0.5
# Of the output, so much stays on disk while somebody reads it: what is built can be made to say things without an end.
KEPT_BYTES = 64 << 20
# linux/falloc.h
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_PAGE_BYTES = 1 << 16
# Python ignores them, and a command would inherit that.
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)
_KEPT_THERE = "mvtui keeps there what the command says"


class LastingCommand:
    """One that runs. `pid` leads a process group and a session of its own; None where another mvtui began it."""

    def __init__(self, pid: int | None, output: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid) if pid is not None else None
        self._output = output
        self._read = 0
        self._freed = 0
        self._ended = False

    def output(self) -> tuple[int, bytes]:
        """What it has written since the last call: so many bytes that are left out, then at most CHUNK."""
        size = os.fstat(self._output).st_size
        skipped = max(0, size - self._read - CHUNK)
        data = os.pread(self._output, CHUNK, self._read + skipped)
        self._read += skipped + len(data)
        if size - self._freed > 2 * KEPT_BYTES:
            self._freed = (size - KEPT_BYTES) // _PAGE_BYTES * _PAGE_BYTES
            _free(self._output, self._freed)
        return skipped, data

    async def wait(self) -> int | None:
        """Its exit code, or -N for the signal N that ended it; None where that is another's to know."""
        if self.pid is None or self._pidfd is None:
            while True:
                if _can_lock(self._output):
                    fcntl.flock(self._output, fcntl.LOCK_UN)  # the next one is not held up
                    return None
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await readable(self._pidfd)
        self._ended = True
        return _exit_code(self.pid)

    def end(self, number: signal.Signals) -> None:
        """Send the signal to all of its process group. Raises MvtuiError."""
        if self.pid is None:
            raise MvtuiError("another mvtui began it", "cancel it there", ExitCode.REFUSED)
        if not self._ended:  # until it is waited for, the number is its own
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def close(self) -> None:
        """Let go of it; it runs on."""
        os.close(self._output)
        if self._pidfd is not None:
            os.close(self._pidfd)


def start(argv: Sequence[str], records: Path, folder: str, name: str, environ: Mapping[str, str]) -> LastingCommand:
    """Start `argv` (its program is a path); its output goes to the file `folder`/`name` of the records, in the place of
    what was there. Where that is locked, it runs already, and is only followed. Blocking. Raises RightsMissingError,
    MvtuiError."""
    output = _opened(records, folder, name)
    try:
        if not _can_lock(output):
            return LastingCommand(None, output)
        os.ftruncate(output, 0)
    except OSError as error:  # a file server without locks
        os.close(output)
        raise MvtuiError(
            f"{records}/{folder}/{name} can't be locked: {(error.strerror or str(error)).lower()}", _KEPT_THERE
        ) from None
    try:
        reading = os.open(f"/proc/self/fd/{output}", os.O_RDWR | os.O_CLOEXEC)  # no lock of the command's goes with it
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, output, 1)]
            pid = os.posix_spawn(
                argv[0],
                list(argv),
                environ,
                file_actions=[*actions, (os.POSIX_SPAWN_DUP2, output, 2)],
                setsid=True,
                setsigmask=(),
                setsigdef=_DEFAULT_SIGNALS,
            )
        except OSError as error:
            os.close(reading)
            raise MvtuiError(f"{argv[0]} can't be run: {(error.strerror or str(error)).lower()}", "") from None
        finally:
            os.close(null)
    finally:
        os.close(output)
    return LastingCommand(pid, reading)


def _opened(records: Path, folder: str, name: str) -> int:
    try:
        make_records(records, folder)
        with opened(records, folder) as directory:
            fd = os.open(name, _FLAGS | os.O_CREAT | os.O_APPEND, 0o600, dir_fd=directory)
    except OSError as error:
        message = f"{records}/{folder}/{name} can't be written: {(error.strerror or str(error)).lower()}"
        if isinstance(error, PermissionError):
            raise RightsMissingError(message, "run mvtui as root (sudo mvtui)") from None
        raise MvtuiError(message, _KEPT_THERE) from None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_uid not in (0, os.geteuid()):
        os.close(fd)
        raise MvtuiError(f"{records}/{folder}/{name} is no file of this user's", "remove it")
    return fd


def _can_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(fd: int, count: int) -> None:
    """Give the first `count` bytes of the file back to the disk: they read as zeros, and the file keeps its size. Where
    the file system can't, nothing is done."""
    fallocate = ctypes.CDLL(None).fallocate64
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    fallocate(fd, _KEEP_SIZE | _PUNCH_HOLE, 0, count)


def _exit_code(pid: int) -> int:
    """Of one that has ended."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
