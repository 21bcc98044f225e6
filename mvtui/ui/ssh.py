"""Logging in to a guest from the panel: ssh gets the terminal, and what it says at its end is kept."""

import asyncio
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Thread

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.model.call import CallKind
from mvtui.model.output import OutputLines
from mvtui.model.text import clean
from mvtui.operations.into import Login
from mvtui.ui.kept_terminal import kept_terminal

# ssh(1): "255 if an error occurred"; any other is the remote command's own.
_ERROR = 255
# So many of the last pieces of what it said are kept, each of 4 KiB at most.
_MOST_PARTS = 16


async def run(login: Login, suspended: Callable[[], AbstractContextManager[None]], calls: CallLog) -> tuple[bool, str]:
    """Run it with the terminal to itself (within `suspended`), which is afterwards as it was. Whether it connected, and
    how it ended, in words. Raises MvtuiError where it can't be run."""
    with calls.call(CallKind.COMMAND, login.words) as call:
        with suspended(), kept_terminal() as left_open:
            code, said = await _run(login.argv)
            if code != 0:
                left_open()
        call.end(f"exit {code}", ok=0 <= code < _ERROR)
    if 0 <= code < _ERROR:
        return True, f"back from {login.place}"
    how = f"exit {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
    return False, f"ssh to {login.place} ended with {how}{': ' if said else ''}{said}"


async def _run(argv: Sequence[str]) -> tuple[int, str]:
    """Its exit code, -N for the signal N, and the last line of what it said itself (on standard error), which is also
    shown."""
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(list(argv), stderr=writing)  # noqa: ASYNC220 - one that can be stopped by ~^Z
    except OSError as error:
        os.close(reading)
        raise MvtuiError(f"{argv[0]} can't be run: {error.strerror}", "install openssh") from None
    finally:
        os.close(writing)
    kept: deque[bytes] = deque(maxlen=_MOST_PARTS)
    # A master that ssh leaves behind (ControlPersist) holds the pipe open for as long as it lives.
    echo = Thread(target=_echo, args=(reading, kept), daemon=True)
    echo.start()
    try:
        code = await asyncio.to_thread(_wait, process)
    except asyncio.CancelledError:  # the panel ends, and so does what it has lent the terminal to
        process.terminate()
        raise
    echo.join(timeout=0.5)
    said = OutputLines()
    said.feed(b"".join(tuple(kept)))
    return code, clean(said.last)


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Until it has ended. `~^Z` stops ssh alone, and there is no shell that would let it go on: it goes on at once."""
    while True:
        told = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
        if told is None or told.si_code != os.CLD_STOPPED:
            return process.wait()
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG)
        if told.si_status == signal.SIGTSTP:
            process.send_signal(signal.SIGCONT)


def _echo(reading: int, kept: "deque[bytes]") -> None:
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while part := pipe.read(4096):
            kept.append(part)
            os.write(2, part)
