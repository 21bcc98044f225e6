"""One look at a host: state directory, runners, units, processes, images, combined into a Snapshot."""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.host.state_dir import StateDirReading
from mvtui.model.definition import Definition
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM, Snapshot, StateDirEntry, VolumeStatus
from mvtui.model.process import ProcessSample
from mvtui.model.unit import UnitKind, UnitStatus
from mvtui.operations import health, states
from mvtui.operations.booted import booted_definition, daemons_of, hypervisor_of
from mvtui.operations.kept import Kept
from mvtui.operations.shares import share_statuses


class Sighting(NamedTuple):
    """What the adapters saw at one look. `units` None: the manager has never answered."""

    directory: StateDirReading
    processes: Mapping[int, ProcessSample]
    units: Mapping[str, UnitStatus] | None
    trouble: Finding | None
    units_stale_since: datetime | None


async def take_snapshot(host: Host, kept: Kept | None = None, *, slow: bool = True) -> Snapshot:
    """Look once. `kept` comes from the look before; `slow` renews what is costly of the
    processes (PSS, open files, connections).

    What can't be read becomes a finding or a problem on its row; nothing is raised for it.
    """
    kept = kept if kept is not None else Kept(host)
    looks = asyncio.gather(
        asyncio.to_thread(kept.state_dir.read),
        asyncio.to_thread(lambda: host.processes.sample(slow=slow)),
    )
    units, trouble = await _ask_units(host, kept)
    directory, processes = await looks
    sighting = Sighting(directory, processes, units, trouble, kept.units_at if trouble is not None else None)
    return await asyncio.to_thread(combine, host, kept, sighting)


async def _ask_units(host: Host, kept: Kept) -> tuple[Mapping[str, UnitStatus] | None, Finding | None]:
    try:
        kept.units = await host.units.statuses()
        kept.units_at = datetime.now(UTC)
    except MvtuiError as error:
        trouble = Finding(
            Severity.ERROR, host.units.manager, "no units", error.message, "", error.hint, since=kept.units_at
        )
        return kept.units, trouble
    return kept.units, None


def combine(host: Host, kept: Kept, seen: Sighting) -> Snapshot:
    """A Snapshot of what was seen. Blocking: reads runners that are new."""
    entries = {entry.name: entry for entry in seen.directory.entries}
    units = _by_microvm(seen.units or {})
    processes: dict[str, list[ProcessSample]] = {}
    for sample in seen.processes.values():
        processes.setdefault(sample.microvm, []).append(sample)
    names = set(entries) | set(processes) | {name for name, known in units.items() if _speaks_of_a_microvm(known)}
    microvms = tuple(
        _microvm(host, kept, seen, name, entries.get(name), units.get(name, {}), processes.get(name, []))
        for name in sorted(names)
    )
    kept.history.forget_all_but(names)
    own = (seen.directory.finding,) if seen.directory.finding is not None else ()
    return Snapshot(
        host=host.name,
        state_dir=str(host.state_dir),
        manager=host.units.manager,
        microvms=microvms,
        strays=seen.directory.strays,
        findings=(*own, *((seen.trouble,) if seen.trouble is not None else ())),
        units_stale_since=seen.units_stale_since,
    )


def _by_microvm(statuses: Mapping[str, UnitStatus]) -> dict[str, dict[UnitKind, UnitStatus]]:
    found: dict[str, dict[UnitKind, UnitStatus]] = {}
    for status in statuses.values():
        found.setdefault(status.microvm, {})[status.kind] = status
    return found


def _speaks_of_a_microvm(units: Mapping[UnitKind, UnitStatus]) -> bool:
    """Whether units alone, without a directory, are worth a row: something runs, failed, waits, or is wanted."""
    return any(
        unit.active_state != "inactive" or unit.job is not None or bool(unit.wanted)
        for unit in units.values()
        if unit.kind is not UnitKind.INSTALL
    )


def _microvm(
    host: Host,
    kept: Kept,
    seen: Sighting,
    name: str,
    entry: StateDirEntry | None,
    units: Mapping[UnitKind, UnitStatus],
    processes: list[ProcessSample],
) -> MicroVM:
    directory = os.path.join(str(host.state_dir), name)
    processes.sort(key=lambda process: process.pid)
    hypervisor, daemons = hypervisor_of(processes), daemons_of(processes)
    built = kept.runners.get(entry.current) if entry is not None and entry.current is not None else None
    booted = None
    if hypervisor is not None:
        behind = kept.runners.get(entry.booted) if entry is not None and entry.booted is not None else None
        booted = booted_definition(hypervisor, daemons, behind.definition if behind else None, kept.read_file)
    definition = booted if booted is not None else (built.definition if built is not None else None)
    shares = share_statuses(
        definition,
        directory,
        hypervisor,
        daemons,
        kept.exists,
        daemons_visible=_daemons_visible(units, processes),
    )
    volumes = _volumes(kept, directory, definition)
    evidence = states.Evidence(
        name=name,
        entry=entry,
        units=units,
        units_known=seen.units is not None,
        manager=host.units.manager,
        hypervisor=hypervisor,
        shares=shares,
        has_processes=bool(processes),
        restarting=kept.history.restarting(name, units.get(UnitKind.HYPERVISOR)),
    )
    state = kept.history.date(name, states.derive(evidence))
    autostart = units[UnitKind.HYPERVISOR].wanted if UnitKind.HYPERVISOR in units else None
    return MicroVM(
        name=name,
        path=directory,
        state=state,
        entry=entry,
        built=built,
        booted=booted,
        units=tuple(units[kind] for kind in UnitKind if kind in units),
        processes=tuple(processes),
        hypervisor=hypervisor,
        shares=shares,
        volumes=volumes,
        findings=health.findings(evidence, state, built, volumes, autostart),
        autostart=autostart,
    )


def _daemons_visible(units: Mapping[UnitKind, UnitStatus], processes: list[ProcessSample]) -> bool:
    daemons = units.get(UnitKind.VIRTIOFSD)
    if daemons is None or not daemons.main_pid or daemons.active_state not in ("active", "activating"):
        return True
    return any(process.pid == daemons.main_pid for process in processes)


def _volumes(kept: Kept, directory: str, definition: Definition | None) -> tuple[VolumeStatus, ...]:
    if definition is None:
        return ()
    overlay = definition.overlay_volume()
    return tuple(
        VolumeStatus(volume, kept.image(directory, volume.image), volume is overlay) for volume in definition.volumes
    )
