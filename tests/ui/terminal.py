"""A pty with a program behind it: what it writes, and what a person would see."""

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import pyte

# Of the tests, not of mvtui, which would say that it does not know it.
RENEW = "MVTUI_RENEW_SCREENS"
MARK = b"\x1b]7777\x07"
DEADLINE_SECONDS = 30.0

# Of the keyboard protocols of kitty and xterm; pyte takes them for SGR, and does not know others.
KITTY_KEYS = re.compile(rb"\x1b\[[<>=][0-9;]*u|\x1b\[>[0-9;]*m")

_OTHER_TERMINALS = (
    *("SSH_CONNECTION", "SSH_TTY", "NO_COLOR", "COLORTERM", "COLORFGBG", "LC_ALL", "LC_CTYPE"),
    *("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"),
    RENEW,
)


class _Screen(pyte.Screen):
    """One that also knows what is dim, and has it for what blinks, which nothing does."""

    def select_graphic_rendition(self, *attributes: int, **_options: bool) -> None:
        """SGR; 22 ends bold and dim."""
        codes = list(attributes)
        colour = next((at for at, code in enumerate(codes) if code in (38, 48)), len(codes))
        own = [{2: [5], 22: [22, 25]}.get(code, [code]) for code in codes[:colour]]
        super().select_graphic_rendition(*[code for some in own for code in some], *codes[colour:])


class TerminalProgram:
    """Python with these arguments behind a pty of its own; `pipe` gives it one more, the descriptor of a pipe on which
    it takes commands."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        environ: Mapping[str, str] | None = None,
        pipe: bool = True,
    ) -> None:
        self.master, slave = os.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        commands, self._commands = os.pipe()
        own = {name: value for name, value in os.environ.items() if name not in _OTHER_TERMINALS}
        self.process = subprocess.Popen(
            [sys.executable, *arguments, *([str(commands)] if pipe else [])],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**own, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environ or {})},
            start_new_session=True,
            pass_fds=(commands,),
        )
        os.close(slave)
        os.close(commands)
        self.written = b""
        self.screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)

    def __enter__(self) -> "TerminalProgram":
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._commands)
        os.close(self.master)

    def read_until(self, done: Callable[[bytes], bool]) -> bytes:
        """Everything that is written until `done` says so of it. Raises EOFError where the program ends before."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        read = b""
        while not done(read):
            if not select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"the program wrote {read[-2000:]!r}")
            try:
                part = os.read(self.master, 65536)
            except OSError:  # EIO: the last descriptor of the other side is closed
                part = b""
            if not part:
                raise EOFError(f"the program ended after {read[-2000:]!r}")
            read += part
            self.written += part
            self._stream.feed(KITTY_KEYS.sub(b"", part))
        return read

    def order(self, line: str) -> None:
        """Write a line to the pipe."""
        os.write(self._commands, f"{line}\n".encode())

    def command(self, line: str) -> bytes:
        """Have a command carried out; what it made the program write."""
        self.order(line)
        return self.read_until(lambda read: MARK in read).replace(MARK, b"")

    def settle(self) -> None:
        """Have everything painted that is still to be."""
        while self.command("tick"):
            pass

    def type(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Another size; what has no room any more is lost."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def see(self, text: str) -> None:
        """Wait until it stands on the screen."""
        self.read_until(lambda _: text in self.text)

    def end(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        with suppress(EOFError):
            self.read_until(lambda _: False)
        return self.process.wait(DEADLINE_SECONDS)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """The same in one."""
        return "\n".join(self.lines)

    @property
    def modes(self) -> dict[int, bool]:
        """The private modes that were set or reset, as they are now."""
        found = re.findall(rb"\x1b\[\?(\d+)([hl])", self.written)
        return {int(number): letter == b"h" for number, letter in found}
