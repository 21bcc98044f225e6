"""Which processes belong to a microVM, and what each of them is. psutil describes them.

It is imported when the first one is found: that takes 20 ms, and a host on which no microVM runs needs none.
"""

import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from mvtui.host.process_owner import Owner, manager_root, microvm_of_directory, owner_by_cgroup
from mvtui.host.process_programs import is_part_of_microvm
from mvtui.host.process_rights import may_write
from mvtui.host.process_stat import (
    CLOCK_TICKS,
    DescriptorBudget,
    Stat,
    StatFile,
    parse_stat,
    read_proc,
    read_stat,
)

# systemd forks, moves the child into its cgroup and then executes; scripts execute what they start. A process younger
# than this (seconds) is looked at again, since what it is may not be settled.
_YOUNG_SECONDS = 5.0

_CGROUP_BYTES = 16384
# Any process can make its command line as long as its address space; a hypervisor's has a few KiB.
_ARGV_BYTES = 1 << 16


class Description(NamedTuple):
    """What does not change at every tick. `exe` is None where it may not be read; `uid` is the effective one."""

    argv: tuple[str, ...]
    exe: str | None
    uid: int


class Found:
    """A process of a microVM. `settled`: when it was looked at it was old enough to stay what it is, unless its
    command changes."""

    __slots__ = ("command", "description", "file", "owner", "pid", "settled", "start_ticks", "started")

    def __init__(
        self, pid: int, file: StatFile, owner: Owner, description: Description, stat: Stat, started: datetime
    ) -> None:
        self.pid = pid
        self.file = file
        self.started = started
        self.start_ticks = stat.start_ticks
        self.take(owner, description, stat)

    def take(self, owner: Owner, description: Description, stat: Stat) -> None:
        """What it is now."""
        self.owner = owner
        self.description = description
        self.command = stat.command
        # Without an argv it was caught between two programs.
        self.settled = bool(description.argv) and _is_old(stat)

    def read(self) -> tuple[bytes, Stat] | None:
        """Its stat now; None where it has ended, though its pid may be another process' already."""
        data = self.file.read()
        stat = parse_stat(data) if data else None
        if data is None or stat is None or stat.start_ticks != self.start_ticks:
            return None
        return data, stat


class Finder:
    """Remembers what belongs to nobody, so that a process is looked at once (often, while it is young)."""

    def __init__(self, state_dir: str, proc: str, *, by_cgroup: bool) -> None:
        self._by_cgroup = by_cgroup
        self._cgroup_root = manager_root(os.fsdecode(read_proc(f"{proc}/1/cgroup", _CGROUP_BYTES) or b""))
        self._state_dir = os.path.realpath(state_dir)
        self._proc = proc
        self._budget = DescriptorBudget()
        # Asked once: it follows the wall clock when that is set, and `started` must not.
        self._boot_time: float | None = None
        # By pid what tells whether it is still the same process; None: neither alive nor ever to be.
        self._others: dict[int, tuple[int, bytes] | None] = {}
        # What was caught between two programs, and will be another at the next look.
        self._executing: set[int] = set()

    def find(self, known: Mapping[int, Found], *, thorough: bool) -> list[Found]:
        """The processes that belong to a microVM and are not in `known`.

        `thorough` also looks again at what belonged to nobody, where its start time or command is another one:
        a shell that executed a runner's script, or a pid that was given to a new process between two looks.
        """
        pids = [int(name) for name in os.listdir(self._proc) if name.isdigit()]
        self._executing.clear()
        self._forget(pids, thorough=thorough)
        found: list[Found] = []
        nobodys: dict[int, Stat] = {}
        for pid in pids:
            if pid in known or pid in self._others:
                continue
            stat = read_stat(self._stat_path(pid))
            if stat is None:
                self._others[pid] = None
            elif (owner := self._owner(pid)) is None:
                nobodys[pid] = stat
            elif (process := self._accept(pid, stat, owner)) is not None:
                found.append(process)
        found += self._descendants((*known.values(), *found), nobodys)
        for pid, stat in nobodys.items():
            if _is_old(stat) and pid not in self._executing:
                self._others[pid] = (stat.start_ticks, stat.command)
        return found

    def look_again(self, process: Found, stat: Stat) -> None:
        """Renew owner and description: it is young, or has executed something else."""
        owner, description = self._owner(process.pid), self._describe(process.pid)
        process.take(owner or process.owner, description or process.description, stat)

    def _forget(self, pids: Iterable[int], *, thorough: bool) -> None:
        others = self._others
        self._others = {
            pid: others[pid] for pid in pids if pid in others and not (thorough and self._changed(pid, others[pid]))
        }

    def _changed(self, pid: int, remembered: tuple[int, bytes] | None) -> bool:
        stat = read_stat(self._stat_path(pid))
        return remembered != (stat and (stat.start_ticks, stat.command))

    def _descendants(self, family: Iterable[Found], nobodys: dict[int, Stat]) -> list[Found]:
        """What processes without a unit have started, taken out of `nobodys`; a unit's children are in its cgroup."""
        owners = {process.pid: process.owner for process in family if process.owner.unit is None}
        found: list[Found] = []
        while children := [pid for pid, stat in nobodys.items() if stat.ppid in owners]:
            for pid in children:
                stat = nobodys.pop(pid)
                owners[pid] = owners[stat.ppid]
                if (process := self._accept(pid, stat, owners[pid])) is not None:
                    found.append(process)
        return found

    def _accept(self, pid: int, stat: Stat, owner: Owner) -> Found | None:
        """None where the process has ended meanwhile: what was read by its pid may be another's."""
        try:
            file = StatFile(self._stat_path(pid), self._budget)
        except OSError:
            return None
        description = self._describe(pid)
        if description is not None:
            started = datetime.fromtimestamp(self._booted() + stat.start_ticks / CLOCK_TICKS, UTC)
            process = Found(pid, file, owner, description, stat, started)
            if process.read() is not None:
                return process
        file.close()
        return None

    def _owner(self, pid: int) -> Owner | None:
        cgroup = read_proc(f"{self._proc}/{pid}/cgroup", _CGROUP_BYTES) if self._by_cgroup else None
        owner = owner_by_cgroup(os.fsdecode(cgroup), self._cgroup_root) if cgroup else None
        if owner is not None:
            return owner
        try:
            return self._owner_by_directory(pid)
        except OSError:
            return None

    def _owner_by_directory(self, pid: int) -> Owner | None:
        link = f"{self._proc}/{pid}/cwd"
        directory = os.readlink(link)
        is_gone = directory.endswith(" (deleted)") and not os.path.lexists(directory)
        if is_gone:
            directory = directory.removesuffix(" (deleted)")
        microvm = microvm_of_directory(directory, self._state_dir)
        if microvm is None:
            return None
        description = self._describe(pid)
        if description is not None and not description.argv:
            self._executing.add(pid)
        if description is None or not is_part_of_microvm(description.exe, description.argv):
            return None
        # In a container, and in anybody's own mount namespace, the same path is another directory.
        if not is_gone and not os.path.samefile(link, directory):
            return None
        home = f"{self._state_dir}/{microvm}"
        facts = os.stat(home if os.path.exists(home) else self._state_dir)
        return Owner(microvm, None) if may_write(pid, facts, self._proc) else None

    def _stat_path(self, pid: int) -> str:
        return f"{self._proc}/{pid}/stat"

    def _booted(self) -> float:
        if self._boot_time is None:
            import psutil  # noqa: PLC0415

            psutil.PROCFS_PATH = self._proc
            self._boot_time = psutil.boot_time()
        return self._boot_time

    def _describe(self, pid: int) -> Description | None:
        """None where the process has ended. Not psutil's `cmdline` and `exe`: the one reads without end, the other
        raises OSError where the path is longer than a page."""
        import psutil  # noqa: PLC0415

        psutil.PROCFS_PATH = self._proc
        try:
            uid = psutil.Process(pid).uids().effective
        except (psutil.Error, OSError):
            return None
        command_line = read_proc(f"{self._proc}/{pid}/cmdline", _ARGV_BYTES)
        words = command_line.removesuffix(b"\0").split(b"\0") if command_line else ()
        try:
            exe: str | None = os.readlink(f"{self._proc}/{pid}/exe").removesuffix(" (deleted)")
        except OSError:
            exe = None
        return Description(tuple(os.fsdecode(word) for word in words), exe, uid)


def _is_old(stat: Stat) -> bool:
    return time.clock_gettime(time.CLOCK_BOOTTIME) - stat.start_ticks / CLOCK_TICKS >= _YOUNG_SECONDS
