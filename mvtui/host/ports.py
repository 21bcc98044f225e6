"""The seam between what mvtui does and the machine: what tests replace, and nothing else."""

import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mvtui.host.calls import CallLog
from mvtui.model.process import ProcessSample
from mvtui.model.unit import JobResult, UnitStatus, UnitVerb

if TYPE_CHECKING:
    from mvtui.model.log import LogEntry, LogFilter

DEFAULT_DEFINITIONS = Path("/etc/nixos/microvms")
# The folder of a host's records that has one for each microVM that is armed.
ARMED = "armed"


class Units(Protocol):
    """Who runs the units: systemd over D-Bus, or mvtui itself where there is no systemd."""

    @property
    def manager(self) -> str:
        """`systemd` or `direct`."""

    async def statuses(self) -> Mapping[str, UnitStatus]:
        """Every loaded unit of every microVM, by unit name. Raises MvtuiError where the manager does not answer."""

    async def run_job(self, verb: UnitVerb, unit: str) -> JobResult:
        """Ask for it and wait for the job's end. Raises RightsMissingError, MvtuiError."""

    @property
    def can_cancel(self) -> bool:
        """Whether there are jobs that `cancel` can end."""

    async def cancel(self, microvm: str) -> str:
        """Cancel every queued or running job of all units of the microVM; one sentence of what came of it.

        Raises RightsMissingError, MvtuiError (also where there is nothing to cancel)."""

    async def before_start(self, microvm: str) -> tuple[tuple[str, ...], ...]:
        """The commands (argv) that the manager runs before the hypervisor of the microVM, as it knows them now;
        `()` where it knows no such unit. Raises RightsMissingError, MvtuiError."""

    async def reload(self) -> None:
        """Let the manager read its unit files again, and wait until it has. Raises RightsMissingError, MvtuiError."""

    async def free_apart(self, microvm: str, argv: Sequence[str]) -> None:
        """Run the command that frees what resets have left (`mvtui reset --free`, absolute) where the end of a start
        that asks for it does not end it; nobody waits for it. Raises RightsMissingError, MvtuiError."""

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


class End(NamedTuple):
    """Something of a microVM that has ended: its hypervisor's unit, the last time; or, with `share`, what served the
    share of that tag, the first time after `after` (UTC)."""

    microvm: str
    share: str | None = None
    after: datetime | None = None


class EndTimes(Protocol):
    """A log of the past that knows when something ended."""

    def read(self, ends: Collection[End]) -> Mapping[End, datetime]:
        """When each of `ends` was (UTC); what is not known is left out. Blocking, for a few seconds at most."""


class LogStream(Protocol):
    """Records that come. `fileno` becomes readable when there is something to read; None: look again and again."""

    def fileno(self) -> int | None:
        """A descriptor to wait for."""

    def read(self) -> list[bytes] | None:
        """The records that have come, about a megabyte at most; never waits. None when no more will come."""

    @property
    def complaint(self) -> str:
        """What who reads them has to say."""

    def close(self) -> None:
        """No more is wanted."""


class Logs(Protocol):
    """What some microVMs have logged. A record is what the log has of one entry, as bytes that only it understands."""

    def page(
        self, wanted: "LogFilter", limit: int, *, before: bytes | None = None, after: bytes | None = None
    ) -> list[bytes]:
        """At most `limit` records, the oldest first: the last before the record `before`, the first after the record
        `after` (b"": the first of all), or the last of all. Blocking, for seconds at most. Raises RightsMissingError,
        MvtuiError."""

    def stream(
        self, wanted: "LogFilter", *, after: bytes | None = None, last: int | None = None, follow: bool = True
    ) -> LogStream:
        """The records after the record `after`, or the `last` ones (None: all), and, with `follow`, those that come;
        more than are wanted, see `matches`. Raises RightsMissingError, MvtuiError."""

    def matches(self, record: bytes, wanted: "LogFilter") -> bool:
        """Whether a record of a stream is wanted."""

    def entry(self, record: bytes) -> "LogEntry":
        """What the record says."""

    def check(self, complaint: str, *, is_empty: bool) -> None:
        """What the complaint of a stream means that had no records, or had. Raises RightsMissingError, MvtuiError."""


class Host:
    """One host. `state_dir` is the host's path (`/var/lib/microvms`); `root` is put before it by adapters alone.
    `changes` counts what mvtui changed of its files: slow facts from before are old. `calls` is the record of what
    mvtui asks of it. `end_times` is None where nobody keeps a log of what the units do not tell. `definitions` (the
    host's path) is where NAME.toml are; `records` (a path of this process) is where mvtui keeps what it has to
    remember of the host: what is armed, what was chosen, what was done. `options` are more words that a command of
    mvtui needs to mean this host: `--definitions DIR`, where that was said. In `programs` (a path of this process) are
    those that take the place of the ones on PATH; None for the host that mvtui runs on. `record_trouble` is why what is
    seen can't be put on record, or ""."""

    __slots__ = (
        "calls",
        "changes",
        "definitions",
        "end_times",
        "name",
        "options",
        "processes",
        "programs",
        "record_trouble",
        "records",
        "root",
        "state_dir",
        "units",
    )

    def __init__(
        self,
        name: str,
        units: Units,
        processes: Processes,
        state_dir: Path,
        root: Path = Path("/"),
        calls: CallLog | None = None,
        end_times: EndTimes | None = None,
        definitions: Path = DEFAULT_DEFINITIONS,
        records: Path | None = None,
        options: tuple[str, ...] = (),
        programs: Path | None = None,
    ) -> None:
        self.options = options
        self.programs = programs
        self.name, self.units, self.processes = name, units, processes
        self.state_dir, self.root = state_dir, root
        self.changes = 0
        self.record_trouble = ""
        self.calls = calls if calls is not None else CallLog()
        self.end_times = end_times
        self.definitions = definitions
        self.records = records if records is not None else self.on_disk(state_dir) / ".mvtui" / "records"

    def on_disk(self, path: str | Path) -> Path:
        """Where the host's absolute `path` is for this process."""
        return Path(path) if self.root == Path("/") else self.root / str(path).lstrip("/")

    @property
    def root_serves(self) -> bool:
        """Whether a virtiofsd that is started here is root: systemd's is, without systemd it is what mvtui is."""
        return self.units.manager == "systemd" or os.geteuid() == 0
