"""A child process whose entries are read as they come: never more than fits, never waiting for one."""

import fcntl
import os
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from mvtui.errors import MvtuiError
from mvtui.host.journal_export import EntrySplitter

# So much is read at once, and so much waits in the pipe: at 10,000 lines a second, what comes in a tenth of a second.
_READ_BYTES = 1 << 20
_PIPE_BYTES = 1 << 20
_MAX_ERROR_BYTES = 4096


class ChildEntries:
    """The entries that `command` (an argv of journalctl's) exports. It ends with `close`, and by itself when this
    process dies: nobody reads its pipe any more, and journalctl waits for that too. Raises MvtuiError where there is
    none."""

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise MvtuiError(f"{command[0]} can't be run: {reason}", "it is part of systemd") from None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._output, self._errors = self._process.stdout.fileno(), self._process.stderr.fileno()
        for descriptor in (self._output, self._errors):
            os.set_blocking(descriptor, False)
        with suppress(OSError):  # more than /proc/sys/fs/pipe-max-size
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._splitter = EntrySplitter()
        self._said = b""

    def fileno(self) -> int:
        """What becomes readable when there is something to read, or no more."""
        return self._output

    def read(self) -> list[bytes] | None:
        """The entries that have come, at most a megabyte of them at once; None when no more will come."""
        self._hear()
        parts: list[bytes] = []
        left = _READ_BYTES
        while left > 0:
            try:
                part = os.read(self._output, left)
            except BlockingIOError:
                break
            if not part:
                if not parts:
                    return None
                break
            parts.append(part)
            left -= len(part)
        return self._splitter.feed(b"".join(parts))

    def all_within(self, seconds: float) -> Iterator[bytes]:
        """Each entry once it is there, until no more will come. Raises TimeoutError where that takes longer."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        # One that never pauses is always ready: the time alone ends that.
        while (left := deadline - time.monotonic()) > 0 and poll.poll(left * 1000):
            entries = self.read()
            if entries is None:
                return
            yield from entries
        raise TimeoutError

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            while part := os.read(self._errors, _MAX_ERROR_BYTES):
                self._said = (self._said + part)[:_MAX_ERROR_BYTES]

    @property
    def complaint(self) -> str:
        """What it has said on standard error until now."""
        with suppress(OSError):
            self._hear()
        return self._said.decode(errors="replace").strip()

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
