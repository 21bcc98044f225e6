"""When what serves a share ended: its virtiofsd is supervisord's child, not the keeper's, and supervisord stays."""

import os
import time

from mvtui.host.keeper_events import note
from mvtui.host.keeper_group import VIRTIOFSD, Group
from mvtui.host.keeper_process import command_line, family, read_stat
from mvtui.model.timeline import EventKind

_OPTION = "--socket-path"


def watch_daemons(group: Group, leader: int) -> dict[str, object]:
    """Watch the virtiofsd of every share, among the family of the process `leader`; what to say of them."""
    group.daemons = {}
    sockets = {pid: path for pid in family(leader) if (path := _socket(command_line(pid), group.place.path))}
    tags = {os.path.normpath(socket): tag for tag, (_, socket) in group.place.shares(group.runner).items()}
    for pid, path in sockets.items():
        stat = read_stat(pid)
        if path not in tags or stat is None or stat.ppid in sockets:  # root's is two: its parent ends when it does
            continue
        process = group.watch.adopt(pid, stat.start)
        if process is not None:
            group.daemons[tags[path]] = process
    return _facts(group, {})


def watch_again(group: Group, recorded: dict[str, list[int]]) -> None:
    """Watch those that a keeper before this one watched; of one that ended between nobody knows when."""
    for tag, (pid, start) in recorded.items():
        process = group.watch.adopt(pid, start)
        if process is not None:
            group.daemons[tag] = process


def note_ends(group: Group) -> None:
    """Say of each that has ended since the last time that it did so now."""
    ended = [tag for tag, process in group.daemons.items() if process.ended]
    if ended:
        for tag in ended:
            del group.daemons[tag]
            if group.hypervisor is not None and not group.hypervisor.ended:  # else they end with it
                note(group, EventKind.VIRTIOFSD, f"virtiofsd of share {tag} ended")
        known = group.status.units[VIRTIOFSD].get("daemon_ends", {})
        group.status.set(VIRTIOFSD, None, None, **_facts(group, known | dict.fromkeys(ended, time.time())))


def _facts(group: Group, ends: dict[str, float]) -> dict[str, object]:
    """By tag: the pids and starts of those that are watched, for the keeper that may come after this one, and when the
    others ended."""
    return {
        "daemons": {tag: [process.pid, process.start] for tag, process in group.daemons.items()},
        "daemon_ends": ends,
    }


def _socket(argv: list[str], directory: str) -> str | None:
    """The socket that a virtiofsd's command line names, absolute."""
    for number, word in enumerate(argv):
        option, equals, value = word.partition("=")
        if option == _OPTION:
            path = value if equals else "".join(argv[number + 1 : number + 2])
            return os.path.normpath(os.path.join(directory, path))
    return None
