"""The processes of a microVM: its hypervisor, the virtiofsd of each share, and what stands between them and init."""

from datetime import datetime
from typing import NamedTuple


class ProcessSample(NamedTuple):
    """One living process that belongs to a microVM.

    `microvm` and `unit` come from the cgroup (`…/microvm@NAME.service`); without one, `unit` is None and `microvm`
    comes from the working directory. `cpu_percent` is of one core since the last sample, None at the first.
    Memory is in bytes; `pss` (Pss of /proc/PID/smaps_rollup), `open_files` and `open_files_limit` come from the slow
    lane and are None before it, and where they can't be read. `connected_sockets` are the paths (as bound) of the
    unix sockets that this process serves with another process of its microVM connected, None where not looked or not
    readable; where it can't be told who is connected, that counts.
    `frozen`: it was stopped by a signal or a tracer (state T or t of proc(5)), so it does nothing.
    """

    pid: int
    ppid: int
    microvm: str
    unit: str | None
    argv: tuple[str, ...]
    exe: str | None
    uid: int
    started: datetime
    cpu_seconds: float
    cpu_percent: float | None
    rss: int
    threads: int
    pss: int | None = None
    open_files: int | None = None
    open_files_limit: int | None = None
    connected_sockets: frozenset[str] | None = None
    frozen: bool = False

    @property
    def memory(self) -> int:
        """PSS where it is known, else RSS: bytes."""
        return self.rss if self.pss is None else self.pss
