"""One look at a host: state directory, runners, units, processes, images, combined into a Snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host.aside import aside
from mvtui.host.ports import Host
from mvtui.host.state_dir import StateDirReading
from mvtui.model.definition import Definition, Runner, Share
from mvtui.model.finding import NO_UNITS, Finding, Severity
from mvtui.model.microvm import MicroVM, Snapshot, VolumeStatus
from mvtui.model.process import ProcessSample
from mvtui.model.unit import UnitKind, UnitStatus
from mvtui.operations import health, states
from mvtui.operations.booted import booted_definition, daemons_of, hypervisor_of
from mvtui.operations.checks import check
from mvtui.operations.checks.check import Seen
from mvtui.operations.endings import undated, with_ends
from mvtui.operations.kept import Kept
from mvtui.operations.made import Made, Parts
from mvtui.operations.shares import dated, share_statuses

if TYPE_CHECKING:
    from mvtui.model.guest import GuestStatus


class Sighting(NamedTuple):
    """What the adapters saw at one look. `units` None: the manager has never answered."""

    directory: StateDirReading
    processes: Mapping[int, ProcessSample]
    units: Mapping[str, UnitStatus] | None
    trouble: Finding | None
    units_stale_since: datetime | None


async def take_snapshot(host: Host, kept: Kept | None = None, *, slow: bool = True) -> Snapshot:
    """Look once. `kept` comes from the look before; `slow` renews what is costly of the processes (PSS, open files,
    connections).

    What can't be read becomes a finding or a problem on its row; nothing is raised for it.
    """
    kept = kept if kept is not None else Kept(host)
    directory = await aside(kept.state_dir.read)
    processes = await aside(host.processes.sample, slow=slow)
    units, trouble = await ask_units(host, kept)
    await kept.look_at_armed()
    kept.seen = sighting = Sighting(
        directory, processes, units, trouble, kept.units_at if trouble is not None else None
    )
    return await aside(_combine_dated, host, kept, sighting)


async def ask_units(host: Host, kept: Kept) -> tuple[Mapping[str, UnitStatus] | None, Finding | None]:
    """What the manager says of the units now, else what it said last, and why it says nothing."""
    try:
        kept.units = await host.units.statuses()
        kept.units_at = datetime.now(UTC)
    except MvtuiError as error:
        what, _, why = error.message.partition(": ")
        why = f"{why[:1].upper()}{why[1:].rstrip('.')}." if why else ""
        trouble = Finding(
            Severity.ERROR, host.units.manager, NO_UNITS, f"{what}.", why, error.hint, since=kept.units_at
        )
        return kept.units, trouble
    return kept.units, None


def _combine_dated(host: Host, kept: Kept, seen: Sighting) -> Snapshot:
    """As `combine`; where there is no look after this one, what only a log dates is dated at once. Blocking."""
    snapshot = combine(host, kept, seen)
    if kept.inline and kept.endings.missing:
        kept.endings.renew()
        snapshot = combine(host, kept, seen)
    return snapshot


def combine(host: Host, kept: Kept, seen: Sighting) -> Snapshot:
    """A Snapshot of what was seen. Blocking: reads runners that are new."""
    kept.begin_look()
    kept.processes = seen.processes
    entries = {entry.name: entry for entry in seen.directory.entries}
    units: dict[str, list[UnitStatus]] = {}
    for status in (seen.units or {}).values():
        units.setdefault(status.microvm, []).append(status)
    processes: dict[str, list[ProcessSample]] = {}
    for sample in sorted(seen.processes.values(), key=lambda sample: sample.pid):
        processes.setdefault(sample.microvm, []).append(sample)
    names = entries.keys() | processes.keys()
    names |= {name for name in units.keys() - names if _speak_of_a_microvm(units[name])}
    made = {}
    for name in sorted(names):
        entry, own, living = entries.get(name), units.get(name, []), processes.get(name, [])
        built = _runner(kept, entry.current if entry is not None else None)
        booted = entry.booted if entry is not None and living else None
        behind = built if entry is not None and booted == entry.current else _runner(kept, booted)
        unit = _hypervisor_unit(own)
        restarting, long_stop = kept.history.restarting(name, unit), kept.history.stops_long(unit)
        known, told = seen.units is not None, kept.endings.told(name)
        guest = kept.guests.told(name) if kept.guests is not None else None
        armed = kept.armed.get(name)
        parts = Parts(entry, built, behind, own, living, known, restarting, kept.facts, told, armed, long_stop, guest)
        last = kept.made.get(name)
        made[name] = last if last is not None and last.parts == parts else _make(host, kept, name, parts, last)
    kept.made = made
    kept.history.forget_all_but(names)
    kept.endings.forget_all_but(names)
    if kept.guests is not None:
        kept.guests.forget_all_but(names)
    microvms = tuple(one.microvm for one in made.values())
    findings = (seen.directory.finding, seen.trouble, health.hidden_finding(microvms, os.geteuid()))
    return Snapshot(
        host=host.name,
        state_dir=str(host.state_dir),
        manager=host.units.manager,
        microvms=microvms,
        strays=seen.directory.strays,
        findings=tuple(finding for finding in findings if finding is not None),
        units_stale_since=seen.units_stale_since,
    )


def _speak_of_a_microvm(units: list[UnitStatus]) -> bool:
    """Whether units alone, without a directory, are worth a row: something runs, failed, waits, or is wanted."""
    return any(
        unit.active_state != "inactive" or unit.job is not None or bool(unit.wanted)
        for unit in units
        if unit.kind is not UnitKind.INSTALL
    )


def _hypervisor_unit(units: list[UnitStatus]) -> UnitStatus | None:
    return next((unit for unit in units if unit.kind is UnitKind.HYPERVISOR), None)


def _make(host: Host, kept: Kept, name: str, parts: Parts, last: Made | None) -> Made:
    """A microVM of its parts; what `last` has of it is taken over where it can't have changed."""
    directory = os.path.join(str(host.state_dir), name)
    entry, built = parts.entry, parts.built
    units = {unit.kind: unit for unit in parts.units}
    hypervisor, daemons = hypervisor_of(parts.processes), daemons_of(parts.processes)
    booted, commands = _booted(kept, directory, parts, hypervisor, daemons, last)
    definition = booted if booted is not None else (built.definition if built is not None else None)
    shares = share_statuses(
        definition,
        directory,
        hypervisor,
        daemons,
        kept.exists,
        kept.source,
        daemons_visible=_daemons_visible(units, parts.processes),
    )
    if hypervisor is not None and UnitKind.VIRTIOFSD in units:
        ends = units[UnitKind.VIRTIOFSD].daemon_ends
        shares = dated(shares, {tag: at for tag, at in ends if at >= hypervisor.started})
    volumes = _volumes(kept, directory, definition, hypervisor)
    guest = _guest(host, kept, name, units, hypervisor, booted)
    evidence = states.Evidence(
        name=name,
        entry=entry,
        units=units,
        units_known=parts.units_known,
        manager=host.units.manager,
        hypervisor=hypervisor,
        shares=shares,
        has_processes=bool(parts.processes),
        restarting=parts.restarting,
        guest=guest,
    )
    asked_before = guest is None or (last is not None and last.microvm.guest is not None)
    state = kept.history.date(name, states.derive(evidence), looked_before=asked_before)
    state, shares = with_ends(state, shares, kept.endings.ask(name, undated(evidence, state)))
    evidence = evidence._replace(shares=shares)
    autostart = units[UnitKind.HYPERVISOR].wanted if UnitKind.HYPERVISOR in units else None
    microvm = MicroVM(
        name=name,
        path=directory,
        state=state,
        entry=entry,
        built=built,
        booted=booted,
        units=tuple(units[kind] for kind in UnitKind if kind in units),
        processes=tuple(parts.processes),
        hypervisor=hypervisor,
        shares=shares,
        volumes=volumes,
        autostart=autostart,
        armed=parts.armed.how if parts.armed is not None else None,
        guest=guest,
    )
    microvm = microvm._replace(closer=kept.closer(microvm))
    microvm, drifted = _compared(kept, microvm, last.microvm if last is not None else None)
    found = check(Seen(microvm, host.units.manager, parts.armed, parts.long_stop, host.root_serves), drifted)
    return Made(microvm._replace(kept=kept.kept_overlays(microvm), findings=found), parts, commands)


def _guest(
    host: Host,
    kept: Kept,
    name: str,
    units: Mapping[UnitKind, UnitStatus],
    hypervisor: ProcessSample | None,
    booted: Definition | None,
) -> GuestStatus | None:
    """What is known of its guest; None where nobody asks any, where it was not asked yet, and where nothing runs."""
    guests = kept.wanted_guests()
    if guests is None:
        return None
    return guests.want(name, host.units.manager, units.get(UnitKind.HYPERVISOR), hypervisor, booted)


def _booted(
    kept: Kept,
    directory: str,
    parts: Parts,
    hypervisor: ProcessSample | None,
    daemons: tuple[tuple[Share, ProcessSample], ...],
    last: Made | None,
) -> tuple[Definition | None, tuple[object, ...] | None]:
    """What runs, and what that was read from; None where nothing does."""
    if hypervisor is None:
        return None, None
    behind = parts.behind
    commands = (hypervisor.argv, hypervisor.exe, [share for share, _ in daemons], behind, parts.facts)
    if last is not None and last.commands == commands:
        return last.microvm.booted, commands
    # Its own working directory, not ours, is where a relative path begins.
    read_file = lambda path: kept.read_file(os.path.join(directory, path))  # noqa: E731
    return booted_definition(hypervisor, daemons, behind.definition if behind else None, read_file), commands


def _compared(kept: Kept, microvm: MicroVM, last: MicroVM | None) -> tuple[MicroVM, Iterable[Finding]]:
    """`microvm` with where its stages differ, and what follows from that."""
    entry, document = microvm.entry, kept.document(microvm)
    other_runner = entry is not None and (entry.stale or (entry.booted is None and microvm.booted is not None))
    if document is None and not other_runner:
        return microvm, ()  # as most are in the first picture
    from mvtui.operations import drift  # noqa: PLC0415

    microvm = drift.with_drift(microvm, document, last)
    return microvm, drift.findings(microvm, document)


def _runner(kept: Kept, path: str | None) -> Runner | None:
    return kept.runner(path) if path is not None else None


def _daemons_visible(units: Mapping[UnitKind, UnitStatus], processes: list[ProcessSample]) -> bool:
    daemons = units.get(UnitKind.VIRTIOFSD)
    if daemons is None or not daemons.main_pid or daemons.active_state not in ("active", "activating"):
        return True
    return any(process.pid == daemons.main_pid for process in processes)


def _volumes(
    kept: Kept, directory: str, definition: Definition | None, hypervisor: ProcessSample | None
) -> tuple[VolumeStatus, ...]:
    if definition is None:
        return ()
    overlay = definition.overlay_volume()
    found = []
    for volume in definition.volumes:
        image = kept.image(directory, volume.image)
        held = kept.holders(directory, volume.image, hypervisor)
        gone = kept.is_gone(image, hypervisor)
        found.append(VolumeStatus(volume, image, volume is overlay, *held, kept.twins(directory, image), gone))
    return tuple(found)
