"""Who looks at a pid file waits for nobody."""

import fcntl
import signal
import time
from pathlib import Path

from mvtui.host.pid_files import PidFileLocks


def test_a_lease_holds_up_nobody(tmp_path: Path) -> None:
    """Its owner may have one: who opens the file then waits until it is given back, 45 s at most (fcntl(2))."""
    path = tmp_path / "home.sock.pid"
    with path.open("w") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        began = time.monotonic()
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        try:
            assert PidFileLocks().holders(str(path)) == ()
        finally:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            signal.signal(signal.SIGIO, before)
        assert time.monotonic() - began < 10
