"""What costs too much for every tick: PSS, open files and their limit."""

import os
import re

from mvtui.host.process_stat import read_proc

_PSS = re.compile(rb"^Pss: +(\d+) kB$", re.MULTILINE)
_OPEN_FILES_LIMIT = re.compile(rb"^Max open files +(\d+) ", re.MULTILINE)
_BYTES = 16384


def read_pss(proc: str, pid: int) -> int | None:
    """Bytes of memory, what is shared divided by its sharers (smaps_rollup, proc_pid_smaps(5)); None where it can't
    be read. Takes 36 ms for a guest of 4 GiB."""
    kib = _search(_PSS, f"{proc}/{pid}/smaps_rollup")
    return None if kib is None else kib * 1024


def read_open_files_limit(proc: str, pid: int) -> int | None:
    """The soft limit of open files (proc_pid_limits(5)); None where it can't be read."""
    return _search(_OPEN_FILES_LIMIT, f"{proc}/{pid}/limits")


def read_open_files(proc: str, pid: int) -> int | None:
    """How many descriptors are open; None where it can't be told. Since Linux 6.2 their directory's size says so."""
    directory = f"{proc}/{pid}/fd"
    try:
        if size := os.stat(directory).st_size:
            return size
        with os.scandir(directory) as entries:
            return sum(1 for _ in entries)
    except OSError:
        return None


def _search(pattern: re.Pattern[bytes], path: str) -> int | None:
    text = read_proc(path, _BYTES)
    match = pattern.search(text) if text else None
    return int(match[1]) if match else None
