"""The way into a guest: which one is taken, and what is said where there is none."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import reach
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.guest import Console, GuestStage, GuestStatus
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.model.state import State, StateWord
from mvtui.operations import into
from mvtui.operations.into import find_login
from tests.fakes import FakeProcesses, FakeUnits, fake_host, process

Serve = Callable[[socket.socket], None]


@contextmanager
def serving(listener: socket.socket, serve: Serve) -> Iterator[None]:
    """One client after the other is served, until the end."""

    def work() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                serve(connection)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def greets(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")


@contextmanager
def port(serve: Serve) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    with serving(listener, serve):
        yield listener.getsockname()[1]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """With an ssh and a proxy, and no `ip`."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("ssh", "systemd-ssh-proxy"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(into, "PROXIES", (str(programs / "none"), str(programs / "systemd-ssh-proxy")))
    (tmp_path / "microvms" / "web").mkdir(parents=True)
    return fake_host(tmp_path / "microvms", FakeUnits(), FakeProcesses())


def web(host: Host, *argv: str, cid: int | None = None, kind: Hypervisor = Hypervisor.QEMU) -> MicroVM:
    hypervisor = process(os.getpid(), "web", "microvm@web", *argv)
    booted = Definition(kind, vsock_cid=cid)
    path = str(host.state_dir / "web")
    return MicroVM("web", path, State(StateWord.RUNNING, None, ""), booted=booted, hypervisor=hypervisor)


def forwarding(number: int) -> str:
    return f"user,id=a,hostfwd=tcp:127.0.0.1:{number}-:22"


def refused(host: Host, microvm: MicroVM) -> str:
    with pytest.raises(MvtuiError) as caught:
        find_login(host, microvm)
    assert caught.value.exit_code == ExitCode.REFUSED
    return caught.value.message


def test_by_a_forwarded_port(host: Host, tmp_path: Path) -> None:
    with port(greets) as number:
        login = find_login(host, web(host, "-netdev", forwarding(number)), "alice", ["-A", "uptime"])
    ssh = str(tmp_path / "programs" / "ssh")
    assert login.argv == (ssh, "-l", "alice", "-p", str(number), "127.0.0.1", "-A", "uptime")
    assert login.place == "alice@127.0.0.1"


def test_vsock_comes_before_what_is_forwarded(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def by_vsock(cid: int) -> str:
        tried.append(cid)
        return ""

    monkeypatch.setattr(reach, "by_vsock", by_vsock)
    login = find_login(host, web(host, "-netdev", forwarding(1), cid=7))
    proxy = tmp_path / "programs" / "systemd-ssh-proxy"
    assert login.argv[3:] == (
        *("-o", f"ProxyCommand={proxy} %h %p", "-o", "ProxyUseFdpass=yes", "-o", "CheckHostIP=no"),
        "vsock/7",
    )
    assert tried == [7]


def test_by_the_socket_of_cloud_hypervisor(host: Host) -> None:
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        asked.append(connection.recv(100))
        connection.sendall(b"OK 1024\nSSH-2.0-x\r\n")

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(host.state_dir / "web" / "notify.vsock"))
    listener.listen()
    words = ("--vsock", "cid=3,socket=notify.vsock")
    with serving(listener, serve):
        login = find_login(host, web(host, *words, cid=3, kind=Hypervisor.CLOUD_HYPERVISOR))
    assert login.argv[-1] == f"vsock-mux{host.state_dir}/web/notify.vsock"
    assert asked == [b"CONNECT 22\n"]


@pytest.mark.parametrize("name", ["notify.vsock;reboot", "notify vsock", "$(id).vsock", "a%h"])
def test_no_path_that_a_shell_takes_for_more(host: Host, name: str) -> None:
    microvm = web(host, "--vsock", f"cid=3,socket={name}", cid=3, kind=Hypervisor.CLOUD_HYPERVISOR)
    assert "ssh can't be given the path" in refused(host, microvm)


def test_no_socket_behind_a_link(host: Host, tmp_path: Path) -> None:
    (host.state_dir / "web" / "notify.vsock").symlink_to(tmp_path / "other")
    microvm = web(host, "--vsock", "cid=3,socket=notify.vsock", cid=3, kind=Hypervisor.CLOUD_HYPERVISOR)
    assert "notify.vsock is no socket" in refused(host, microvm)


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (lambda connection: connection.sendall(b"HTTP/1.1 400\r\n"), "who listens there is no sshd"),
        (lambda connection: None, "who listens there is no sshd"),
        (lambda connection: connection.sendall(b"x" * 10_000), "who listens there is no sshd"),
    ],
)
def test_what_is_no_sshd(host: Host, serve: Serve, why: str) -> None:
    with port(serve) as number:
        assert f"127.0.0.1 port {number}: {why}" in refused(host, web(host, "-netdev", forwarding(number)))


def test_who_says_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "SECONDS", 0.1)
    with port(lambda connection: (connection.recv(1), None)[1]) as number:
        words = refused(host, web(host, "-netdev", forwarding(number)))
    assert "who listens there says nothing within 0 s" in words


def test_everything_that_is_missing_is_said(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(into, "PROXIES", ())
    words = refused(host, web(host, "-device", "x,mac=02:00:00:00:00:01", cid=3))
    assert words.startswith("web can't be reached: vsock 3: there is no systemd-ssh-proxy here")
    assert words.endswith("address: neither the neighbour table nor a lease of dnsmasq has 02:00:00:00:00:01")
    words = refused(host, web(host))
    assert "vsock: it has no vsock number (microvm.vsock.cid)" in words
    assert "its hypervisor has no interface with a MAC" in words


@pytest.mark.skipif(not hasattr(socket, "AF_VSOCK"), reason="no vsock in this Python")
def test_a_number_that_no_guest_has(host: Host) -> None:
    assert "vsock 4000000000: " in refused(host, web(host, cid=4_000_000_000))


def test_the_guest_that_can_t_be_reached_may_be_in_emergency_mode(host: Host) -> None:
    guest = GuestStatus(console=Console(GuestStage.EMERGENCY))
    assert "(its guest is in emergency mode)" in refused(host, web(host)._replace(guest=guest))


def test_one_that_does_not_run(host: Host) -> None:
    off = web(host)._replace(hypervisor=None, state=State(StateWord.STOPPED, None, ""))
    assert refused(host, off) == "web does not run: there is no guest to log in to"


def test_one_whose_hypervisor_this_user_does_not_see(host: Host) -> None:
    """An ordinary user, without systemd or with hidepid: it runs all the same, and to start it would help nobody."""
    with pytest.raises(RightsMissingError, match="web runs, but its hypervisor can't be seen") as caught:
        find_login(host, web(host)._replace(hypervisor=None))
    assert caught.value.hint == "run mvtui as root (sudo mvtui)"


def test_the_demo(host: Host) -> None:
    (host.state_dir.parent / "demo.toml").touch()
    assert "web is a sample of the demo" in refused(host, web(host))


def test_no_ssh(host: Host, tmp_path: Path) -> None:
    (tmp_path / "programs" / "ssh").unlink()
    assert refused(host, web(host)) == "there is no ssh here"


@pytest.mark.parametrize("user", ["-oProxyCommand=x", "", "a b", "a;b"])
def test_a_user_that_is_none(host: Host, user: str) -> None:
    with pytest.raises(MvtuiError) as caught:
        find_login(host, web(host), user)
    assert caught.value.exit_code == ExitCode.USAGE
