"""Peers at the other end of a control socket: what a hypervisor does, and what anything else could do there."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

Serve = Callable[[socket.socket], None]

GREETING = {"QMP": {"version": {"qemu": {"major": 9, "minor": 0, "micro": 0}, "package": ""}, "capabilities": ["oob"]}}
QEMU: dict[str, object] = {
    "query-status": {"status": "running", "running": True},
    "query-block": [
        {
            "device": "vda",
            "io-status": "ok",
            "inserted": {"ro": False, "file": "home.img", "image": {"filename": "home.img"}},
        },
        {"device": "cd0"},
    ],
    "query-blockstats": [{"device": "vda", "stats": {"failed_rd_operations": 0, "failed_wr_operations": 0}}],
    "query-memory-size-summary": {"base-memory": 512 << 20},
    "query-balloon": {"actual": 384 << 20},
    "query-chardev": [
        {"label": "stdio", "filename": "stdio"},
        {"label": "fs0", "filename": "unix:"},
        {"label": "fs2", "filename": "disconnected:unix:/x"},
    ],
}


def qmp(answers: dict[str, object]) -> Serve:
    """Answers QMP; what is not among `answers` is an error."""

    def serve(connection: socket.socket) -> None:
        send(connection, GREETING)
        while message := connection.recv(65536):  # a client that waits for each answer sends one at a time
            asked = json.loads(message)
            command = asked["execute"]
            if command == "qmp_capabilities":
                send(connection, {"return": {}, "id": asked.get("id")} if "id" in asked else {"return": {}})
            elif command in answers:
                send(connection, {"return": answers[command], "id": asked["id"]})
            else:
                error = {"class": "CommandNotFound", "desc": f"The command {command} has not been found"}
                send(connection, {"error": error, "id": asked["id"]})

    return serve


def send(connection: socket.socket, message: object) -> None:
    connection.sendall(json.dumps(message).encode() + b"\r\n")


def http(answers: dict[str, object], *, status: int = 200) -> Serve:
    """Answers one GET, and keeps the connection as these servers do."""

    def serve(connection: socket.socket) -> None:
        file = connection.makefile("rb")
        path = file.readline().split()[1].decode()
        while file.readline().strip():
            pass
        body = json.dumps(answers[path]).encode()
        head = f"HTTP/1.1 {status} \r\nServer: test\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        file.read()

    return serve


def greeted(then: bytes) -> Serve:
    """QMP up to the capabilities; to the first question it says `then`."""

    def serve(connection: socket.socket) -> None:
        send(connection, GREETING)
        connection.recv(65536)
        send(connection, {"return": {}})
        connection.recv(65536)
        connection.sendall(then)
        hanging(connection)

    return serve


def raw(content: bytes) -> Serve:
    """Says this, and waits."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(content)
        connection.makefile("rb").read()

    return serve


class Endless:
    """100 MB of `part`, or as much as is taken (`taken` bytes), after `first`, which talks before that."""

    def __init__(self, part: bytes, first: Serve) -> None:
        self.taken = 0
        self._part, self._first = part, first

    def __call__(self, connection: socket.socket) -> None:
        self.taken = 0
        self._first(connection)
        for _ in range(100_000_000 // len(self._part)):
            connection.sendall(self._part)
            self.taken += len(self._part)


def endless(part: bytes, *, after: bytes = b"") -> Endless:
    """Says that, and then `part` for ever."""
    return Endless(part, lambda connection: connection.sendall(after))


def endless_events(event: bytes) -> Endless:
    """QMP up to the first question, and then that event for ever."""

    def first(connection: socket.socket) -> None:
        send(connection, GREETING)
        connection.recv(65536)
        send(connection, {"return": {}})

    return Endless(event, first)


def closing(connection: socket.socket) -> None:
    """Has nothing to say."""
    connection.shutdown(socket.SHUT_RDWR)


def dripping(connection: socket.socket) -> None:
    """Says something now and then, for ever."""
    ended = threading.Event()
    while not ended.wait(0.05):
        connection.sendall(b" ")


def hanging(connection: socket.socket) -> None:
    """Waits for the other to say something, or to leave."""
    connection.makefile("rb").read()


class Peer:
    """Listens at `path`. `clients` counts who came, `left` is set when the last of them has gone."""

    def __init__(self, path: Path, serve: Serve) -> None:
        self.clients = 0
        self.left = threading.Event()
        self._serve = serve
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(1)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.clients += 1
            self.left.clear()
            with connection, contextlib.suppress(OSError, ValueError):
                self._serve(connection)
            self.left.set()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)
        assert not self._thread.is_alive(), "the peer is still held"


@contextlib.contextmanager
def peer(path: Path, serve: Serve) -> Iterator[Peer]:
    one = Peer(path, serve)
    try:
        yield one
    finally:
        one.close()
