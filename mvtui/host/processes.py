"""The processes of all microVMs and their numbers, from /proc."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mvtui.host.process_owner import is_virtiofsd
from mvtui.host.process_slow import read_open_files, read_open_files_limit, read_pss
from mvtui.host.process_stat import CLOCK_TICKS, Stat, parse_stat
from mvtui.host.sockets import UnixSockets
from mvtui.model.process import ProcessSample

if TYPE_CHECKING:
    from mvtui.host.process_finder import Finder, Found

# CPU time is counted in ticks of 10 ms: over less than this (seconds) a percentage says nothing.
_CPU_SECONDS = 0.2

# What one slow look may spend on PSS (seconds); it goes on at the next where it has stopped.
_PSS_SECONDS = 0.25


@dataclasses.dataclass(slots=True)
class _Tracked:
    """A process, its last stat and sample. CPU is counted from `base_ticks` at `base_time` (monotonic). `idle`: where
    the same stat comes again, so does the same sample."""

    found: Found
    data: bytes
    sample: ProcessSample
    base_ticks: int
    base_time: float
    idle: bool = False
    pss_time: float = 0.0


class ProcFs:
    """The processes of the microVMs below `state_dir`, as `proc` (a procfs) shows them.

    A process belongs to a microVM by its cgroup, and without one by its working directory. What we may not read of
    another user's process is None; a process that ends while it is read is left out.
    """

    def __init__(self, state_dir: Path, proc: Path = Path("/proc")) -> None:
        self._state_dir = state_dir
        self._proc = str(proc)
        self._finder: Finder | None = None
        self._tracked: dict[int, _Tracked] = {}
        self._lock = threading.Lock()

    def sample(self, *, slow: bool = False) -> dict[int, ProcessSample]:
        """By pid, every living process of a microVM. Blocking. `slow` renews PSS, open files and connections,
        which are carried over otherwise."""
        with self._lock:
            finder = self._finder if self._finder is not None else self._start()
            now = time.monotonic()
            for pid, tracked in list(self._tracked.items()):
                if not _tick(finder, tracked, now):
                    tracked.found.file.close()
                    del self._tracked[pid]
            known = {pid: tracked.found for pid, tracked in self._tracked.items()}
            for found in finder.find(known, thorough=slow):
                self._track(found)
            if slow:
                self._renew_slow()
            return {pid: tracked.sample for pid, tracked in self._tracked.items()}

    def close(self) -> None:
        """Let go of kept descriptors."""
        with self._lock:
            for tracked in self._tracked.values():
                tracked.found.file.close()
            self._tracked.clear()

    def _start(self) -> Finder:
        # psutil takes 20 ms to import: here it does so in the caller's thread, beside whatever else is waited for.
        from mvtui.host.process_finder import Finder  # noqa: PLC0415

        self._finder = Finder(str(self._state_dir), self._proc)
        return self._finder

    def _track(self, found: Found) -> None:
        now = time.monotonic()
        if (read := found.read()) is None:
            found.file.close()
            return
        data, stat = read
        self._tracked[found.pid] = _Tracked(found, data, _sample(found, stat, None, None), stat.cpu_ticks, now)

    def _renew_slow(self) -> None:
        sockets = UnixSockets(self._proc)
        for pid in self._tracked:
            sockets.add(pid)
        pss_until = time.monotonic() + _PSS_SECONDS
        for pid, tracked in sorted(self._tracked.items(), key=lambda item: item[1].pss_time):
            sample = tracked.sample
            pss = sample.pss
            if (now := time.monotonic()) < pss_until:
                pss = read_pss(self._proc, pid)
                tracked.pss_time = now
            serves = is_virtiofsd(sample.exe, sample.argv)
            renewed = dataclasses.replace(
                sample,
                pss=pss,
                open_files=read_open_files(self._proc, pid),
                open_files_limit=read_open_files_limit(self._proc, pid),
                connected_sockets=sockets.connected(pid) if serves else None,
            )
            # What was read by pid is this process' only if it still lives.
            if renewed != sample and tracked.found.read() is not None:
                tracked.sample = renewed


def _tick(finder: Finder, tracked: _Tracked, now: float) -> bool:
    """Renew the numbers; false where the process has ended."""
    found = tracked.found
    data = found.file.read()
    if tracked.idle and data == tracked.data:
        tracked.base_time = now
        return True
    stat = parse_stat(data) if data else None
    if data is None or stat is None or stat.start_ticks != found.start_ticks:
        return False
    if not found.settled or stat.comm != found.comm:
        finder.look_again(found, stat)
    percent = tracked.sample.cpu_percent
    elapsed = now - tracked.base_time
    if elapsed >= _CPU_SECONDS:
        percent = round((stat.cpu_ticks - tracked.base_ticks) / CLOCK_TICKS / elapsed * 100, 1)
        tracked.base_ticks, tracked.base_time = stat.cpu_ticks, now
    tracked.data = data
    tracked.idle = found.settled and percent == 0.0 and stat.cpu_ticks == tracked.base_ticks
    tracked.sample = _sample(found, stat, percent, tracked.sample)
    return True


def _sample(found: Found, stat: Stat, cpu_percent: float | None, last: ProcessSample | None) -> ProcessSample:
    """`last` hands on what the slow lane found."""
    argv, exe, uid = found.description
    microvm, unit = found.owner
    return ProcessSample(
        found.pid,
        stat.ppid,
        microvm,
        unit,
        argv,
        exe,
        uid,
        found.started,
        stat.cpu_ticks / CLOCK_TICKS,
        cpu_percent,
        stat.rss,
        stat.threads,
        last.pss if last else None,
        last.open_files if last else None,
        last.open_files_limit if last else None,
        last.connected_sockets if last else None,
    )
