"""Whether the sockets of a microVM's virtiofs shares are served, told without a connection: a virtiofsd has one client
and ends when that one leaves.
"""

import os

from mvtui.host.keeper_process import family

_SO_ACCEPTCON = 0x10000  # __SO_ACCEPTCON of <linux/net.h>, in the Flags of /proc/net/unix: the socket listens


def are_served(paths: list[str], directory: str, leader: int) -> bool:
    """True when a process of the session of `leader` listens on each of `paths` (absolute).

    That the paths exist says nothing: sockets stay behind when a microVM stops. Nor does a listener alone: a path that
    was bound relative to `directory` looks the same in another microVM's.
    """
    listening = _listening()
    held = _held_by(family(leader))
    for path in paths:
        sockets = listening.get(path, set()) | listening.get(os.path.relpath(path, directory), set())
        if not sockets or (held is not None and not sockets & held):
            return False
    return True


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
