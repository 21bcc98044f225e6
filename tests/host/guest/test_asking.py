"""What hypervisors say, and what comes of a peer that is none, or a bad one."""

import asyncio
import json
import os
import socket
import time
from pathlib import Path

import pytest
from qemu.qmp import QMPClient

from mvtui.host.calls import CallLog
from mvtui.host.guest import qmp
from mvtui.host.guest.asking import Asked, ask_all
from mvtui.model.guest import GuestDisk, GuestShare, HypervisorReport
from mvtui.model.hypervisor import Hypervisor
from tests.host.guest import peers
from tests.host.guest.peers import Serve, peer

SECONDS = 1.0
CLOUD: dict[str, object] = {
    "/api/v1/vm.info": {
        "config": {
            "memory": {"size": 512 << 20},
            "disks": [{"id": "_disk0", "path": "home.img", "readonly": False}],
            "fs": [{"tag": "ro-store", "socket": "x.sock"}],
            "balloon": {"size": 128 << 20},
        },
        "state": "Running",
        "memory_actual_size": 384 << 20,
    }
}
FIRECRACKER: dict[str, object] = {
    "/": {"id": "anonymous-instance", "state": "Paused", "vmm_version": "1.7.0", "app_name": "Firecracker"},
    "/vm/config": {
        "drives": [{"drive_id": "vda", "path_on_host": "home.img", "is_read_only": True}],
        "machine-config": {"vcpu_count": 1, "mem_size_mib": 512},
        "balloon": {"amount_mib": 128},
    },
}


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    for name in ("web", "good"):
        (tmp_path / name).mkdir()
    return tmp_path


def ask(state_dir: Path, hypervisor: Hypervisor = Hypervisor.QEMU, **changes: object) -> HypervisorReport | str:
    asked = Asked("web", str(state_dir), "web.sock", hypervisor, os.getpid())._replace(**changes)  # type: ignore[arg-type]
    return ask_all([asked], lambda _: True, CallLog(), SECONDS)["web"]


def test_qemu(state_dir: Path) -> None:
    with peer(state_dir / "web" / "web.sock", peers.qmp(peers.QEMU)):
        assert ask(state_dir) == HypervisorReport(
            status="running",
            memory=512 << 20,
            balloon=384 << 20,
            disks=(GuestDisk("vda", "home.img", False, "ok", 0),),
            shares=(GuestShare("fs0", True), GuestShare("fs2", False)),
        )


def test_a_qmp_that_knows_little_is_stratovirts(state_dir: Path) -> None:
    answers: dict[str, object] = {"query-status": {"status": "paused", "running": False, "singlestep": False}}
    with peer(state_dir / "web" / "web.sock", peers.qmp(answers)):
        assert ask(state_dir, Hypervisor.STRATOVIRT) == HypervisorReport("paused")


def test_a_disk_that_fails(state_dir: Path) -> None:
    block = {"device": "vda", "io-status": "nospace", "inserted": {"ro": False, "file": "home.img"}}
    counts = {"failed_rd_operations": 1, "failed_wr_operations": 2, "failed_flush_operations": 4}
    answers = peers.QEMU | {
        "query-status": {"status": "io-error"},
        "query-block": [block],
        "query-blockstats": [{"device": "vda", "stats": counts}],
    }
    with peer(state_dir / "web" / "web.sock", peers.qmp(answers)):
        report = ask(state_dir)
    assert isinstance(report, HypervisorReport)
    assert (report.status, report.disks) == ("io-error", (GuestDisk("vda", "home.img", False, "nospace", 7),))


def test_cloud_hypervisor(state_dir: Path) -> None:
    with peer(state_dir / "web" / "web.sock", peers.http(CLOUD)):
        assert ask(state_dir, Hypervisor.CLOUD_HYPERVISOR) == HypervisorReport(
            "running", 512 << 20, 384 << 20, (GuestDisk("_disk0", "home.img", False),), (GuestShare("ro-store"),)
        )


def test_firecracker(state_dir: Path) -> None:
    with peer(state_dir / "web" / "web.sock", peers.http(FIRECRACKER)):
        assert ask(state_dir, Hypervisor.FIRECRACKER) == HypervisorReport(
            "paused", 512 << 20, 384 << 20, (GuestDisk("vda", "home.img", True),), ()
        )


def test_a_cloud_hypervisor_without_a_machine_is_refused(state_dir: Path) -> None:
    with peer(state_dir / "web" / "web.sock", peers.http(CLOUD, status=404)):
        assert ask(state_dir, Hypervisor.CLOUD_HYPERVISOR) == "it answers 404 to GET /api/v1/vm.info"


def head(length: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: " + length.encode() + b"\r\n\r\n"


DEEP = b"[" * 200_000 + b"]" * 200_000 + b"\r\n"
GREETING = json.dumps(peers.GREETING).encode() + b"\r\n"
EVENT = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 1}, "data": {"x": "%s"}}\r\n' % (b"x" * 4000)
BAD_QMP: dict[str, Serve] = {
    "hangs": peers.hanging,
    "closes": peers.closing,
    "drips": peers.dripping,
    "greets, then closes": lambda connection: connection.sendall(GREETING),
    "greets, then hangs": peers.raw(GREETING),
    "never ends its line": peers.endless(b"x" * 65536),
    "greets for ever": peers.endless(GREETING),
    "greets, never ends its line": peers.endless(b'{"return": ', after=GREETING),
    "answers with a line without end": peers.greeted(b'{"return": "' + b"x" * 2_000_000),
    "answers with events": peers.greeted(EVENT * 500),
    "tells events for ever": peers.endless_events(EVENT),
    "answers in no JSON": peers.greeted(b"\xff\xfe\x00{]\r\n"),
    "answers too deep": peers.greeted(DEEP),
    "answers with a list": peers.greeted(b"[]\r\n"),
    "answers with an error for nobody": peers.greeted(b'{"error": {"class": "GenericError", "desc": "no"}}\r\n'),
    "answers somebody else": peers.greeted(b'{"return": {"status": "running"}, "id": "another"}\r\n'),
    "answers with a malformed error": peers.greeted(b'{"error": 3, "id": "__qmp#00000"}\r\n'),
    "greets with nonsense": peers.raw(b'{"QMP": 7}\r\n'),
    "greets too deep": peers.raw(DEEP),
    "speaks HTTP": peers.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "tells no status": peers.qmp({"query-status": ["running"]}),
}
BAD_HTTP: dict[str, Serve] = {
    "hangs": peers.hanging,
    "closes": peers.closing,
    "drips": peers.dripping,
    "never ends its head": peers.endless(b"x" * 65536),
    "has headers for ever": peers.endless(b"x: y\r\n" * 1000, after=b"HTTP/1.1 200 OK\r\n"),
    "sends 100 MB": peers.endless(b" " * 65536, after=head("100000000")),
    "sends more than it says": peers.endless(b" " * 65536, after=head("2")),
    "sends less than it says": lambda connection: connection.sendall(head("20") + b"{}"),
    "stops in the middle": peers.raw(head("20") + b"{}"),
    "says a length that is none": peers.raw(head("-1")),
    "says a length of thousand digits": peers.raw(head("9" * 1000)),
    "says two lengths": peers.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "says no status": peers.raw(b"HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"),
    "is no HTTP": peers.raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "sends no ASCII": peers.raw(b"HTTP/1.1 200 \xff\r\nContent-Length: 2\r\n\r\n{}"),
    "sends no JSON": peers.raw(head("4") + b"\xff\x00{]"),
    "sends it too deep": peers.raw(head("400000") + DEEP),
    "tells no state": peers.http({"/api/v1/vm.info": {"state": 7}}),
}
BAD = [
    *(pytest.param(Hypervisor.QEMU, serve, id=f"QMP {name}") for name, serve in BAD_QMP.items()),
    *(pytest.param(Hypervisor.CLOUD_HYPERVISOR, serve, id=f"HTTP {name}") for name, serve in BAD_HTTP.items()),
]


@pytest.mark.parametrize(("hypervisor", "serve"), BAD)
def test_a_bad_peer_harms_nobody_else(
    state_dir: Path, hypervisor: Hypervisor, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is told in words, within a second; another one is answered meanwhile; nothing is held, nothing written."""
    before = sorted(os.listdir("/proc/self/fd"))
    own = os.getpid()
    with (
        peer(state_dir / "web" / "web.sock", serve) as bad,
        peer(state_dir / "good" / "good.sock", peers.qmp(peers.QEMU)) as good,
    ):
        asked = [
            Asked("web", str(state_dir), "web.sock", hypervisor, own),
            Asked("good", str(state_dir), "good.sock", Hypervisor.QEMU, own),
        ]
        began = time.monotonic()
        answers = ask_all(asked, lambda _: True, CallLog(), SECONDS)
        assert time.monotonic() - began < SECONDS + 1.0
        if isinstance(serve, peers.Endless):
            assert serve.taken < 4 << 20, "it is read on and on"
        assert isinstance(answers["good"], HypervisorReport)
        words = answers["web"]
        assert isinstance(words, str)
        assert words
        assert words.isprintable()
        assert len(words) < 300
        assert bad.left.wait(5), "its connection is held"
        assert good.left.wait(5)
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert capfd.readouterr() == ("", "")


def test_what_lies_is_cleaned_and_cut(state_dir: Path) -> None:
    lies: dict[str, object] = {
        "query-status": {"status": "\x1b]0;x\x07[b]RUNNING[/b]\n" + "x" * 300_000},
        "query-block": [{"device": "vda", "io-status": "\x1b[2J", "inserted": {"file": 7, "ro": "yes"}}] * 1000,
        "query-blockstats": {"device": "vda"},
        "query-memory-size-summary": {"base-memory": -5},
        "query-balloon": {"actual": 1 << 80},
        "query-chardev": [{"label": "fs" + "9" * 5000, "filename": []}, {"label": "fs3"}, 9, None],
    }
    with peer(state_dir / "web" / "web.sock", peers.qmp(lies)):
        report = ask(state_dir)
    assert isinstance(report, HypervisorReport)
    assert report.status.isprintable()
    assert len(report.status) == 200
    assert (report.memory, report.balloon) == (None, None)
    assert report.disks is not None
    assert len(report.disks) <= 64
    assert report.disks[0] == GuestDisk("vda", None, None, r"\x1b[2J", None)
    assert report.shares == (GuestShare("fs3", True),)


def test_who_is_not_its_hypervisor_is_asked_nothing(state_dir: Path) -> None:
    with peer(state_dir / "web" / "web.sock", peers.qmp(peers.QEMU)) as other:
        words = ask(state_dir, pid=1)
        assert words == f"who listens at web.sock is not its hypervisor (pid 1), but pid {os.getpid()}"
        assert other.left.wait(5)


def test_a_link_is_not_followed(state_dir: Path, tmp_path: Path) -> None:
    with peer(state_dir / "good" / "good.sock", peers.qmp(peers.QEMU)) as good:
        (state_dir / "web" / "web.sock").symlink_to(state_dir / "good" / "good.sock")
        (state_dir / "web" / "way").symlink_to(state_dir / "good")
        (state_dir / "link").symlink_to(state_dir / "good")
        assert ask(state_dir) == "web.sock is no socket"
        assert ask(state_dir, socket="way/good.sock") == "way/good.sock: Not a directory"
        assert ask_all(
            [Asked("link", str(state_dir), "good.sock", Hypervisor.QEMU, os.getpid())], lambda _: True, CallLog()
        ) == {"link": "good.sock: Not a directory"}
        for outside in ("../good/good.sock", f"{state_dir}/good/good.sock", "x/../../good/good.sock"):
            assert ask(state_dir, socket=outside) == f"{outside} is outside of its directory"
        assert good.clients == 0


def test_what_is_no_socket_is_not_opened(state_dir: Path) -> None:
    place = state_dir / "web" / "web.sock"
    os.mkfifo(place)
    assert ask(state_dir) == "web.sock is no socket"
    place.unlink()
    place.touch()
    assert ask(state_dir) == "web.sock is no socket"
    place.unlink()
    assert ask(state_dir) == "web.sock: No such file or directory"
    assert ask(state_dir, socket="\0") == "\0: is no path"
    with socket.socket(socket.AF_UNIX) as deserted:
        deserted.bind(str(place))
    assert ask(state_dir) == "web.sock: Connection refused"


def test_the_peer_is_free_before_the_client_has_ended(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long that takes: another one may wait for its turn."""
    monkeypatch.setattr(qmp, "_FAREWELL_SECONDS", 60)
    free: list[bool] = []
    with peer(state_dir / "web" / "web.sock", peers.qmp(peers.QEMU)) as qemu:
        end = QMPClient.disconnect

        async def disconnect(client: QMPClient) -> None:
            free.append(await asyncio.to_thread(qemu.left.wait, 5))
            await end(client)

        monkeypatch.setattr(QMPClient, "disconnect", disconnect)
        assert ask_all(
            [Asked("web", str(state_dir), "web.sock", Hypervisor.QEMU, os.getpid())], lambda _: True, CallLog(), 60
        )
    assert free == [True]


def test_a_full_queue_is_not_waited_for(state_dir: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(state_dir / "web" / "web.sock"))
        server.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(state_dir / "web" / "web.sock"))
            began = time.monotonic()
            assert ask(state_dir) == "its control socket is busy"
            assert time.monotonic() - began < SECONDS / 2


def test_who_serves_another_is_left_soon(state_dir: Path) -> None:
    with peer(state_dir / "web" / "web.sock", peers.qmp(peers.QEMU)), socket.socket(socket.AF_UNIX) as other:
        other.connect(str(state_dir / "web" / "web.sock"))
        assert other.recv(10)  # it is served
        began = time.monotonic()
        assert ask(state_dir) == "its control socket serves another client, or does not answer"
        assert time.monotonic() - began < SECONDS / 2


def test_who_stops_is_not_asked(state_dir: Path) -> None:
    asked = Asked("web", str(state_dir), "web.sock", Hypervisor.QEMU, os.getpid())
    with peer(state_dir / "web" / "web.sock", peers.qmp(peers.QEMU)) as qemu:
        assert ask_all([asked], lambda _: False, CallLog()) == {}
        assert qemu.clients == 0
        calm = iter([True, True, True, False])
        assert ask_all([asked], lambda _: next(calm), CallLog()) == {"web": "it is being stopped"}
        assert qemu.left.wait(5)
