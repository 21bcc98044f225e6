import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from mvtui.host import reach

Serve = Callable[[socket.socket, threading.Event], None]


@contextmanager
def server(serve: Serve) -> Iterator[int]:
    """The port of one that gives its first visitor to `serve`, which ends when the event is set."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                serve(connection, over)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


def _drip(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.05):
        connection.sendall(b"S")


def _be_silent(_: socket.socket, over: threading.Event) -> None:
    over.wait()


@pytest.mark.parametrize("serve", [_drip, _be_silent])
def test_a_guest_that_never_ends_its_greeting_is_not_waited_for(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "SECONDS", 0.2)
    began = time.monotonic()
    with server(serve) as port:
        assert reach.by_address("127.0.0.1", port) == "who listens there says nothing within 0 s"
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("said", "words"), [(b"SSH-2.0-OpenSSH\r\n", ""), (b"HTTP/1.1 400\r\n", "who listens there is no sshd")]
)
def test_who_says_something_at_once(said: bytes, words: str) -> None:
    with server(lambda connection, _: connection.sendall(said)) as port:
        assert reach.by_address("127.0.0.1", port) == words
