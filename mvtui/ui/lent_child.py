"""A child that has the terminal: waited for, let go on where nobody else would, and ended with the panel.

It is in the panel's own process group: ^C reaches both (the panel does not mind then), and ^Z stops both for the shell.
"""

import asyncio
import os
import select
import signal
import stat
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import NamedTuple

from mvtui.model.signals import signal_name

# So often (milliseconds) it is looked at; that it has ended is seen at once.
_LOOK_EVERY = 100
# So long (seconds) it has to end by itself, asked by each of the signals; then it is killed.
_PATIENCE = 1.0
# So many of the last pieces of what it said are kept, each of 4 KiB at most.
_MOST_PARTS = 16


class Ended(NamedTuple):
    """`code` is its exit code, -N for the signal N; `said` the last of what came on a standard error that was heard,
    `out` all of a standard output that was."""

    code: int
    said: bytes = b""
    out: bytes = b""

    @property
    def how(self) -> str:
        """`exit 3`, `signal SIGKILL`."""
        return f"exit {self.code}" if self.code >= 0 else f"signal {signal_name(-self.code)}"


async def run(argv: Sequence[str], *, hears: bool = False, keeps_output: bool = False) -> Ended:
    """Run it to its end; `hears`: what it says on standard error is shown and kept; `keeps_output`: its standard output
    is not shown, and kept. Raises OSError where it can't be run.

    Where the panel ends meanwhile, or the terminal goes away, so does it."""
    from mvtui.operations.monitor import in_daemon_thread  # noqa: PLC0415

    heard = _Heard() if hears else None
    output = _Heard(shown=False, most=None) if keeps_output else None
    try:
        process = subprocess.Popen(  # noqa: ASYNC220 - one that can be stopped by ~^Z
            list(argv),
            stderr=heard.writing if heard is not None else None,
            stdout=output.writing if output is not None else None,
        )
    finally:
        for one in (heard, output):
            if one is not None:
                one.begin()
    is_over, has_ended = Event(), Event()
    codes: list[int] = []
    try:
        # Not in asyncio's own threads: looks below a dead mount may hold all of them.
        await in_daemon_thread(lambda: codes.append(_wait(process, is_over, has_ended)))
    except asyncio.CancelledError:  # the panel ends, and so does what it has lent the terminal to
        is_over.set()
        has_ended.wait()  # before the terminal is the shell's again
        raise
    return Ended(codes[0], heard.text if heard is not None else b"", output.text if output is not None else b"")


def _wait(process: "subprocess.Popen[bytes]", is_over: Event, has_ended: Event) -> int:
    """Until it has ended, by itself or because it must. One that was stopped alone (`~^Z` of ssh) goes on: there is no
    shell that would let it."""
    looking = select.poll()
    pidfd = os.pidfd_open(process.pid)
    try:
        looking.register(pidfd, select.POLLIN)
        if stat.S_ISCHR(os.fstat(0).st_mode):  # one that is gone already is no terminal to isatty
            looking.register(0, 0)  # that it is gone is always told
        was_stopped = False
        while process.poll() is None:
            is_gone = any(fd == 0 for fd, _ in looking.poll(_LOOK_EVERY))
            if is_gone:
                # The kernel tells the session's leader alone, which may keep it to itself.
                os.kill(os.getpid(), signal.SIGHUP)
            if is_gone or is_over.is_set():
                _end(process)
                break
            is_stopped = _is_stopped(process)
            # Seen twice: what stopped both of us has not let this look come in between.
            if is_stopped and was_stopped:
                process.send_signal(signal.SIGCONT)
            was_stopped = is_stopped
        return process.wait()
    finally:
        os.close(pidfd)
        has_ended.set()


def _is_stopped(process: "subprocess.Popen[bytes]") -> bool:
    with suppress(ChildProcessError):
        told = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG)
        return told is not None and told.si_code == os.CLD_STOPPED
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asked twice, then killed. One that is stopped hears nothing before it goes on."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
            return
    process.kill()
    process.wait()


class _Heard:
    """The end of a pipe that a child writes to."""

    def __init__(self, *, shown: bool = True, most: int | None = _MOST_PARTS) -> None:
        self._reading, self.writing = os.pipe()
        self._shown = shown
        self._kept: deque[bytes] = deque(maxlen=most)
        # One that a child leaves behind (ssh's ControlPersist) holds the pipe open for as long as it lives.
        self._thread = Thread(target=self._read, daemon=True)

    def begin(self) -> None:
        """Read from now on; the child has its end, or there will be none."""
        os.close(self.writing)
        self._thread.start()

    def _read(self) -> None:
        with os.fdopen(self._reading, "rb", buffering=0) as pipe:
            while part := pipe.read(4096):
                self._kept.append(part)
                if self._shown:
                    with suppress(OSError):  # the terminal may be gone
                        os.write(2, part)

    @property
    def text(self) -> bytes:
        """What was kept of it, once the child has ended."""
        self._thread.join(timeout=0.5)
        return b"".join(tuple(self._kept))
