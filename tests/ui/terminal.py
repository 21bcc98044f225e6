"""A pty with a program behind it: what it writes, and what a person would see."""

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

MARK = b"\x1b]7777\x07"
DEADLINE_SECONDS = 30.0


class TerminalProgram:
    """A Python module or script behind a pty of its own, with a pipe on which it takes commands."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        environ: Mapping[str, str | None] | None = None,
        pipe: bool = True,
    ) -> None:
        self.master, slave = os.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        reading, self._commands = os.pipe()
        variables = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environ or {})}
        for name in ("SSH_CONNECTION", "NO_COLOR", "COLORTERM", "COLORFGBG", "LC_ALL", "LC_CTYPE"):
            if name not in (environ or {}):
                variables.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, *arguments, *([str(reading)] if pipe else [])],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={name: value for name, value in variables.items() if value is not None},
            start_new_session=True,
            pass_fds=(reading,),
        )
        os.close(slave)
        os.close(reading)
        self.written = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def __enter__(self) -> "TerminalProgram":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._commands)
        os.close(self.master)

    def read_until(self, done: Callable[[bytes], bool]) -> bytes:
        """Everything that is written until `done` says so of it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        read = b""
        while not done(read):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise TimeoutError(f"the program wrote {read[-2000:]!r}")
            try:
                part = os.read(self.master, 65536)
            except OSError:  # EIO: the last descriptor of the other side is closed
                part = b""
            if not part:
                if done(read):
                    break
                raise EOFError(f"the program ended after {read[-2000:]!r}")
            read += part
            self.written += part
            self._stream.feed(part)
        return read

    def command(self, line: str) -> bytes:
        """Have a command carried out; what it made the program write."""
        os.write(self._commands, f"{line}\n".encode())
        return self.read_until(lambda read: MARK in read).partition(MARK)[0]

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def rest(self) -> bytes:
        """What is written until the end."""
        read = b""
        try:
            read = self.read_until(lambda _: False)
        except EOFError:
            return self.written[len(self.written) - len(read) :]
        return read

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        return [line.rstrip() for line in self._screen.display]
