"""Whether the sockets of a microVM's virtiofs shares are served, told without a connection: a virtiofsd has one client
and ends when that one leaves.
"""

import os
import re
from contextlib import suppress

from mvtui.host.keeper_process import family
from mvtui.host.unix_diag import LISTEN, UnixDiag

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
    held = _held_by(family(leader))
    listening = _listening(held)
    return all(path in listening or os.path.relpath(path, directory) in listening for path in paths)


def _listening(held: set[int] | None) -> set[str]:
    """The paths that these sockets listen on; those of all that listen here, where nobody may see whose is whose. Where
    the kernel can't be asked, the table tells, in which a path may hold what looks like another line."""
    if held is not None:
        with suppress(OSError), UnixDiag() as diag:
            told = [diag.ask(inode) for inode in held]
            return {os.fsdecode(one.name) for one in told if one is not None and one.state == LISTEN}
    with open("/proc/net/unix", "rb") as file:
        table = file.read()
    return {os.fsdecode(path) for inode, path in _LISTENING.findall(table) if held is None or int(inode) in held}


def _held_by(pids: list[int]) -> set[int] | None:
    """The inodes of the sockets that these processes have open; None where one of them does not let this user look."""
    held = set()
    for pid in pids:
        try:
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with suppress(FileNotFoundError):  # closed meanwhile
                    link = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                    if link.startswith("socket:["):
                        held.add(int(link.removeprefix("socket:[").removesuffix("]")))
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        except PermissionError:
            return None
    return held
