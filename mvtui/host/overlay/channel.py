"""The parent's side of the pipe to the child, which has the rights of an unprivileged user: what it answers is bounded,
waited for no longer than agreed, and believed no further."""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.overlay.stop import REFUSED
from mvtui.host.overlay.wire import Message, pack, unpack
from mvtui.model.text import clean

_CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
ENTRY = "from mvtui.host.overlay.child import main; main()"

_MOST_BYTES = 1 << 18
_READ_BYTES = 1 << 16
_MOST_CHARS = 600
_END_SECONDS = 5.0


def _argv(entry: str) -> list[str]:
    """Without site-packages and the environment: neither is needed, and both take time."""
    code = f"import sys; sys.path.append({_CHECKOUT!r}); {entry}"
    return [sys.executable, "-I", "-S", "-X", "utf8", "-c", code]


class Channel:
    """A child, started. `shown` is what it works on, and `then` how that is after a bad end, for messages."""

    def __init__(self, shown: str, entry: str) -> None:
        """Raises MvtuiError."""
        self.shown = shown
        self.then = "the overlay is the old or the new one, whole; the next reset or restore cleans up"
        self._buffer = b""
        self._pid: int | None = None
        theirs_in, self._to = os.pipe2(os.O_CLOEXEC)
        self._from, theirs_out = os.pipe2(os.O_CLOEXEC)
        try:
            nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            try:
                self._pid = os.posix_spawn(
                    sys.executable,
                    _argv(entry),
                    {"PATH": os.defpath, "LC_ALL": "C"},
                    file_actions=[
                        (os.POSIX_SPAWN_DUP2, theirs_in, 0),
                        (os.POSIX_SPAWN_DUP2, theirs_out, 1),
                        (os.POSIX_SPAWN_DUP2, nothing, 2),
                    ],
                    setsid=True,
                )
            finally:
                os.close(nothing)
        except OSError as error:
            self._close_pipes()
            raise MvtuiError(f"no child that works on files can be started: {error.strerror}") from None
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        os.set_blocking(self._to, False)

    def is_silent(self) -> bool:
        """Whether it lives and has said nothing; else it is ended."""
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        if self._pid is not None and not poll.poll(0):
            return True
        self._kill()
        return False

    def send(self, pairs: Iterable[tuple[str, str | int | None]]) -> None:
        """Write a line; an end of the child shows when its answer is read. Raises MvtuiError where it is too long, has
        what is no text (a lone surrogate from somebody's JSON), or is not read: then the child is no more."""
        try:
            line = pack(pairs)
        except UnicodeEncodeError as error:
            self._kill()
            message = f"{clean(str(error.object)[:_MOST_CHARS])} is no name that a file can have, and no argument"
            raise MvtuiError(message, "give it another name", ExitCode.REFUSED) from None
        if len(line) > _MOST_BYTES:
            self._kill()
            words = f"{self.shown}: the arguments of mkfs, or the directories of the runner, are too long"
            raise MvtuiError(words, "", ExitCode.REFUSED)
        poll = select.poll()
        poll.register(self._to, select.POLLOUT)
        with suppress(BrokenPipeError):
            while line:
                if not poll.poll(_END_SECONDS * 1000):
                    raise self._wrong("does not listen")
                line = line[os.write(self._to, line) :]

    def ask(self, pairs: Iterable[tuple[str, str | int | None]], seconds: float) -> Message:
        """Its answer. Raises MvtuiError where it refuses, fails, ends, or takes longer; then it is no more."""
        if self._pid is None:
            raise MvtuiError(f"the child that worked on {self.shown} has ended")
        if self._buffer:
            raise self._wrong("speaks unasked")
        self.send(pairs)
        try:
            answer = unpack(self._read_line(time.monotonic() + seconds))
            result = answer["result"][0]
        except (ValueError, KeyError, IndexError):
            raise self._wrong("answers nonsense") from None
        if result == "done":
            return answer
        message, hint = (clean("".join(answer.get(key, [])[:1])[:_MOST_CHARS]) for key in ("message", "hint"))
        code = ExitCode.REFUSED if result == REFUSED else ExitCode.FAILED
        raise MvtuiError(message or f"the work on {self.shown} failed", hint, code)

    def _read_line(self, until: float) -> bytes:
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        while b"\n" not in self._buffer:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000 + 1):
                raise self._wrong("does not answer")
            more = os.read(self._from, _READ_BYTES)
            if not more:
                raise self._wrong("has ended")
            self._buffer += more
            if len(self._buffer) > _MOST_BYTES:
                raise self._wrong("talks too much")
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _wrong(self, what: str) -> MvtuiError:
        self._kill()
        return MvtuiError(
            f"the child that works on {self.shown} {what}, and is ended",
            self.then,
        )

    def close(self) -> None:
        """The child cleans up and ends; else it is killed."""
        if self._pid is None:
            return
        os.close(self._to)
        self._to = -1
        with suppress(ProcessLookupError):
            _ends(self._pid)
        self._kill()

    def let_go(self) -> None:
        """It goes on without this process, which only takes note of its end."""
        if self._pid is not None:
            threading.Thread(target=_wait_for, args=(self._pid,), daemon=True).start()
            self._pid = None
            self._close_pipes()

    def _kill(self) -> None:
        if self._pid is not None:
            with suppress(ProcessLookupError, ChildProcessError):  # gone where SIGCHLD is ignored
                os.kill(self._pid, signal.SIGKILL)
                # One that waits for a file system of its user's (FUSE) ends when that likes.
                if _ends(self._pid):
                    os.waitpid(self._pid, 0)
            self._pid = None
            self._close_pipes()

    def _close_pipes(self) -> None:
        for fd in (self._to, self._from):
            if fd >= 0:
                os.close(fd)
        self._to = self._from = -1


def _wait_for(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _ends(pid: int) -> bool:
    """Whether it ends soon. Raises ProcessLookupError."""
    ended = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        return bool(poll.poll(_END_SECONDS * 1000))
    finally:
        os.close(ended)
