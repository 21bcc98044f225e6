"""The stand-in of QEMU does what is seen of QEMU from outside."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mvtui.demo.standins.console import BOOT, BYE
from mvtui.host.calls import CallLog
from mvtui.host.guest.asking import Asked, ask_all
from mvtui.model.guest import GuestDisk, GuestShare, HypervisorReport
from mvtui.model.hypervisor import Hypervisor
from tests.demo.demo_folder import until
from tests.demo.standin_process import connect, run, said

FLOCK = "hhqqi4x"
KEYS = [{"type": "key", "data": {"down": True, "key": {"type": "qcode", "data": key}}} for key in ("ctrl", "delete")]


class Qmp:
    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        connect(self.socket, path)
        self.lines = self.socket.makefile("r")

    def read(self) -> Any:
        return json.loads(self.lines.readline())

    def ask(self, message: str) -> Any:
        self.socket.sendall(message.encode())
        return self.read()

    def run(self, command: str, **arguments: object) -> Any:
        return self.ask(json.dumps({"execute": command, "arguments": arguments}))

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


@pytest.fixture
def qemu(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "a.img").write_bytes(bytes(4096))
    (tmp_path / "b.img").write_bytes(bytes(4096))
    drives = ["-drive", "id=vda,format=raw,file=a.img,if=none,read-only=off"]
    drives += ["-drive", "id=vdb,format=raw,file=b.img,if=none,read-only=on"]
    arguments = ["-name", "web", "-m", "256M", "-chardev", "stdio,id=stdio,signal=off", "-append", "quiet"]
    with run("qemu", *arguments, *drives, "-qmp", "unix:web.sock,server,nowait", cwd=tmp_path) as process:
        yield process


@contextlib.contextmanager
def connected(tmp_path: Path) -> Iterator[Qmp]:
    client = Qmp(tmp_path / "web.sock")
    try:
        assert "version" in client.read()["QMP"]
        yield client
    finally:
        client.close()


def test_qmp_is_negotiated_first(qemu: subprocess.Popen[str], tmp_path: Path) -> None:
    with connected(tmp_path) as qmp:
        assert qmp.run("query-status")["error"]["class"] == "CommandNotFound"
        assert qmp.run("qmp_capabilities") == {"return": {}}
        assert qmp.run("qmp_capabilities")["error"]["class"] == "CommandNotFound"
        assert qmp.run("query-status")["return"]["status"] == "running"


def test_qmp_answers(qemu: subprocess.Popen[str], tmp_path: Path) -> None:
    with connected(tmp_path) as qmp:
        qmp.run("qmp_capabilities")
        blocks = qmp.run("query-block")["return"]
        assert [(each["device"], each["inserted"]["ro"]) for each in blocks] == [("vda", False), ("vdb", True)]
        assert blocks[0]["inserted"]["image"]["virtual-size"] == 4096
        assert "qemu" in qmp.run("query-version")["return"]
        assert qmp.run("query-balloon")["error"]["class"] == "DeviceNotActive"
        assert qmp.ask('{"execute": "query-status", "id": 7}\r\n')["id"] == 7


def test_mvtui_asks_it_as_it_asks_qemu(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a.img").write_bytes(bytes(4096))
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "web" / "fs.sock"))
        daemon.listen()
        words = ["-m", "64M", "-qmp", "unix:web.sock,server,nowait", "-chardev", "socket,id=fs0,path=fs.sock"]
        words += ["-drive", "id=vda,format=raw,file=a.img,if=none,read-only=on"]
        with run("qemu", *words, cwd=tmp_path / "web") as process:
            served, _ = daemon.accept()
            until((tmp_path / "web" / "web.sock").exists, "it does not listen")
            asked = [Asked("web", str(tmp_path), "web.sock", Hypervisor.QEMU, process.pid)]
            report = HypervisorReport(
                "running", 64 << 20, None, (GuestDisk("vda", "a.img", True, None, 0),), (GuestShare("fs0", True),)
            )
            assert ask_all(asked, lambda _: True, CallLog()) == {"web": report}
            served.close()
            lost = report._replace(shares=(GuestShare("fs0", False),))
            assert ask_all(asked, lambda _: True, CallLog()) == {"web": lost}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("nonsense\n", "GenericError"),
        ('{"execute": 5}\n', "GenericError"),
        ('["execute"]', "GenericError"),
        ('{"execute": "no-such"}', "CommandNotFound"),
        ('{"execute": "balloon", "arguments": 3}', "DeviceNotActive"),
    ],
)
def test_qmp_errors_are_json(qemu: subprocess.Popen[str], tmp_path: Path, message: str, kind: str) -> None:
    with connected(tmp_path) as qmp:
        qmp.run("qmp_capabilities")
        assert qmp.ask(message)["error"]["class"] == kind
        assert qmp.run("query-status")["return"]["running"] is True


def test_qmp_serves_one_client_at_a_time(qemu: subprocess.Popen[str], tmp_path: Path) -> None:
    with connected(tmp_path) as first:
        second = Qmp(tmp_path / "web.sock")
        # Answers to the first prove that the loop has gone round, and still nobody has greeted the second.
        first.run("qmp_capabilities")
        first.run("query-status")
        second.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.socket.recv(1)
        second.socket.settimeout(20)
        first.close()
        assert "QMP" in second.read()
        second.close()


def test_balloon(tmp_path: Path) -> None:
    arguments = ["-m", "256M", "-device", "virtio-balloon-pci,id=balloon0", "-qmp", "unix:web.sock,server,nowait"]
    with run("qemu", *arguments, cwd=tmp_path), connected(tmp_path) as qmp:
        qmp.run("qmp_capabilities")
        assert qmp.run("balloon", value=128 << 20) == {"return": {}}
        assert qmp.read()["data"] == {"actual": 128 << 20}
        assert qmp.run("query-balloon")["return"] == {"actual": 128 << 20}


def test_locks_are_those_of_qemu(qemu: subprocess.Popen[str], tmp_path: Path) -> None:
    with connected(tmp_path):
        pass
    held = {}
    for name in ("a.img", "b.img"):
        with open(tmp_path / name, "rb") as image:
            held[name] = [byte for byte in (*range(100, 104), *range(200, 204)) if is_locked(image.fileno(), byte)]
    assert held == {"a.img": [100, 101, 201], "b.img": [100, 201]}


def is_locked(image: int, byte: int) -> bool:
    asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    return bool(struct.unpack(FLOCK, fcntl.fcntl(image, fcntl.F_OFD_GETLK, asked))[0] != fcntl.F_UNLCK)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-drive", "id=vdc,format=raw,file=a.img,read-only=off"], 'Failed to get "write" lock'),
        (["-drive", "id=vdc,format=raw,file=a.img,read-only=on"], 'Failed to get shared "write" lock'),
        (["-drive", "id=vdc,format=raw,file=none.img"], "Could not open 'none.img': No such file or directory"),
        (["-fsdev", "local,id=fs0,path=none"], "failed to open 'none': No such file or directory"),
        (["-chardev", "socket,id=fs0,path=none.sock"], "Failed to connect to 'none.sock': No such file or directory"),
        (["-qmp", "unix:none/x.sock,server,nowait"], "Failed to bind socket to none/x.sock: No such file or directory"),
    ],
)
def test_does_not_start_as_qemu_does_not(
    qemu: subprocess.Popen[str], tmp_path: Path, arguments: list[str], why: str
) -> None:
    with connected(tmp_path), run("qemu", "-name", "second", *arguments, cwd=tmp_path) as second:
        text = said(second)
    assert second.returncode == 1
    assert text.startswith(f"microvm@second: {arguments[0]} {arguments[1]}: ")
    assert why in text


def test_reads_an_image_that_others_read(qemu: subprocess.Popen[str], tmp_path: Path) -> None:
    drive = ["-drive", "id=vda,format=raw,file=b.img,read-only=on", "-qmp", "unix:second.sock,server,nowait"]
    with connected(tmp_path), run("qemu", *drive, cwd=tmp_path):
        until((tmp_path / "second.sock").exists, "the second does not start")


def test_ctrl_alt_delete_shuts_it_down(qemu: subprocess.Popen[str], tmp_path: Path) -> None:
    with connected(tmp_path) as qmp:
        qmp.run("qmp_capabilities")
        assert qmp.run("input-send-event", events=[1, {"type": "btn"}, *KEYS]) == {"return": {}}
        assert qmp.read()["event"] == "SHUTDOWN"
        assert qmp.lines.readline() == ""
    assert said(qemu) == f"command line: quiet\n{BOOT}{BYE}"
    assert qemu.returncode == 0
    assert not (tmp_path / "web.sock").exists()


@pytest.mark.parametrize("how", ["quit", "term"])
def test_ends_at_once(qemu: subprocess.Popen[str], tmp_path: Path, how: str) -> None:
    with connected(tmp_path) as qmp:
        qmp.run("qmp_capabilities")
        if how == "quit":
            qmp.run("quit")
        else:
            qemu.send_signal(signal.SIGTERM)
        reason = qmp.read()["data"]["reason"]
    assert reason == {"quit": "host-qmp-quit", "term": "host-signal"}[how]
    assert qemu.wait(20) == 0


def test_socat_carries_the_shutdown(qemu: subprocess.Popen[str], tmp_path: Path) -> None:
    with connected(tmp_path):
        pass
    requests = [
        '{"execute": "qmp_capabilities"}',
        json.dumps({"execute": "input-send-event", "arguments": {"events": KEYS}}),
    ]
    with run("socat", "STDIO", "UNIX:web.sock,shut-none", cwd=tmp_path) as socat:
        answers, _ = socat.communicate("\n".join(requests), timeout=20)
    assert [next(iter(json.loads(line))) for line in answers.splitlines()] == ["QMP", "return", "return"]
    assert qemu.wait(20) == 0


def test_socat_without_a_listener(tmp_path: Path) -> None:
    with run("socat", "STDIO", "UNIX:none.sock,shut-none", cwd=tmp_path) as socat:
        assert "none.sock" in said(socat)
    assert socat.returncode == 1
