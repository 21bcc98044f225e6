"""Who runs a process. Anybody may work in a microVM's directory under any name, so that alone proves nothing."""

import os
import stat
from typing import NamedTuple

_STATUS_BYTES = 4096


class _Ids(NamedTuple):
    """`uid` is the real one; `groups` are the real group and the other ones."""

    uid: int
    effective_uid: int
    groups: list[int]


def effective_uid(pid: int, proc: str = "/proc") -> int | None:
    """As whom it acts, None where there is no such process."""
    ids = _ids(pid, proc)
    return None if ids is None else ids.effective_uid


def real_uid(pid: int, proc: str = "/proc") -> int | None:
    """Who started it: the real uid, None where there is no such process. A set-user-ID program has the effective one of
    its owner, and the command line that its caller chose."""
    ids = _ids(pid, proc)
    return None if ids is None else ids.uid


def may_write(pid: int, directory: os.stat_result, proc: str = "/proc") -> bool:
    """True where who runs `pid` is root, the directory's owner, or of its group where that may write: nobody else's
    hypervisor could use the images in it."""
    ids = _ids(pid, proc)
    if ids is None:
        return False
    of_group = directory.st_mode & stat.S_IWGRP and directory.st_gid in ids.groups
    return ids.uid in (0, directory.st_uid) or bool(of_group)


def _ids(pid: int, proc: str) -> _Ids | None:
    """What proc_pid_status(5) says."""
    try:
        with open(f"{proc}/{pid}/status", "rb", buffering=0) as file:
            lines = file.read(_STATUS_BYTES).split(b"\n")
    except OSError:
        return None
    words = {line.partition(b":")[0]: line.split()[1:] for line in lines}
    try:
        uid, effective_uid = map(int, words[b"Uid"][:2])
        return _Ids(uid, effective_uid, [int(word) for word in (words[b"Gid"][0], *words[b"Groups"])])
    except (KeyError, IndexError, ValueError):
        return None
