"""What mvtui tells the journal, as journald would receive it."""

import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.host import journal


@pytest.fixture
def journald(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = tmp_path / "socket"
    monkeypatch.setattr(journal, "SOCKET", str(path))
    monkeypatch.delenv("SUDO_USER", raising=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.setblocking(False)
        yield receiver


def test_fields_are_lines(journald: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    journal.record("stopped web", MVTUI_MICROVM="web", MVTUI_RESULT="done", PRIORITY="5")
    assert journald.recv(4096) == (
        b"MESSAGE=stopped web\nPRIORITY=5\nSYSLOG_IDENTIFIER=mvtui\nMVTUI_USER=alice\n"
        b"MVTUI_MICROVM=web\nMVTUI_RESULT=done\n"
    )


def test_newline_makes_no_field(journald: socket.socket) -> None:
    journal.record("two\nlines", MVTUI_MICROVM="a\nMVTUI_RESULT=done")
    received = journald.recv(4096)
    assert b"MESSAGE\n" + (9).to_bytes(8, "little") + b"two\nlines\n" in received
    assert received.endswith(b"MVTUI_MICROVM\n" + (19).to_bytes(8, "little") + b"a\nMVTUI_RESULT=done\n")


def test_name_that_is_no_utf8_stays_itself(journald: socket.socket) -> None:
    journal.record("started", MVTUI_MICROVM=os.fsdecode(b"w\xffb"))
    assert journald.recv(4096).endswith(b"MVTUI_MICROVM=w\xffb\n")


def test_what_stands_for_no_byte_is_escaped(journald: socket.socket) -> None:
    journal.record("started", MVTUI_MICROVM="\ud800")
    assert journald.recv(4096).endswith(b"MVTUI_MICROVM=\\ud800\n")


def test_user_without_sudo(journald: socket.socket) -> None:
    journal.record("started")
    assert f"MVTUI_USER={pwd.getpwuid(os.getuid()).pw_name}\n".encode() in journald.recv(4096)


def test_user_without_a_name(journald: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    journal.record("started")
    assert b"MVTUI_USER=4000000000\n" in journald.recv(4096)


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "absent"))
    journal.record("started")
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(stale))
    monkeypatch.setattr(journal, "SOCKET", str(stale))
    journal.record("started")


@pytest.mark.timeout(10)
def test_journald_that_does_not_read(journald: socket.socket) -> None:
    for _ in range(2000):
        journal.record("x" * 1000)
    assert journald.recv(4096).startswith(b"MESSAGE=xxx")


def test_too_long(journald: socket.socket) -> None:
    journal.record("x" * 10_000_000)
    with pytest.raises(BlockingIOError):
        journald.recv(4096)
