"""A dbus-daemon for one test: its own configuration, its own socket, gone with whoever started it."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.host.living import missing

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
  <!-- What a system bus allows. -->
  <limit name="max_replies_per_connection">128</limit>
</busconfig>
"""


class PrivateBus:
    """A bus that listens in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._config = directory / "bus.conf"
        self.socket = directory / "bus"
        self.address = f"unix:path={self.socket}"
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        self._config.write_text(_CONFIG.format(socket=self.socket))
        command = ["setpriv", "--pdeathsig", "KILL", "dbus-daemon", "--nofork", "--print-address"]
        self._daemon = subprocess.Popen([*command, f"--config-file={self._config}"], stdout=subprocess.PIPE)
        assert self._daemon.stdout is not None
        assert self._daemon.stdout.readline(), "dbus-daemon did not start"

    def stop(self) -> None:
        """Kill it; the socket goes with it."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.communicate()
            self._daemon = None
        self.socket.unlink(missing_ok=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It is there, and answers nothing."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._daemon.send_signal(signal.SIGCONT)


@contextmanager
def private_bus(directory: Path) -> Iterator[PrivateBus]:
    """A bus for the length of a test."""
    if shutil.which("dbus-daemon") is None:
        missing("dbus-daemon is missing")
    bus = PrivateBus(directory)
    bus.start()
    try:
        yield bus
    finally:
        bus.stop()
