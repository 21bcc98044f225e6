"""Whether a shell would let this process go on once it is stopped."""

import os


def can_go_on() -> bool:
    """Whether somebody outside of our process group, and in our session, waits for us: a shell, mostly. Where there is
    nobody (`tmux new mvtui`), the kernel stops no such group by ^Z either (setpgid(2): orphaned process groups)."""
    group, session, pid = os.getpgrp(), os.getsid(0), os.getppid()
    try:
        while pid > 0 and os.getsid(pid) == session:
            if os.getpgid(pid) != group:
                return True
            pid = _parent(pid)  # sudo, or a script around us, which is stopped with us
    except (OSError, ValueError):
        return False
    return False


def _parent(pid: int) -> int:
    """Raises OSError, ValueError."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])
