"""A real sshd, taken out of Debian's packages, for one connection at a time: it belongs to an unprivileged user, knows
one key, and sees an /etc/passwd in which that user has a shell. Nothing is installed, nothing listens at port 22."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from tests.real.packages import UnavailableError, program, unpacked

USER, UID = "guest", 60124
_LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
# In a mount namespace of its own; standard input is the connection, until it closes.
_RUN = 'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && exec "$@"'
_AS_USER = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")
# To which group a pty belongs is the mount's to say. sshd, which is no root, could not give it to tty.
_GROUP_OF_PTY = "import os; print(os.fstat(os.openpty()[1]).st_gid)"


class Sshd:
    """`folder` is of everybody; `key` is what a client needs. `logins` are the commands that came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        keygen = program("ssh-keygen", "openssh-client")
        for name in ("host_key", "key"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        self.key = folder / "key"
        passwd = Path("/etc/passwd").read_text() + f"{USER}:x:{UID}:{UID}:a guest:{folder}:/bin/sh\n"
        (folder / "passwd").write_text(passwd)
        asked = subprocess.run([*_AS_USER, "/usr/bin/python3", "-c", _GROUP_OF_PTY], capture_output=True, check=True)
        (folder / "group").write_text(f"root:x:0:\n{USER}:x:{UID}:\ntty:x:{int(asked.stdout)}:\n")
        os.chown(folder / "host_key", UID, UID)
        (folder / "sshd_config").write_text(
            f"HostKey {folder}/host_key\n"
            f"AuthorizedKeysFile {folder}/key.pub\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n"
        )
        # Where they are kept, only root may enter.
        packages = shutil.copytree(unpacked("openssh-server", "libwrap0"), folder / "unpacked", symlinks=True)
        path = ":".join(str(packages / one) for one in _LIBRARIES)
        sshd = str(packages / "usr/sbin/sshd")
        self._argv = (
            *(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                _RUN,
                "sh",
                f"{folder}/passwd",
                f"{folder}/group",
            ),
            *_AS_USER,
            *("env", f"LD_LIBRARY_PATH={path}", sshd, "-i", "-e", "-f", f"{folder}/sshd_config"),
        )
        self.said = b""

    def serve(self, connection: socket.socket) -> None:
        """One client, until it goes."""
        ended = subprocess.run(
            self._argv, stdin=connection.fileno(), stdout=connection.fileno(), stderr=subprocess.PIPE, check=False
        )
        self.said += ended.stderr

    @contextmanager
    def at(self, listener: socket.socket, greet: Callable[[socket.socket], bool] = lambda _: True) -> Iterator[None]:
        """Served at `listener`, while it lasts; `greet` comes before sshd, and says whether that is wanted."""

        def work() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    if greet(connection):
                        self.serve(connection)

        thread = Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            listener.close()


def check_namespaces() -> None:
    """Raises UnavailableError where no mount namespace can be had."""
    ended = subprocess.run(
        ["unshare", "--mount", "mount", "--bind", "/etc/passwd", "/etc/passwd"], capture_output=True, check=False
    )
    if os.geteuid() != 0 or ended.returncode:
        raise UnavailableError("a mount namespace needs root, and to be allowed")
