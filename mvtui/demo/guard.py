"""A small process that ends a demo when the process that made it ends, in whatever way that happens."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

_BOOT = "import sys; sys.path.append(sys.argv[1]); from mvtui.demo import guard; guard.main(sys.argv[2], sys.argv[3])"
_SECONDS = 20.0


class Guard:
    """Watches this process for the demo in `directory` from now on, in a session of its own."""

    def __init__(self, directory: Path) -> None:
        """Raises OSError."""
        package = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, str(package), str(directory), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self) -> bool:
        """Have the demo ended now, and wait for it; False where the guard could not do it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            return self._process.wait(_SECONDS) == 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False


def main(directory: str, owner: str) -> None:
    """Wait until standard input is closed or the process `owner` has ended; then end the demo."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    _wait(int(owner))
    from mvtui.demo import ending  # noqa: PLC0415 - only now: until here it is small

    ending.end(Path(directory), remove_root=True)


def _wait(owner: int) -> None:
    # A process that was forked meanwhile may hold the other end of standard input: so the owner itself is watched too.
    try:
        pidfd = os.pidfd_open(owner)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(sys.stdin.fileno(), select.POLLIN)
    if os.getppid() == owner:
        poll.poll()
    os.close(pidfd)
