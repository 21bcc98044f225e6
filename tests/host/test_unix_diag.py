import errno
import os
import socket
from pathlib import Path

import pytest

from mvtui.host.unix_diag import ESTABLISHED, LISTEN, UnixDiag, UnixSocket


def inode(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


def test_both_sides_of_a_connection(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    with (
        UnixDiag() as diag,
        socket.socket(socket.AF_UNIX) as listener,
        socket.socket(socket.AF_UNIX) as client,
    ):
        listener.bind(path)
        listener.listen()
        client.connect(path)
        with listener.accept()[0] as accepted:
            told = [diag.ask(inode(one)) for one in (listener, client, accepted)]
            cookies = [one.cookie for one in told if one is not None]
            assert len(set(cookies)) == 3
            assert told == [
                UnixSocket(cookies[0], LISTEN, path.encode(), 0),
                UnixSocket(cookies[1], ESTABLISHED, b"", inode(accepted)),
                UnixSocket(cookies[2], ESTABLISHED, path.encode(), inode(client)),
            ]
            client.close()
            assert diag.ask(inode(accepted)) == UnixSocket(cookies[2], ESTABLISHED, path.encode(), 0)


@pytest.mark.parametrize("name", ["\0abstract\nff: 1", "n" * 107, "new\nline", "\udcff"])
def test_names_are_as_they_were_bound(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with UnixDiag() as diag, socket.socket(socket.AF_UNIX) as one:
        one.bind(os.fsencode(name))
        found = diag.ask(inode(one))
    assert found is not None
    assert os.fsdecode(found.name) == name


def test_what_is_no_unix_socket(tmp_path: Path) -> None:
    with UnixDiag() as diag, socket.socket() as inet:
        assert diag.ask(inode(inet)) is None


def test_a_kernel_that_knows_no_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnixDiag, "ask", lambda *_: None)
    with pytest.raises(OSError, match=os.strerror(errno.ENOENT)):
        UnixDiag()
