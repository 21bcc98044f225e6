"""Which unix sockets a process serves with a peer connected: /proc/PID/net/unix joined with its descriptors."""

import os
import re
from contextlib import suppress
from itertools import islice

# Num RefCount Protocol Flags Type St Inode Path (proc_pid_net(5)); St 03 is SS_CONNECTED. A socket that accept(2)
# gave carries the path that its listener is bound to, as it was written there.
_CONNECTED = re.compile(rb"^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{4} 03 +(\d+) (.+)$", re.MULTILINE)

# A virtiofsd opens its sockets before the guest opens files, of which it may have a million; a directory of
# descriptors is listed in their order.
_DESCRIPTORS_LOOKED_AT = 512


class UnixSockets:
    """One look at the unix sockets of many processes: the table of each network namespace is read once.

    A virtiofsd in its sandbox has a network namespace of its own, and sockets of the one that it came from: add the
    processes that may share it (its parents) too. Socket inodes are unique over all namespaces.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        # More than one where a path with a newline in it looks like another line of the table: none hides the true one.
        self._paths: dict[bytes, set[str]] = {}
        self._namespaces: set[str] = set()

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
                self._paths.setdefault(b"socket:[%s]" % inode, set()).add(os.fsdecode(path))

    def connected(self, pid: int) -> frozenset[str] | None:
        """The paths, as bound, of the connected sockets that `pid` holds; None where its descriptors can't be read."""
        directory = f"{self._proc}/{pid}/fd".encode()
        found: set[str] = set()
        try:
            with os.scandir(directory) as entries:
                for entry in islice(entries, _DESCRIPTORS_LOOKED_AT):
                    # A descriptor may be closed between the listing and the look.
                    with suppress(FileNotFoundError):
                        found |= self._paths.get(os.readlink(entry.path), set())
        except OSError:
            return None
        return frozenset(found)
