"""A host without a machine: units and processes that tests set, behind the same ports as the real ones."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.process import ProcessSample
from mvtui.model.unit import JobResult, UnitStatus, UnitVerb, parse_unit_name

EPOCH = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


def unit(name: str, active: str = "active", sub: str = "running", since: datetime | None = EPOCH) -> UnitStatus:
    """A loaded unit; change the rest with _replace."""
    parsed = parse_unit_name(name)
    assert parsed is not None, name
    return UnitStatus(name, parsed[0], parsed[1], "loaded", active, sub, since=since)


def process(pid: int, microvm: str, *argv: str, ppid: int = 1, unit: str | None = None) -> ProcessSample:
    """A living process of `microvm`."""
    return ProcessSample(
        pid=pid,
        ppid=ppid,
        microvm=microvm,
        unit=unit,
        argv=argv,
        exe=None,
        uid=993,
        started=EPOCH,
        cpu_seconds=1.0,
        cpu_percent=0.5,
        rss=300 * 2**20,
        threads=4,
    )


@dataclass
class FakeUnits:
    """`units` is what there is; jobs do what `outcomes` says for their unit, else what was asked. `pre_start` is what
    is run before a microVM starts, `reloads` how often the manager was reloaded."""

    units: dict[str, UnitStatus] = field(default_factory=dict)
    manager: str = "systemd"
    error: MvtuiError | None = None
    refusal: MvtuiError | None = None
    jobs: list[tuple[UnitVerb, str]] = field(default_factory=list)
    outcomes: dict[str, JobResult] = field(default_factory=dict)
    can_cancel: bool = True
    cancelled: list[str] = field(default_factory=list)
    pre_start: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    reloads: int = 0
    freeing: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def statuses(self) -> Mapping[str, UnitStatus]:
        if self.error is not None:
            raise self.error
        return dict(self.units)

    async def run_job(self, verb: UnitVerb, unit_name: str) -> JobResult:
        if self.refusal is not None:
            raise self.refusal
        self.jobs.append((verb, unit_name))
        if unit_name in self.outcomes:
            return self.outcomes[unit_name]
        up = verb in (UnitVerb.START, UnitVerb.RESTART)
        before = self.units.get(unit_name) or unit(unit_name)
        self.units[unit_name] = before._replace(
            active_state="active" if up else "inactive", sub_state="running" if up else "dead", since=EPOCH
        )
        self.changed.set()
        return JobResult(unit_name, "done", f"{unit_name}: done")

    async def cancel(self, microvm: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.cancelled.append(microvm)
        return f"start of {microvm} is cancelled"

    async def before_start(self, microvm: str) -> tuple[tuple[str, ...], ...]:
        if self.error is not None:
            raise self.error
        return self.pre_start.get(microvm, ())

    async def reload(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.reloads += 1

    async def free_apart(self, microvm: str, argv: Sequence[str]) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.freeing.append((microvm, tuple(argv)))

    async def changes(self) -> AsyncIterator[None]:
        while True:
            await self.changed.wait()
            self.changed.clear()
            yield

    async def close(self) -> None:
        return


@dataclass
class FakeProcesses:
    """`living` is what there is."""

    living: dict[int, ProcessSample] = field(default_factory=dict)
    slow_samples: int = 0

    def sample(self, *, slow: bool = False) -> Mapping[int, ProcessSample]:
        self.slow_samples += slow
        return dict(self.living)

    def close(self) -> None:
        return


def fake_host(state_dir: Path, units: FakeUnits | None = None, processes: FakeProcesses | None = None) -> Host:
    """A Host named hv01 over a real state directory."""
    return Host("hv01", units or FakeUnits(), processes or FakeProcesses(), state_dir)
