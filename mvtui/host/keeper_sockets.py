"""Whether the sockets of a microVM's virtiofs shares are served, told without a connection: a virtiofsd has one client
and ends when that one leaves.
"""

import os
import re
from contextlib import suppress

from mvtui.host.keeper_process import family

# Num RefCount Protocol Flags Type St Inode Path (proc_net(5), "unix"); Flags is __SO_ACCEPTCON of <linux/net.h>: it
# listens. A path may hold a newline, and whatever its owner likes after that.
_LISTENING = re.compile(
    rb"^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} 00010000 [0-9A-F]{4} [0-9A-F]{2} +(\d+) (.+)$", re.MULTILINE
)


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
    """Every listening unix socket: inodes by the path that it is bound to."""
    with open("/proc/net/unix", "rb") as file:
        table = file.read()
    listening: dict[str, set[str]] = {}
    for inode, path in _LISTENING.findall(table):
        listening.setdefault(os.fsdecode(path), set()).add(inode.decode())
    return listening


def _held_by(pids: list[int]) -> set[str] | None:
    """The inodes of the sockets that these processes have open; None where one of them does not let this user look."""
    held = set()
    for pid in pids:
        try:
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with suppress(FileNotFoundError):  # closed meanwhile
                    link = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                    if link.startswith("socket:["):
                        held.add(link.removeprefix("socket:[").removesuffix("]"))
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        except PermissionError:
            return None
    return held
