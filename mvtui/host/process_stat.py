"""/proc/PID/stat, the numbers of one process at each tick: proc_pid_stat(5)."""

import errno
import os
import resource
import sys
from contextlib import suppress
from typing import NamedTuple

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")

# Of stat, everything up to the field `rss` (24) is within the first 400 bytes.
_STAT_BYTES = 1024

_DEAD = frozenset((b"Z", b"X", b"x"))
_FROZEN = frozenset((b"T", b"t"))

# What the rest of mvtui may open, however many processes there are.
_RESERVED_DESCRIPTORS = 256


class Stat(NamedTuple):
    """`command` is the pid and the command's name as they stand there: `42 (sh`. `cpu_ticks` is utime + stime and
    `start_ticks` counts from boot, both in CLOCK_TICKS per second; `rss` is in bytes. `frozen`: a signal or a tracer
    has stopped it."""

    command: bytes
    ppid: int
    cpu_ticks: int
    threads: int
    start_ticks: int
    rss: int
    frozen: bool


def parse_stat(data: bytes) -> Stat | None:
    """The text of /proc/PID/stat; None for what is no living process: a zombie, a dead one, and what has no address
    space (vsize), which is a kernel thread or just ending.

    The command's name may itself hold spaces and parentheses: the last one ends it.
    """
    command, _, rest = data.rpartition(b") ")
    fields = rest.split(b" ", 22)
    if fields[0] in _DEAD or fields[20] == b"0":
        return None
    return Stat(
        command,
        int(fields[1]),
        int(fields[11]) + int(fields[12]),
        int(fields[17]),
        int(fields[19]),
        int(fields[21]) * PAGE_SIZE,
        fields[0] in _FROZEN,
    )


class DescriptorBudget:
    """How many descriptors may be kept open: the soft limit of this process, which is raised to the hard one when it
    is first reached (getrlimit(2), RLIMIT_NOFILE), less a reserve."""

    def __init__(self) -> None:
        soft, self._hard = (_finite(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
        self._left = soft - _RESERVED_DESCRIPTORS
        self._to_gain = self._hard - soft

    def take(self) -> bool:
        """True where one more may be kept; it is then counted."""
        if self._left <= 0 < self._to_gain:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (self._hard, self._hard))
                self._left += self._to_gain
            self._to_gain = 0
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """One that was taken is closed."""
        self._left += 1


def _finite(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


class StatFile:
    """The stat of one process. A kept descriptor means that very process, whoever gets its pid later: once it has
    ended, reading gives ESRCH. Without one (`budget` is used up) every reading opens the file anew, and only the
    start time tells whose it is."""

    __slots__ = ("_budget", "_fd", "_path")

    def __init__(self, path: str, budget: DescriptorBudget) -> None:
        """Raises OSError where the process is gone or hidden."""
        self._path = path
        self._budget = budget
        self._fd: int | None = None
        if budget.take():
            try:
                self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                budget.give_back()
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise

    def read(self) -> bytes | None:
        """The text now; None where the process has ended."""
        fd = self._fd
        if fd is None:
            return read_proc(self._path, _STAT_BYTES)
        try:
            return os.pread(fd, _STAT_BYTES, 0)
        except OSError:
            return None

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self._budget.give_back()


def read_stat(path: str) -> Stat | None:
    """The numbers of a process that is not kept; None where it is not alive or hidden."""
    data = read_proc(path, _STAT_BYTES)
    return parse_stat(data) if data else None


def read_proc(path: str, size: int) -> bytes | None:
    """The first `size` bytes of a file of procfs; None where it can't be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(fd, size)
        finally:
            os.close(fd)
    except OSError:
        return None
