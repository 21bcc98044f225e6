"""The seam between what mvtui does and the machine: what tests replace, and nothing else."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from mvtui.model.process import ProcessSample
from mvtui.model.unit import JobResult, UnitStatus, UnitVerb


class Units(Protocol):
    """Who runs the units: systemd over D-Bus, or mvtui itself where there is no systemd."""

    @property
    def manager(self) -> str:
        """`systemd` or `direct`."""

    async def statuses(self) -> Mapping[str, UnitStatus]:
        """Every loaded unit of every microVM, by unit name. Raises MvtuiError where the manager does not answer."""

    async def run_job(self, verb: UnitVerb, unit: str) -> JobResult:
        """Ask for it and wait for the job's end. Raises RightsMissingError, MvtuiError."""

    def changes(self) -> AsyncIterator[None]:
        """Yields whenever something happened: look again. Ends only when cancelled."""

    async def close(self) -> None:
        """Let go of connections; the units run on."""


class Processes(Protocol):
    """The processes of all microVMs."""

    def sample(self, *, slow: bool = False) -> Mapping[int, ProcessSample]:
        """By pid. Blocking: callers use a thread. `slow` renews what is costly (PSS, open files, connections)."""

    def close(self) -> None:
        """Let go of kept descriptors."""


class Host(NamedTuple):
    """One host. `state_dir` is the host's path (`/var/lib/microvms`); `root` is put before it by adapters alone."""

    name: str
    units: Units
    processes: Processes
    state_dir: Path
    root: Path = Path("/")

    def on_disk(self, path: str | Path) -> Path:
        """Where the host's absolute `path` is for this process."""
        return Path(path) if self.root == Path("/") else self.root / str(path).lstrip("/")
