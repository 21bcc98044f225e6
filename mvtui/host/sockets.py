"""Which unix sockets a process serves with the hypervisor connected: its descriptors, and what the kernel says of them
(sock_diag(7); where that is refused, or for another network namespace, /proc/PID/net/unix)."""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import islice

from mvtui.host.unix_diag import ESTABLISHED, UnixDiag, UnixSocket

# Num RefCount Protocol Flags Type St Inode Path (proc_pid_net(5)); St 03 is SS_CONNECTED. A socket that accept(2)
# gave carries the path that its listener is bound to, as it was written there.
_CONNECTED = re.compile(rb"^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{4} 03 +(\d+) (.+)$", re.MULTILINE)

# A virtiofsd opens its sockets before the guest opens files, of which it may have a million; a directory of
# descriptors is listed in their order. A hypervisor connects before the guest runs, too, but has some for each queue.
_DESCRIPTORS_LOOKED_AT = 512
_OF_A_CLIENT = 4096


class UnixSockets:
    """One look at the unix sockets of many processes, to be closed after it.

    An accepted socket is of the network namespace of the client that connected: add every process that may be one. The
    kernel is asked about this namespace alone. Of others, the table is read, once for each: what stands in it can be
    forged by who lives there, and names no peers. Socket inodes are unique over all namespaces.

    `verified` are the cookies of the connections whose client was found; from the look before, they need no search.
    """

    def __init__(self, proc: str = "/proc", verified: Collection[int] = ()) -> None:
        self._proc = proc
        self._before = verified
        self.verified: set[int] = set()
        # More than one where a path with a newline in it looks like another line of the table: none hides the true one.
        self._paths: dict[int, set[bytes]] = {}
        self._namespaces: set[str] = set()
        self._clients: dict[int, _Client | None] = {}
        self._diag: UnixDiag | None = None
        with suppress(OSError):
            self._diag = UnixDiag()
            self._namespaces.add(os.readlink("/proc/self/ns/net"))

    def __enter__(self) -> "UnixSockets":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ask no more."""
        if self._diag is not None:
            self._diag.close()

    def add(self, pid: int) -> None:
        """Read the table of the network namespace of `pid`, if it is new and may be read."""
        with suppress(OSError):
            namespace = os.readlink(f"{self._proc}/{pid}/ns/net")
            if namespace in self._namespaces:
                return
            with open(f"{self._proc}/{pid}/net/unix", "rb") as file:
                table = file.read()
            self._namespaces.add(namespace)
            for inode, path in _CONNECTED.findall(table):
                self._paths.setdefault(int(inode), set()).add(path)

    def connected(self, pid: int, clients: Sequence[int] = ()) -> frozenset[str] | None:
        """The paths, as bound, of the sockets that `pid` holds with one of `clients` (pids) connected to it; where the
        descriptors of a client can't be read, or nobody says who the peer is, it may be anybody. None where it can't be
        told: the descriptors of `pid` can't be read."""
        found: set[bytes] = set()
        try:
            for descriptor in _descriptors(f"{self._proc}/{pid}/fd", _DESCRIPTORS_LOOKED_AT):
                inode = _socket(descriptor)
                if inode is not None:
                    found |= self._served(inode, clients)
        except OSError:
            return None
        return frozenset(map(os.fsdecode, found))

    def _served(self, inode: int, clients: Sequence[int]) -> set[bytes]:
        told = self._diag.ask(inode) if self._diag is not None else None
        if told is None:
            return self._paths.get(inode, set())
        if told.state != ESTABLISHED or not told.name or not told.peer:
            return set()
        if told.cookie in self._before:
            self.verified.add(told.cookie)
        return {told.name} if told.cookie in self.verified or self._may_be_of(clients, told) else set()

    def _may_be_of(self, clients: Sequence[int], connection: UnixSocket) -> bool:
        for pid in clients:
            if pid not in self._clients:
                self._clients[pid] = _client(f"{self._proc}/{pid}/fd")
            client = self._clients[pid]
            if client is None:
                return True
            if client.holds(connection.peer):
                self.verified.add(connection.cookie)
                return True
        return not clients


class _Client:
    """Whether a process holds sockets; its descriptors are looked at as far as it takes to find them."""

    def __init__(self, descriptors: Iterable[str]) -> None:
        self._descriptors = iter(descriptors)
        self._held: set[int | None] = set()

    def holds(self, inode: int) -> bool:
        """Whether it has the socket with this inode open."""
        while inode not in self._held:
            descriptor = next(self._descriptors, None)
            if descriptor is None:
                return False
            self._held.add(_socket(descriptor))
        return True


def _client(directory: str) -> _Client | None:
    """None where its descriptors can't be read."""
    try:
        return _Client(_descriptors(directory, _OF_A_CLIENT))
    except OSError:
        return None


def _descriptors(directory: str, most: int) -> list[str]:
    """The paths of so many descriptors of a process, the oldest first. Raises OSError."""
    with os.scandir(directory) as entries:
        return [entry.path for entry in islice(entries, most)]


def _socket(descriptor: str) -> int | None:
    """The inode of the socket that a descriptor is, None where it is something else, or has been closed."""
    try:
        link = os.readlink(descriptor)
    except OSError:
        return None
    return int(link[len("socket:[") : -1]) if link.startswith("socket:[") else None
