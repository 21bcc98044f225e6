"""Who runs a process. Anybody may work in a microVM's directory under any name, so that alone proves nothing."""

import os
import stat

_STATUS_BYTES = 4096


def real_uid(pid: int, proc: str = "/proc") -> int | None:
    """Who started it: the real uid, None where there is no such process. A set-user-ID program has the effective one of
    its owner, and the command line that its caller chose."""
    ids = _real_ids(pid, proc)
    return None if ids is None else ids[0]


def may_write(pid: int, directory: os.stat_result, proc: str = "/proc") -> bool:
    """True where who runs `pid` is root, the directory's owner, or of its group where that may write: nobody else's
    hypervisor could use the images in it."""
    ids = _real_ids(pid, proc)
    if ids is None:
        return False
    uid, *groups = ids
    of_group = directory.st_mode & stat.S_IWGRP and directory.st_gid in groups
    return uid in (0, directory.st_uid) or bool(of_group)


def _real_ids(pid: int, proc: str) -> list[int] | None:
    """The real uid and gid, and the other groups (proc_pid_status(5))."""
    try:
        with open(f"{proc}/{pid}/status", "rb", buffering=0) as file:
            lines = file.read(_STATUS_BYTES).split(b"\n")
    except OSError:
        return None
    words = {line.partition(b":")[0]: line.split()[1:] for line in lines}
    try:
        return [int(word) for word in (words[b"Uid"][0], words[b"Gid"][0], *words[b"Groups"])]
    except (KeyError, IndexError):
        return None
