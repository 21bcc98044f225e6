"""The preconditions of a reset, each with why it does not hold and what mends that. Unknown is never ok. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mvtui.model.facts import Holder
from mvtui.model.format import size
from mvtui.model.microvm import MicroVM
from mvtui.model.mkfs import package_of, written_by_mkfs
from mvtui.model.overlay import Check, NewImage, OverlayFacts, OverlayKind, OverlayTarget
from mvtui.model.own_command import own_command
from mvtui.model.telling import told_holder
from mvtui.model.text import clean
from mvtui.model.unit import UnitKind, UnitStatus


class OtherUse(NamedTuple):
    """Another microVM that has the same image, or the same directory as a share. `stage` is `built`, `booted` or
    `defined`; `same_file` is false where the path alone is the same (the file may not exist). Where `problem` is set,
    it can't be told whether that microVM has it."""

    microvm: str
    stage: str
    thing: str
    same_file: bool = False
    problem: str = ""


class OverlayEvidence(NamedTuple):
    """All that a plan is made of. `trouble` is why the overlay could not be looked at (`facts` is then None) and what
    mends that. `units_trouble` is why the manager could not be asked, "" where it answered just now. `holders` None:
    not every process can be seen. `asked`: the image that a person named for this reset.

    `starting`: the microVM's own start asks, before its hypervisor. `after_stop`: what may be done once it is stopped.
    `made`: the new one is complete, and it is checked again that it may get the name.
    """

    microvm: MicroVM
    target: OverlayTarget
    facts: OverlayFacts | None = None
    trouble: tuple[str, str] | None = None
    units_trouble: str = ""
    holders: tuple[Holder, ...] | None = None
    others: tuple[OtherUse, ...] = ()
    candidates: tuple[str, ...] = ()
    asked: str | None = None
    starting: bool = False
    after_stop: bool = False
    made: bool = False


# What a unit's name says to people.
_IS_DOWN = ("inactive", "failed")


def checks(seen: OverlayEvidence, new: NewImage | None, unmakeable: str) -> Iterator[Check]:
    """Every precondition of the reset of an overlay on a volume or a share. `new` is what would be made, None for a
    share and where `unmakeable` says why it can't be told."""
    yield from usage_checks(seen)
    if seen.facts is None:
        return
    if seen.target.kind is OverlayKind.VOLUME:
        yield from _volume_checks(seen)
        yield from _new_image_checks(seen.facts, new, unmakeable, made=seen.made)


def usage_checks(seen: OverlayEvidence) -> Iterator[Check]:
    """What must hold before anything gets or loses the overlay's name, be it new or set aside before."""
    if not seen.after_stop:
        yield from unit_checks(seen)
    if seen.facts is None:
        message, hint = seen.trouble or ("it was not looked at", "")
        yield Check("it can be looked at", False, clean(message), clean(hint))
        return
    yield _own_file(seen, seen.facts)
    # Of what must not be touched nobody asks who else has it.
    if not seen.after_stop and seen.facts.problem is None:
        yield from _holder_checks(seen, seen.facts)
    yield _no_other(seen.others)
    worker = seen.facts.worker if not seen.made else None
    why = f"{clean(worker)} works on it" if worker is not None else ""
    yield ok_unless("no other mvtui works on it", why, "wait until it is done")


def ok_unless(what: str, why: str, fix: str = "") -> Check:
    """The check of `what`, which holds unless there is a `why` not."""
    return Check(what, True) if not why else Check(what, False, why, fix)


def unit_checks(seen: OverlayEvidence) -> Iterator[Check]:
    """That it is stopped, and nothing is about to start it."""
    units, stop = seen.microvm.units, _stop(seen.microvm)
    if seen.units_trouble:
        yield Check("its units are stopped", False, f"that can't be told: {clean(seen.units_trouble)}")
        return
    if seen.starting:
        hypervisor = seen.microvm.unit(UnitKind.HYPERVISOR)
        begun = hypervisor is not None and (
            hypervisor.active_state not in ("activating", *_IS_DOWN) or _restarts(hypervisor)
        )
        yield ok_unless(
            "its hypervisor is not started yet", _told_unit(hypervisor) if hypervisor and begun else "", stop
        )
    else:
        watched = [unit for unit in units if unit.kind is not UnitKind.INSTALL or unit.active_state != "active"]
        up = [unit for unit in watched if unit.active_state not in _IS_DOWN and not _restarts(unit)]
        yield ok_unless("its units are stopped", _told_units(up), stop)
        pending = [
            f"{clean(unit.name)} has a job: {clean(unit.job.kind)}" if unit.job else f"{clean(unit.name)} restarts soon"
            for unit in watched
            if unit.job is not None or _restarts(unit)
        ]
        yield ok_unless("no start or restart is pending", ", ".join(pending), stop)
    process = seen.microvm.hypervisor
    running = f"it runs (pid {process.pid})" if process is not None else ""
    yield ok_unless("its hypervisor does not run", running, stop)


def _restarts(unit: UnitStatus) -> bool:
    """systemd up to 253 is inactive with a job between the delay and the start; from 254 on it is then
    `auto-restart-queued`, and in the newest never inactive until it starts."""
    return unit.sub_state.startswith("auto-restart")


def _told_units(units: Sequence[UnitStatus]) -> str:
    """Those that are active in one breath."""
    active = [clean(unit.name) for unit in units if unit.active_state == "active"]
    others = [_told_unit(unit) for unit in units if unit.active_state != "active"]
    if not active:
        return ", ".join(others)
    return ", ".join([f"{', '.join(active)} {'is' if len(active) == 1 else 'are'} active", *others])


def _told_unit(unit: UnitStatus) -> str:
    return f"{clean(unit.name)} is {clean(unit.active_state)} ({clean(unit.sub_state)})"


_UNSEEN = "that can't be told: not every process can be seen from here, and the file system grants no lease"
_UNSEEN_DIRECTORY = "that can't be told: only root can see who has a directory open"


def _holder_checks(seen: OverlayEvidence, facts: OverlayFacts) -> Iterator[Check]:
    """Who has it in use. A lease that was granted says nobody, whatever the kind; else a scan of all processes must."""
    opened, locked, attached = "nobody has it open or mapped", "nobody has locked it", "no loop device or mount uses it"
    holders = seen.holders
    if facts.file_id is None or facts.in_use is False:
        holders = ()
    elif holders is None:
        unseen = _UNSEEN if seen.target.kind is OverlayKind.VOLUME else _UNSEEN_DIRECTORY
        why = "somebody who can't be seen has it open" if facts.in_use else unseen
        for what in (opened, locked, attached):
            yield Check(what, False, why, "run mvtui as root, outside of containers")
        return
    processes = [holder for holder in holders if holder.pid is not None]
    locks = [holder for holder in holders if holder.how == "lock"]
    devices = [holder for holder in holders if holder.pid is None and holder.how != "lock"]
    why = f"{_told(processes)} has it open" if processes else ""
    if facts.in_use and not holders:
        why = "somebody who can't be seen has it open"
    stop = _stop(seen.microvm) if _only_own_hypervisor(seen.microvm, processes) else ""
    own = "its hypervisor has"
    yield ok_unless(opened, f"{own} it open" if stop else why, stop or "end that process, or stop the microVM of it")
    stop = _stop(seen.microvm) if _only_own_hypervisor(seen.microvm, locks) else ""
    why = f"{_told(locks)} has locked it" if locks else ""
    yield ok_unless(locked, f"{own} locked it" if stop else why, stop or "end the process that locked it")
    yield ok_unless(attached, f"it is in use: {_told(devices)}" if devices else "", "detach it: losetup -d, umount")


def _stop(microvm: MicroVM) -> str:
    return own_command("stop", clean(microvm.name))


def _only_own_hypervisor(microvm: MicroVM, holders: Sequence[Holder]) -> bool:
    process = microvm.hypervisor
    return process is not None and {holder.pid for holder in holders} == {process.pid}


def _told(holders: Sequence[Holder]) -> str:
    return ", ".join(told_holder(holder) for holder in holders)


def _own_file(seen: OverlayEvidence, facts: OverlayFacts) -> Check:
    image = seen.target.kind is OverlayKind.VOLUME
    what = "it is a regular file of its user, one link, no link to follow" if image else "it is a directory of its own"
    return ok_unless(
        what, clean(facts.problem or ""), "put it right by hand: mvtui never touches what may be another's"
    )


def _no_other(others: Sequence[OtherUse]) -> Check:
    what = "no other microVM has it"
    for other in others:
        name = clean(other.microvm)
        if other.problem:
            return Check(what, False, f"of {name} that can't be told: {clean(other.problem)}", "put that right first")
        same = ", the same file" if other.same_file else ""
        return Check(
            what, False, f"{name} has it too: {clean(other.thing)} ({other.stage}{same})", "give each one of its own"
        )
    return Check(what, True)


def _volume_checks(seen: OverlayEvidence) -> Iterator[Check]:
    volume = seen.target.volume
    assert volume is not None
    kind = volume.image_type or "raw"
    yield ok_unless(
        "it is a raw image", f"its imageType is {clean(kind)}" if kind != "raw" else "", "set imageType to raw"
    )
    yield ok_unless(
        "the guest can write it", "the volume is read-only" if volume.read_only else "", "set readOnly to false"
    )


def _new_image_checks(facts: OverlayFacts, new: NewImage | None, unmakeable: str, *, made: bool) -> Iterator[Check]:
    known = "size and file system of the new one are known"
    if new is None:
        yield Check(known, False, unmakeable, "give size and fsType in the definition file")
        return
    package = package_of(new.fs_type)
    yield ok_unless(
        known,
        "" if package else f"mvtui can't make file system {clean(new.fs_type)}",
        "microvm.nix makes ext2, ext3, ext4, xfs, btrfs, vfat",
    )
    if package is None or made:
        return
    missing = "" if facts.mkfs is not None else f"mkfs.{new.fs_type} is neither in the runner's PATH nor on this host"
    yield ok_unless(f"mkfs.{new.fs_type} is there", missing, f"install {package}")
    needed = written_by_mkfs(new.fs_type, new.size)
    lacking = "" if facts.free >= needed else f"{size(facts.free)} is free beside it, and mkfs writes {size(needed)}"
    yield ok_unless(
        f"there is room for what mkfs writes ({size(needed)})",
        lacking,
        "make room there; mvtui reset --discard NAME frees what was set aside" if facts.kept else "make room there",
    )
