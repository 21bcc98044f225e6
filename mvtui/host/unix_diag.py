"""Single unix sockets, asked of the kernel over netlink (sock_diag(7)).

What /proc/net/unix says can't be believed: a name may hold a newline, and then lines of its owner's liking.
"""

import errno
import os
import socket
import struct
from typing import NamedTuple, Self

# include/net/tcp_states.h
ESTABLISHED = 1
LISTEN = 10

# linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLMSG_ERROR = 2
_SHOW_NAME_AND_PEER = 1 | 4
_NAME, _PEER = 0, 2
_ANY_COOKIE = 0xFFFFFFFFFFFFFFFF
_HEADER = struct.Struct("=LHHLL")  # nlmsghdr: length, type, flags, sequence number, port
_REQUEST = struct.Struct("=BBHLLLQ")  # unix_diag_req: family, protocol, padding, states, inode, show, cookie
_ANSWER = struct.Struct("=BBBBLQ")  # unix_diag_msg: family, type, state, padding, inode, cookie
_ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type; the next begins at a multiple of 4
_ERROR = struct.Struct("=l")
_NUMBER = struct.Struct("=L")
_ALL_STATES = 0xFFFFFFFF
# A name has 108 bytes at most.
_ANSWER_BYTES = 1024


class UnixSocket(NamedTuple):
    """`cookie` is this socket's alone until the machine ends; `state` is ESTABLISHED, LISTEN or another; `name` is the
    path as it was bound (it begins with NUL where it is abstract, and is empty where there is none), of an accepted
    socket its listener's; `peer` is the inode of the other side's socket, 0 where that is closed or there is none."""

    cookie: int
    state: int
    name: bytes
    peer: int


class UnixDiag:
    """Asks about unix sockets of the network namespace in which it is made. Raises OSError where the kernel, or
    somebody between, refuses."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self._netlink = socket.socket(socket.AF_NETLINK, kind, _NETLINK_SOCK_DIAG)
        try:
            self._check()
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the netlink socket."""
        self._netlink.close()

    def ask(self, inode: int) -> UnixSocket | None:
        """The socket with this inode (of sockfs, as /proc/PID/fd shows it); None where this namespace has none."""
        request = _REQUEST.pack(socket.AF_UNIX, 0, 0, _ALL_STATES, inode, _SHOW_NAME_AND_PEER, _ANY_COOKIE)
        header = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, inode, 0)
        self._netlink.send(header + request)
        # The kernel has answered before `send` returns.
        answer = self._netlink.recv(_ANSWER_BYTES, socket.MSG_DONTWAIT)
        length, kind, _, sequence, _ = _HEADER.unpack_from(answer)
        if sequence != inode or length > len(answer):
            raise OSError(errno.EBADMSG, os.strerror(errno.EBADMSG))
        if kind == _NLMSG_ERROR:
            number = -_ERROR.unpack_from(answer, _HEADER.size)[0]
            if number == errno.ENOENT:
                return None
            raise OSError(number, os.strerror(number))
        return _parse(answer[_HEADER.size : length])

    def _check(self) -> None:
        """A kernel that knows nothing of this answers, as for a socket that is not there, ENOENT."""
        one, other = socket.socketpair()
        with one, other:
            found = self.ask(os.fstat(one.fileno()).st_ino)
            if found is None or found.peer != os.fstat(other.fileno()).st_ino:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))


def _parse(answer: bytes) -> UnixSocket:
    _, _, state, _, _, cookie = _ANSWER.unpack_from(answer)
    name, peer, start = b"", 0, _ANSWER.size
    while start + _ATTRIBUTE.size <= len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, start)
        value = answer[start + _ATTRIBUTE.size : start + length]
        if kind == _NAME:
            name = value if value.startswith(b"\0") else value.rstrip(b"\0")
        elif kind == _PEER:
            peer = _NUMBER.unpack(value)[0]
        start += max(length + 3 & ~3, _ATTRIBUTE.size)
    return UnixSocket(cookie, state, name, peer)
