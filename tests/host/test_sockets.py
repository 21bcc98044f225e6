import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from mvtui.host.sockets import UnixSockets
from tests.host.living import dies_with_us, need_root

# Binds the sockets it is told, in its working directory; says each time it has accepted. `sandbox`: as virtiofsd does,
# a child in a network namespace of its own serves them.
DAEMON = """
import ctypes, os, socket, sys
sandbox, *paths = sys.argv[1:]
listeners = []
for path in paths:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listeners.append(listener)
if sandbox == "sandbox":
    assert ctypes.CDLL(None, use_errno=True).unshare(0x40000000) == 0, os.strerror(ctypes.get_errno())
print("listening", flush=True)
accepted = []
for line in sys.stdin:
    accepted.append(listeners[int(line)].accept())
    print("accepted", flush=True)
"""


class Daemon:
    def __init__(self, process: subprocess.Popen[str], directory: Path, paths: tuple[str, ...]) -> None:
        self.pid = process.pid
        self._process = process
        self._directory = directory
        self._paths = paths

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def connect(self, number: int) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self._directory / self._paths[number]))
        self.accept(number)
        return client

    def accept(self, number: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        assert self.answer() == "accepted"


@contextmanager
def daemon(directory: Path, *paths: str, sandbox: bool = False) -> Iterator[Daemon]:
    with subprocess.Popen(
        [sys.executable, "-c", DAEMON, "sandbox" if sandbox else "plain", *paths],
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    ) as process:
        try:
            made = Daemon(process, directory, paths)
            assert made.answer() == "listening"
            yield made
        finally:
            process.kill()


def connected(pid: int, *clients: int) -> frozenset[str] | None:
    with UnixSockets() as sockets:
        for each in (pid, *clients):
            sockets.add(each)
        return sockets.connected(pid, clients)


@pytest.fixture(params=["netlink", "table"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who says what is connected: the kernel, or, where it refuses, /proc/PID/net/unix."""
    if request.param == "table":
        refuse(monkeypatch)
    return str(request.param)


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> NoReturn:
        raise PermissionError(errno.EPERM, "refused")

    monkeypatch.setattr("mvtui.host.sockets.UnixDiag", refused)


def forge(pid: int, opened: ExitStack) -> None:
    """Have lines in /proc/net/unix that say of each socket of `pid` that it is connected, as forged.sock."""
    links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
    for inode in (link[8:-1] for link in links if link.startswith("socket:[")):
        for planted in range(40):  # the table is in no order
            forged = opened.enter_context(socket.socket(socket.AF_UNIX))
            forged.bind(f"\0{inode}{planted}\nff: 00000003 00000000 00000000 0001 03 {inode} forged.sock")


def test_a_socket_is_connected_while_its_peer_is_there(tmp_path: Path, source: str) -> None:
    with daemon(tmp_path, "web-virtiofs-home.sock") as served:
        assert connected(served.pid) == frozenset()
        client = served.connect(0)
        assert connected(served.pid) == frozenset(("web-virtiofs-home.sock",))
        client.close()
        if source == "netlink":  # in the table it looks connected until the daemon closes its side
            assert connected(served.pid) == frozenset()


def test_the_path_is_the_one_that_was_bound(tmp_path: Path, source: str) -> None:
    names = ("a b.sock", str(tmp_path / "absolute.sock"), "\udcff.sock", "unused.sock")
    with daemon(tmp_path, *names) as served, served.connect(0), served.connect(1), served.connect(2):
        assert connected(served.pid) == frozenset(names[:3])


def test_a_socket_that_waits_to_be_accepted_is_not_connected(tmp_path: Path, source: str) -> None:
    with daemon(tmp_path, "a.sock") as served, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "a.sock"))
        assert connected(served.pid) == frozenset()


def test_a_forged_line_of_the_table_connects_nothing(tmp_path: Path) -> None:
    with daemon(tmp_path, "a.sock") as served:
        with ExitStack() as opened:
            forge(served.pid, opened)
            assert "forged.sock" in Path("/proc/net/unix").read_text(errors="replace")
            assert connected(served.pid) == frozenset()
        with served.connect(0), ExitStack() as opened:
            forge(served.pid, opened)
            assert connected(served.pid) == frozenset(("a.sock",))


def test_where_the_kernel_refuses_a_forged_line_hides_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch)
    with daemon(tmp_path, "a.sock") as served, served.connect(0), ExitStack() as opened:
        forge(served.pid, opened)
        assert connected(served.pid) == frozenset(("a.sock", "forged.sock"))


def test_a_socket_that_somebody_else_took_is_not_connected(tmp_path: Path) -> None:
    with daemon(tmp_path, "a.sock") as served, daemon(tmp_path, "b.sock") as other, served.connect(0):
        assert connected(served.pid, other.pid) == frozenset()
        assert connected(served.pid, other.pid, os.getpid()) == frozenset(("a.sock",))


def test_a_client_that_is_gone_or_another_users_may_be_anybody(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    with daemon(tmp_path, "a.sock") as served, served.connect(0):
        assert connected(served.pid, ended.pid) == frozenset(("a.sock",))


def test_a_client_in_a_network_namespace_of_its_own(tmp_path: Path) -> None:
    need_root("a network namespace")
    connect = (
        "import ctypes, socket, sys\n"
        "assert ctypes.CDLL(None).unshare(0x40000000) == 0\n"
        f"client = socket.socket(socket.AF_UNIX); client.connect({str(tmp_path / 'a.sock')!r})\n"
        "print('connected', flush=True); sys.stdin.read()"
    )
    with (
        daemon(tmp_path, "a.sock") as served,
        subprocess.Popen(
            [sys.executable, "-c", connect],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
        ) as client,
    ):
        assert client.stdout is not None
        assert client.stdout.readline() == b"connected\n"
        served.accept(0)
        assert connected(served.pid) == frozenset()
        assert connected(served.pid, client.pid) == frozenset(("a.sock",))


def test_a_client_that_was_found_is_not_searched_for_again(tmp_path: Path) -> None:
    with daemon(tmp_path, "a.sock") as served, daemon(tmp_path, "b.sock") as other, served.connect(0) as client:
        with UnixSockets() as sockets:
            assert sockets.connected(served.pid, (os.getpid(),)) == frozenset(("a.sock",))
        with UnixSockets(verified=sockets.verified) as later:
            assert later.connected(served.pid, (other.pid,)) == frozenset(("a.sock",))
            client.close()
            assert later.connected(served.pid, (other.pid,)) == frozenset()
        assert len(later.verified) == 1


def test_a_kernel_that_stops_to_answer_leaves_it_open(tmp_path: Path) -> None:
    with daemon(tmp_path, "a.sock") as served, served.connect(0):
        sockets = UnixSockets()
        sockets.close()
        assert sockets.connected(served.pid) is None


def test_the_client_serves_nothing(tmp_path: Path) -> None:
    with daemon(tmp_path, "a.sock") as served, served.connect(0):
        found = connected(os.getpid())
        assert found is not None
        assert "a.sock" not in found


def test_the_sockets_of_a_sandbox_are_of_the_clients_namespace(tmp_path: Path, source: str) -> None:
    need_root("a network namespace")
    with daemon(tmp_path, "a.sock", sandbox=True) as served, served.connect(0):
        assert connected(served.pid, os.getpid()) == frozenset(("a.sock",))


def test_many_open_files_do_not_hide_it(tmp_path: Path) -> None:
    with ExitStack() as opened, daemon(tmp_path, "a.sock") as served:
        opened.enter_context(served.connect(0))
        for _ in range(100):
            opened.enter_context(socket.socket(socket.AF_UNIX))
        assert connected(served.pid) == frozenset(("a.sock",))


def test_a_process_that_is_gone_or_another_users(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    assert connected(ended.pid) is None
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    os.seteuid(65534)
    try:
        assert connected(1) is None
    finally:
        os.seteuid(0)
