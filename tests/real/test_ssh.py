"""Into a guest with a real ssh and a real sshd: through a forwarded port, and through the socket that a hypervisor
serves vsock with. What stands for the guest is a process of this machine."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mvtui.model.definition import Definition
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.model.state import State, StateWord
from mvtui.operations import into
from mvtui.operations.into import find_login
from tests.fakes import fake_host, process
from tests.host.living import missing, need_root, spawning
from tests.real.packages import UnavailableError, program
from tests.real.sshd import USER, Sshd, check_namespaces
from tests.ui.terminal import TerminalProgram

SOON = 60
PROXY = Path(__file__).with_name("ssh_proxy.py")


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    need_root("a user of its own")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        try:
            program("ssh", "openssh-client")
            check_namespaces()
            yield Sshd(folder)
        except UnavailableError as error:
            missing(str(error))


def asked(sshd: Sshd, *command: str) -> list[str]:
    """What goes to ssh behind `--`: nothing of whoever runs the tests."""
    known = f"UserKnownHostsFile={sshd.folder}/known"
    return ["-F", "none", "-i", str(sshd.key), "-o", known, "-o", "StrictHostKeyChecking=accept-new", *command]


@contextmanager
def forwarding(sshd: Sshd) -> Iterator[Path]:
    """The state directory of a host on which `web` runs: a port is forwarded to its guest."""
    states = sshd.folder / "microvms"
    (states / "web").mkdir(parents=True)
    (states / "web" / "flake").write_text("git+file:///etc/nixos")
    listener = socket.create_server(("127.0.0.1", 0))
    netdev = f"user,id=qemu,hostfwd=tcp:127.0.0.1:{listener.getsockname()[1]}-:22"
    # No shell by its name, which no hypervisor is.
    qemu = shutil.copy("/bin/sh", sshd.folder / "qemu-system-x86_64")
    with sshd.at(listener), spawning() as spawn:
        spawn(states / "web", "microvm@web", "-c", "sleep 1000; :", "-netdev", netdev, executable=str(qemu))
        yield states


def test_through_a_forwarded_port(sshd: Sshd) -> None:
    with forwarding(sshd) as states:
        argv = [sys.executable, "-m", "mvtui", "ssh", "--state-dir", str(states), "--manager", "direct"]
        words = asked(sshd, "echo $((6 * 7)) for $USER; exit 7")
        ended = subprocess.run(
            [*argv, "web", "--user", USER, "--", *words],
            capture_output=True,
            text=True,
            timeout=SOON,
            check=False,
        )
        assert ended.stdout == f"42 for {USER}\n", (ended.stderr, sshd.said)
        assert ended.returncode == 7  # the exit code is ssh's, which is the command's


def test_from_the_panel_and_back(sshd: Sshd) -> None:
    """A session on a terminal; the ssh that is found first has the key of these tests."""
    (sshd.folder / "ssh").write_text(
        "#!/bin/sh\nexec " + shlex.join([program("ssh", "openssh-client"), *asked(sshd)]) + ' "$@"\n'
    )
    (sshd.folder / "ssh").chmod(0o755)
    environ = {"PATH": f"{sshd.folder}:{os.environ['PATH']}", "MVTUI_SSH_USER": USER}
    with forwarding(sshd) as states:
        options = ["--state-dir", str(states), "--manager", "direct", "--read-only"]
        with TerminalProgram(["-m", "mvtui", *options], environ=environ, pipe=False) as panel:
            panel.see("Its hypervisor runs")
            panel.type("s")
            panel.see("\n$")  # of the shell
            panel.type("echo of $USER $((6 * 7))\n")
            panel.see(f"of {USER} 42")
            panel.type("exit 5\n")
            panel.see("MEM used/max")
            panel.see("q quit")
            panel.type("q")
            assert panel.end() == 0


def test_through_the_hypervisors_vsock(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    states = sshd.folder / "microvms"
    (states / "web").mkdir(parents=True)
    proxy = sshd.folder / "systemd-ssh-proxy"
    proxy.write_text(f'#!/bin/sh\nexec {sys.executable} {PROXY} "$@"\n')
    proxy.chmod(0o755)
    real = [one for one in into.PROXIES if os.access(one, os.X_OK)]
    monkeypatch.setattr(into, "PROXIES", (*real, str(proxy)))
    booted = Definition(Hypervisor.CLOUD_HYPERVISOR, vsock_cid=3)
    argv = ("cloud-hypervisor", "--vsock", "cid=3,socket=notify.vsock")
    hypervisor = process(os.getpid(), "web", *argv)
    running = State(StateWord.RUNNING, None, "")
    web = MicroVM("web", str(states / "web"), running, booted=booted, hypervisor=hypervisor)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(states / "web" / "notify.vsock"))
    listener.listen()
    with sshd.at(listener, _connects):
        login = find_login(fake_host(states), web, USER, asked(sshd, "cat; exit 3"))
        assert login.place == f"{USER}@vsock-mux{states}/web/notify.vsock"
        ended = subprocess.run(
            login.argv, input="through the guest and back", capture_output=True, text=True, timeout=SOON, check=False
        )
        assert ended.stdout == "through the guest and back", (ended.stderr, sshd.said)
        assert ended.returncode == 3


def _connects(connection: socket.socket) -> bool:
    """As cloud-hypervisor and firecracker serve vsock."""
    said = b""
    while not said.endswith(b"\n"):
        more = connection.recv(1)
        if not more:
            return False
        said += more
    assert said == b"CONNECT 22\n"
    connection.sendall(b"OK 1024\n")
    return True
