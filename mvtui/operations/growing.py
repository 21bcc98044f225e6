"""Grows the images of volumes. Everything is checked when it is planned, and again by whoever locks the image; killed
at any point, its file system is whole, and the same once more goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import journal
from mvtui.host.ports import Host
from mvtui.model.format import size
from mvtui.model.growth import GrowPlan, GrowWay, WantedSize, find_volume, images_of, is_short, target_of, wanted_size
from mvtui.model.growth_plan import plan_growth as make_plan
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.overlay import Check, OverlayFacts
from mvtui.model.overlay_checks import OverlayEvidence, unit_checks, usage_checks
from mvtui.model.overlay_target import find_target
from mvtui.model.own_command import own_command
from mvtui.model.text import clean
from mvtui.operations.kept import Kept
from mvtui.operations.overlay_evidence import complete, find, look, tools_of, units_trouble
from mvtui.operations.overlay_others import read_defined
from mvtui.operations.overlay_outcome import Attempt, Progress, ResetOutcome
from mvtui.operations.uninterrupted import in_thread, to_its_end

if TYPE_CHECKING:
    from mvtui.host.overlay.grow_worker import Grown, GrowWorker
    from mvtui.model.definition import Definition

GrowOutcome = ResetOutcome


async def plan_growth(
    host: Host, name: str, image: str, wanted: int | None = None, *, way: GrowWay | None = None
) -> GrowPlan:
    """The plan for the image (as `microvm.volumes` has it, or absolute) of the microVM `name`. `wanted` is its new
    size in bytes; None: as its definition file says, else as it is built. `way`: how it is done; None: the safest.

    Nothing is changed. What can't be looked at is a check that says why (rights, too). Raises MvtuiError where there is
    no such microVM, or no such volume.
    """
    snapshot = await look(host, Kept(host, inline=False))
    evidence, defined = await in_thread(_evidence, host, snapshot, name, image)
    microvm, target = evidence.microvm, evidence.target
    overlay = find_target(microvm, defined, None).path == target.path
    size_wanted = WantedSize(wanted, "as asked for") if wanted is not None else wanted_size(microvm, defined, image)
    from mvtui.host.overlay import grow_worker  # noqa: PLC0415 (the panel and the list start without it)
    from mvtui.model.growth import GrowTools  # noqa: PLC0415

    rights_missing, found, tools = False, GrowTools(), await in_thread(tools_of, host, microvm)
    try:
        worker = await in_thread(_start_worker, host, evidence, tools)
        try:
            found = await in_thread(worker.tools)
            facts = await in_thread(worker.look)
        finally:
            await in_thread(worker.close)
        evidence = await in_thread(complete, host, snapshot, evidence, facts)
    except MvtuiError as error:
        evidence = evidence._replace(trouble=(error.message, error.hint))
        rights_missing = isinstance(error, RightsMissingError)
    if wanted is None and _is_half_grown(evidence.facts, size_wanted):
        assert evidence.facts is not None
        size_wanted = WantedSize(evidence.facts.size, "as the file has already")
    may_mount = grow_worker.can_mount()
    plan = make_plan(evidence, size_wanted, found, way, may_mount=may_mount, overlay=overlay)
    rights_missing = rights_missing or (way is GrowWay.MOUNT and way in plan.ways and not may_mount)
    return plan._replace(rights_missing=rights_missing, tools=tools)


def _is_half_grown(facts: OverlayFacts | None, wanted: WantedSize | None) -> bool:
    """Whether the file has been made larger than anything that is defined, and its file system was not yet."""
    if facts is None or (wanted is not None and wanted.size >= facts.size):
        return False
    return is_short(facts.fs_type, facts.fs_size, facts.size)


async def run_growth(host: Host, plan: GrowPlan, on_progress: Progress | None = None) -> GrowOutcome:
    """Do what is planned. `on_progress` gets a sentence for each step.

    Raises RightsMissingError; all else that stands against it is an outcome. Cancelled, it goes on to its end.
    """
    attempt = Attempt(host, plan.microvm, "grow", on_progress)
    return await attempt.run(to_its_end(_grow(attempt, plan)))


async def _grow(attempt: Attempt, plan: GrowPlan) -> GrowOutcome:
    host, name, facts, wanted = attempt.host, plan.microvm, plan.facts, plan.size
    if not plan.ok or facts is None or facts.file_id is None or wanted is None:
        return _refused(plan, plan.refusal, plan.fix)
    snapshot = await look(host, Kept(host, inline=False))
    evidence, _ = await in_thread(_evidence, host, snapshot, name, plan.image)
    if evidence.target.path != plan.target.path:
        return _refused(
            plan,
            "where its image is has changed meanwhile",
            own_command("grow", name, plan.image, option="--dry-run"),
        )
    evidence = await in_thread(complete, host, snapshot, evidence, facts)
    against = next((check for check in usage_checks(evidence) if not check.ok), None)
    if against is not None:
        return _refused(plan, against.why, against.fix)
    worker = await in_thread(_start_worker, host, evidence, plan.tools)
    try:
        attempt.say("Locking it.")
        await in_thread(worker.hold, facts.file_id)
        return await _grow_held(attempt, plan, worker, facts.file_id, wanted)
    finally:
        await in_thread(worker.close)


async def _grow_held(
    attempt: Attempt, plan: GrowPlan, worker: GrowWorker, file_id: tuple[int, int], wanted: WantedSize
) -> GrowOutcome:
    host, name = attempt.host, plan.microvm
    up = await _started(host, plan)
    if up is not None:
        return _refused(plan, up.why, up.fix)
    if plan.way is GrowWay.RESIZE:
        attempt.say("Checking its file system: e2fsck.")
        await in_thread(worker.check)
    attempt.say("Giving the file its new size.")
    grown = await in_thread(worker.enlarge, wanted.size)
    match plan.way:
        case GrowWay.RESIZE:
            attempt.say("Growing its file system: resize2fs.")
            grown = await in_thread(worker.resize)
        case GrowWay.MOUNT:
            attempt.say("Growing its file system: mounted for a moment.")
            await in_thread(worker.close)  # who mounts it makes sure anew that nobody has it open
            grown = await in_thread(_mounted, host, plan, file_id)
        case GrowWay.GUEST:
            words = f"{name}: {clean(plan.image)} has {size(grown.size)} now"
            return GrowOutcome(name, "grow", True, words, f"in the guest, once it runs: {plan.in_guest}")
    return _told(plan, grown)


def _told(plan: GrowPlan, grown: Grown) -> GrowOutcome:
    """What the superblock says of it counts."""
    name, system = plan.microvm, grown.file_system
    if system is None or is_short(system.fs_type, system.size, grown.size):
        has = size(system.size) if system is not None else "nothing that is known"
        words = f"{name}: {clean(plan.image)} has {size(grown.size)}, but its file system {has}"
        return GrowOutcome(name, "grow", False, words, "the same once more goes on")
    words = f"{name}: {clean(plan.image)} has {size(grown.size)} now, and its {system.fs_type} {size(system.size)}"
    return GrowOutcome(name, "grow", True, words)


def _refused(plan: GrowPlan, why: str, fix: str) -> GrowOutcome:
    words = f"{plan.microvm}: {clean(plan.image)} is not grown: {why}"
    return GrowOutcome(plan.microvm, "grow", False, words, fix, refused=not plan.nothing, nothing=bool(plan.nothing))


async def _started(host: Host, plan: GrowPlan) -> Check | None:
    """What of it was started before its image was locked."""
    snapshot = await look(host, Kept(host, inline=False))
    evidence, _ = await in_thread(_evidence, host, snapshot, plan.microvm, plan.image)
    return next((check for check in unit_checks(evidence) if not check.ok), None)


def _evidence(host: Host, snapshot: Snapshot, name: str, image: str) -> tuple[OverlayEvidence, Definition | None]:
    """Where the image is, without a look at it, and what the definition file says. Raises MvtuiError. Blocking."""
    microvm = find(snapshot, name)
    defined = _defined(host, microvm)
    found = find_volume(microvm, defined, image)
    if found is None:
        images = ", ".join(clean(each) for each in images_of(microvm, defined)) or "no volumes"
        raise MvtuiError(f"{name} has no volume {clean(image)}", f"it has {images}", ExitCode.REFUSED)
    return OverlayEvidence(microvm, target_of(microvm, *found), units_trouble=units_trouble(snapshot)), defined


def _defined(host: Host, microvm: MicroVM) -> Definition | None:
    """A definition file that is wrong tells no size, and stands in nobody's way."""
    try:
        return read_defined(host, microvm)
    except MvtuiError:
        return None


def _start_worker(host: Host, evidence: OverlayEvidence, tools: tuple[str, ...]) -> GrowWorker:
    from mvtui.host.overlay.grow_worker import GrowWorker  # noqa: PLC0415 (as above)

    who = f"mvtui grow by {journal.user()}"
    return GrowWorker.start(host, evidence.microvm.name, evidence.target, tools, who=who)


def _mounted(host: Host, plan: GrowPlan, file_id: tuple[int, int]) -> Grown:
    from mvtui.host.overlay.grow_worker import grow_mounted  # noqa: PLC0415 (as above)

    fs_type = plan.facts.fs_type if plan.facts is not None else None
    return grow_mounted(host, plan.microvm, plan.target, fs_type or "", file_id)
