"""Whether the sockets of a microVM's virtiofs shares are served, told without a connection: a virtiofsd has one client
and ends when that one leaves.
"""

import os
import stat

from mvtui.host.keeper_process import family

_SO_ACCEPTCON = 0x10000  # __SO_ACCEPTCON of <linux/net.h>, in the Flags of /proc/net/unix: the socket listens


class Sockets:
    """Sockets stay behind on disk when a microVM stops: what lies at `paths` (absolute) now does not count."""

    def __init__(self, paths: list[str], directory: str) -> None:
        self._before = {path: _identity(path) for path in paths}
        self._directory = directory

    def are_served_by(self, leader: int) -> bool:
        """True when each is new, and a process of the session of `leader` listens on it."""
        if any(_identity(path) in (None, before) for path, before in self._before.items()):
            return False
        listening = _listening()
        held = _held_by(family(leader))
        for path in self._before:
            # As bound: a relative path may also be another microVM's, so the listener must be one of ours.
            sockets = listening.get(path, set()) | listening.get(os.path.relpath(path, self._directory), set())
            if not sockets or (held is not None and not sockets & held):
                return False
        return True


def _identity(path: str) -> tuple[int, int] | None:
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return (facts.st_ino, facts.st_ctime_ns) if stat.S_ISSOCK(facts.st_mode) else None


def _listening() -> dict[str, set[str]]:
    """Every listening unix socket (proc_net(5), "unix"): inodes by the path that it is bound to."""
    listening: dict[str, set[str]] = {}
    with open("/proc/net/unix", "rb") as file:
        next(file)
        for line in file:
            columns = line.rstrip(b"\n").split(maxsplit=7)
            if len(columns) == 8 and int(columns[3], 16) & _SO_ACCEPTCON:
                listening.setdefault(os.fsdecode(columns[7]), set()).add(columns[6].decode())
    return listening


def _held_by(pids: list[int]) -> set[str] | None:
    """The inodes of the sockets that these processes have open; None where one of them does not let this user look."""
    held = set()
    for pid in pids:
        try:
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                link = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                if link.startswith("socket:["):
                    held.add(link.removeprefix("socket:[").removesuffix("]"))
        except FileNotFoundError:  # closed, or ended, meanwhile
            continue
        except PermissionError:
            return None
    return held
