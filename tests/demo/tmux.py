"""A terminal of its own for a program: a private tmux server, keys in, screens out."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.demo.demo_folder import until

# A slow machine that does other things besides.
SECONDS = 60.0


class Tmux:
    """Keys by tmux' names (`Enter`, `Escape`, `Down`), screens as lines."""

    def __init__(self, folder: Path, size: tuple[int, int], term: str) -> None:
        self._size, self._term = size, term
        self.socket = folder / "tmux"
        self._server: subprocess.Popen[bytes] | None = None
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),  # what is copied is left there
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def _tmux(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["tmux", "-S", str(self.socket), "-f", "/dev/null", *arguments]
        return subprocess.run(
            command, env=self._env, capture_output=True, encoding="utf-8", check=check, timeout=SECONDS
        )

    def open(self, argv: Sequence[str]) -> None:
        """Run the program in a terminal. The server is a child, and ends with us however we end."""
        server = ["setpriv", "--pdeathsig", "KILL", "tmux", "-S", str(self.socket), "-f", "/dev/null", "-D"]
        self._server = subprocess.Popen(server, env=self._env)
        until(self.socket.exists, "tmux does not start", SECONDS)
        width, height = self._size
        options = {"status": "off", "default-terminal": self._term, "escape-time": "0"}
        setting = [word for name, value in options.items() for word in ("set-option", "-g", name, value, ";")]
        self._tmux(*setting, "new-session", "-d", "-x", str(width), "-y", str(height), *argv)

    def press(self, *keys: str) -> None:
        """One after the other."""
        self._tmux("send-keys", *keys)

    @property
    def lines(self) -> list[str]:
        """What stands there now; nothing once the program has ended."""
        return self._tmux("capture-pane", "-p", check=False).stdout.splitlines()

    @property
    def text(self) -> str:
        """The same in one."""
        return "\n".join(self.lines)

    def wait_for(self, *texts: str, without: Sequence[str] = ()) -> None:
        """Until all of `texts` stand on the screen, and none of the others."""
        seen = ""

        def shown() -> bool:
            nonlocal seen
            seen = self.text
            return all(text in seen for text in texts) and not any(text in seen for text in without)

        try:
            until(shown, "", SECONDS)
        except AssertionError:
            raise AssertionError(f"waited for {texts} without {tuple(without)}, there is\n{seen}") from None

    def insist(self, key: str, *texts: str, without: Sequence[str] = ()) -> None:
        """Press it until the screen is so: a question hears nothing in its first moments."""

        def shown() -> bool:
            self.press(key)
            with contextlib.suppress(AssertionError):
                until(lambda: self._is(texts, without), "", 1.0)
                return True
            return False

        until(shown, f"{key} does not lead to {texts}", SECONDS)

    def _is(self, texts: Sequence[str], without: Sequence[str]) -> bool:
        seen = self.text
        return all(text in seen for text in texts) and not any(text in seen for text in without)

    @property
    def is_open(self) -> bool:
        """Whether the program runs."""
        return self._tmux("has-session", check=False).returncode == 0

    def close(self) -> None:
        """End the server and all in it."""
        if self._server is not None:
            self._tmux("kill-server", check=False)
            self._server.kill()
            self._server.wait()
            self.socket.unlink(missing_ok=True)


@contextlib.contextmanager
def open_tmux(folder: Path, argv: Sequence[str], size: tuple[int, int], term: str) -> Iterator[Tmux]:
    """The program in a terminal, which ends with the block."""
    terminal = Tmux(folder, size, term)
    try:
        terminal.open(argv)
        yield terminal
    finally:
        terminal.close()
