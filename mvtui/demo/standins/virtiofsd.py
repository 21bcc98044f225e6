"""Takes the place of virtiofsd: reads the command line that microvm.nix writes, locks its pid file, listens on its
socket, shakes hands with one hypervisor (no guest reads a file through it), and ends when that leaves.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import sys
import time
from collections.abc import Sequence

# vhost-user (QEMU's docs/interop/vhost-user): request, flags, size of what follows.
_HEADER = struct.Struct("<III")
_REPLY = 0x5  # version 1, and: this is a reply
_GET_FEATURES, _GET_PROTOCOL_FEATURES = 1, 15
_VIRTIO_F_VERSION_1, _HAS_PROTOCOL_FEATURES = 1 << 32, 1 << 30
# Without protocol features QEMU takes the memory slots for none; an empty set of them is enough.
_ANSWERS = {_GET_FEATURES: _VIRTIO_F_VERSION_1 | _HAS_PROTOCOL_FEATURES, _GET_PROTOCOL_FEATURES: 0}
_PR_SET_PDEATHSIG = 1


class RefusedError(Exception):
    """virtiofsd would not start; the text is what it says."""


def main(argv: Sequence[str]) -> int:
    """Serve one hypervisor. 0 when it has left, 1 where virtiofsd would not start."""
    given = _parse(argv)
    try:
        server = _listen(given)
    except RefusedError as refused:
        _say("ERROR", str(refused))
        return 1
    # Root sandboxes itself: one process that serves, and its parent, which waits for it.
    if os.geteuid() == 0 and (child := os.fork()):
        server.close()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    _say("INFO", "Waiting for vhost-user socket connection...")
    connection, _ = server.accept()
    server.close()
    _say("INFO", "Client connected, servicing requests")
    serve(connection)
    _say("INFO", "Client disconnected, shutting down")
    with contextlib.suppress(OSError):
        os.unlink(given.socket_path)
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("virtiofsd", allow_abbrev=False)
    parser.add_argument("--socket-path", required=True)
    parser.add_argument("--shared-dir", required=True)
    for name in ("socket-group", "rlimit-nofile", "thread-pool-size", "cache", "inode-file-handles", "tag", "sandbox"):
        parser.add_argument(f"--{name}")
    for name in ("posix-acl", "xattr", "readonly"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args(argv)


def _listen(given: argparse.Namespace) -> socket.socket:
    """The listening socket; the lock on its pid file is held as long as this process lives. Raises RefusedError."""
    if not os.path.isdir(given.shared_dir):
        raise RefusedError(f"{given.shared_dir} does not exist")
    pid_path = f"{given.socket_path}.pid"
    server = socket.socket(socket.AF_UNIX)
    try:
        pid_file = os.open(pid_path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(pid_file, 0)
        os.write(pid_file, f"{os.getpid()}\n".encode())
    except OSError as error:
        raise RefusedError(f"Error creating pid file '{pid_path}': {error.strerror} (os error {error.errno})") from None
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(given.socket_path)
        before = os.umask(0o007 if given.socket_group else 0o077)
        server.bind(given.socket_path)
        os.umask(before)
        if given.socket_group:
            shutil.chown(given.socket_path, group=given.socket_group)
    except LookupError:
        raise RefusedError("Couldn't resolve the group name specified for the socket path") from None
    except OSError as error:
        raise RefusedError(f"Error creating listener: {error.strerror} (os error {error.errno})") from None
    server.listen(1)
    return server


def serve(connection: socket.socket) -> None:
    """Answer the questions without which QEMU goes no further, until it leaves."""
    while header := _receive(connection, _HEADER.size):
        request, _, size = _HEADER.unpack(header)
        _receive(connection, size)
        if request in _ANSWERS:
            connection.sendall(_HEADER.pack(request, _REPLY, 8) + struct.pack("<Q", _ANSWERS[request]))


def _receive(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, empty where the other side has left; descriptors that come with them are closed."""
    received = b""
    while len(received) < size:
        try:
            part, descriptors, _, _ = socket.recv_fds(connection, size - len(received), 16)
        except ConnectionError:
            return b""
        for descriptor in descriptors:
            os.close(descriptor)
        if not part:
            return b""
        received += part
    return received


def _say(level: str, line: str) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), f"[{now} {level} virtiofsd] {line}\n".encode())
