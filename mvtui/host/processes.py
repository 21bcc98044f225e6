"""The processes of all microVMs and their numbers, from /proc."""

import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mvtui.host.process_finder import Finder, Found
from mvtui.host.process_programs import is_virtiofsd
from mvtui.host.process_slow import read_open_files, read_open_files_limit, read_pss
from mvtui.host.process_stat import CLOCK_TICKS, Stat, parse_stat
from mvtui.model.process import ProcessSample

if TYPE_CHECKING:
    from mvtui.host.sockets import UnixSockets

# CPU time is counted in ticks of 10 ms: over less than this (seconds) a percentage says nothing.
_CPU_SECONDS = 0.2
_TENTHS_PER_TICK = 1000 / CLOCK_TICKS  # of a percent of one core, in a second

# What one slow look may spend on PSS (seconds); it goes on at the next where it has stopped.
_PSS_SECONDS = 0.25

Identity = tuple[int, int, str, str | None, tuple[str, ...], str | None, int, datetime]
Slow = tuple[int | None, int | None, int | None, frozenset[str] | None]


class _Tracked:
    """A process, its last stat and sample; `identity` and `slow` are the first and the last fields of that. CPU is
    counted from `base_ticks` at `base_time` (monotonic). `idle`: where the same stat comes again, so does the same
    sample."""

    __slots__ = ("base_ticks", "base_time", "data", "found", "identity", "idle", "pss_time", "sample", "slow")

    def __init__(self, found: Found, data: bytes, stat: Stat, now: float) -> None:
        self.found = found
        self.data = data
        self.base_ticks = stat.cpu_ticks
        self.base_time = now
        self.identity = _identity(found, stat)
        cpu_seconds = stat.cpu_ticks / CLOCK_TICKS
        self.sample = ProcessSample(*self.identity, cpu_seconds, None, stat.rss, stat.threads, frozen=stat.frozen)
        self.slow: Slow = (None, None, None, None)
        self.idle = False
        self.pss_time = 0.0


class ProcFs:
    """The processes of the microVMs below `state_dir`, as `proc` (a procfs) shows them.

    A process belongs to a microVM by its cgroup, and without one by its working directory. With `by_cgroup` false,
    cgroups say nothing: the units of systemd belong to another state directory than the one that is looked at. What
    we may not read of another user's process is None; a process that ends while it is read is left out.
    """

    def __init__(self, state_dir: Path, proc: Path = Path("/proc"), *, by_cgroup: bool = True) -> None:
        self._state_dir = state_dir
        self._proc = str(proc)
        self._by_cgroup = by_cgroup
        self._finder: Finder | None = None
        self._tracked: dict[int, _Tracked] = {}
        self._verified: set[int] = set()  # connections to a virtiofsd
        self._lock = threading.Lock()

    def sample(self, *, slow: bool = False) -> dict[int, ProcessSample]:
        """By pid, every living process of a microVM. Blocking. `slow` renews PSS, open files and connections,
        which are carried over otherwise."""
        with self._lock:
            if self._finder is None:
                self._finder = Finder(str(self._state_dir), self._proc, by_cgroup=self._by_cgroup)
            finder = self._finder
            self._renew(finder)
            known = {pid: tracked.found for pid, tracked in self._tracked.items()}
            for found in finder.find(known, thorough=slow):
                self._track(found)
            if slow and self._tracked:
                self._renew_slow()
            return {pid: tracked.sample for pid, tracked in self._tracked.items()}

    def close(self) -> None:
        """Let go of kept descriptors."""
        with self._lock:
            for tracked in self._tracked.values():
                tracked.found.file.close()
            self._tracked.clear()

    def _renew(self, finder: Finder) -> None:
        now = time.monotonic()
        for pid in [pid for pid, tracked in self._tracked.items() if not _tick(finder, tracked, now)]:
            self._tracked.pop(pid).found.file.close()

    def _track(self, found: Found) -> None:
        now = time.monotonic()
        if (read := found.read()) is None:
            found.file.close()
            return
        self._tracked[found.pid] = _Tracked(found, *read, now)

    def _renew_slow(self) -> None:
        from mvtui.host.sockets import UnixSockets  # noqa: PLC0415 - where nothing runs, it is not needed

        with UnixSockets(self._proc, self._verified) as sockets:
            self._renew_slow_with(sockets)
            self._verified = sockets.verified

    def _renew_slow_with(self, sockets: "UnixSockets") -> None:
        daemons: set[int] = set()
        clients: dict[str, list[int]] = {}  # by microVM: what may be connected to its virtiofsd
        for pid, tracked in self._tracked.items():
            sockets.add(pid)
            if is_virtiofsd(tracked.sample.exe, tracked.sample.argv):
                daemons.add(pid)
            else:
                clients.setdefault(tracked.sample.microvm, []).append(pid)
        pss_until = time.monotonic() + _PSS_SECONDS
        for pid, tracked in sorted(self._tracked.items(), key=lambda item: item[1].pss_time):
            pss = tracked.sample.pss
            if (now := time.monotonic()) < pss_until:
                pss = read_pss(self._proc, pid)
                tracked.pss_time = now
            slow = (
                pss,
                read_open_files(self._proc, pid),
                read_open_files_limit(self._proc, pid),
                sockets.connected(pid, clients.get(tracked.sample.microvm, ())) if pid in daemons else None,
            )
            # What was read by pid is this process' only if it still lives.
            if slow != tracked.slow and tracked.found.read() is not None:
                tracked.slow = slow
                tracked.sample = tracked.sample._replace(
                    pss=slow[0], open_files=slow[1], open_files_limit=slow[2], connected_sockets=slow[3]
                )


def _tick(finder: Finder, tracked: _Tracked, now: float) -> bool:
    """Renew the numbers; false where the process has ended."""
    found = tracked.found
    data = found.file.read()
    if tracked.idle and data == tracked.data:
        tracked.base_time = now
        return True
    stat = parse_stat(data) if data else None
    if data is None or stat is None:
        return False
    command, ppid, cpu_ticks, threads, start_ticks, rss, frozen = stat
    if start_ticks != found.start_ticks:
        return False
    last = tracked.sample
    if not found.settled or command != found.command:
        finder.look_again(found, stat)
        tracked.identity = _identity(found, stat)
    elif ppid != last.ppid:
        tracked.identity = _identity(found, stat)
    percent = last.cpu_percent
    elapsed = now - tracked.base_time
    if elapsed >= _CPU_SECONDS:
        percent = int((cpu_ticks - tracked.base_ticks) * _TENTHS_PER_TICK / elapsed + 0.5) / 10
        tracked.base_ticks, tracked.base_time = cpu_ticks, now
    tracked.data = data
    tracked.idle = percent == 0.0 and cpu_ticks == tracked.base_ticks and found.settled
    numbers = cpu_ticks / CLOCK_TICKS, percent, rss, threads
    tracked.sample = ProcessSample(*tracked.identity, *numbers, *tracked.slow, frozen)
    return True


def _identity(found: Found, stat: Stat) -> Identity:
    return found.pid, stat.ppid, *found.owner, *found.description, found.started
