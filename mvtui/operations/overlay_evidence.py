"""Gathers what the plan of a reset is made of: one look at the host, and one at the overlay with its owner's rights."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mvtui.errors import MvtuiError
from mvtui.host import journal
from mvtui.host.holders import find_directory_holders, find_holders
from mvtui.host.ports import Host
from mvtui.host.records import chosen_images
from mvtui.host.runner import read_tool_directories
from mvtui.host.state_dir import STATE_DIRECTORY
from mvtui.model.facts import Holder
from mvtui.model.finding import NO_UNITS
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.overlay import KeptOverlay, OverlayFacts, OverlayKind, OverlayTarget, ToldBy
from mvtui.model.overlay_checks import OverlayEvidence
from mvtui.model.overlay_target import candidates, find_target, overlay_path
from mvtui.operations.booted import hypervisor_of
from mvtui.operations.inventory import ask_units, take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.overlay_others import other_uses, read_defined
from mvtui.operations.overlay_trust import is_named_by_root, mistrust
from mvtui.operations.uninterrupted import both, in_thread

if TYPE_CHECKING:
    from mvtui.host.overlay.worker import OverlayWorker


async def look(host: Host, kept: Kept) -> Snapshot:
    """One whole look at the host. `kept` (not inline: nothing slow is read) is the same for the looks of one reset."""
    snapshot = await take_snapshot(host, kept, slow=False)
    return await take_snapshot(host, kept, slow=False) if kept.unread else snapshot


async def get_to_know(host: Host, kept: Kept) -> None:
    """Where `kept` knows nothing yet, a look that nobody decides on: the one that counts takes half the time then."""
    if not kept.made:
        await look(host, kept)


def find(snapshot: Snapshot, name: str) -> MicroVM:
    """The microVM of that name. Raises MvtuiError where there is none, or nothing could be read."""
    microvm = snapshot.find(name)
    if microvm is not None and microvm.entry is not None:
        return microvm
    for finding in snapshot.findings:
        if finding.subject == STATE_DIRECTORY:
            raise MvtuiError(f"{finding.what} {finding.why}".rstrip(), finding.fix)
    raise MvtuiError(f"there is no microVM {name!r} in {snapshot.state_dir}", "mvtui list shows those there are")


def units_trouble(snapshot: Snapshot) -> str:
    """Why the manager of the units could not be asked; "" where it answered."""
    found = next((one for one in snapshot.findings if one.note == NO_UNITS), None)
    return f"{found.what} {found.why}".rstrip(" .") if found is not None else ""


def targeted(host: Host, snapshot: Snapshot, name: str, image: str | None = None) -> OverlayEvidence:
    """Evidence of where the overlay of the microVM `name` is, without a look at it. `image` is what a person named for
    this time; else what was remembered counts. Raises MvtuiError where there is no such microVM. Blocking."""
    microvm = find(snapshot, name)
    chosen = image if image is not None else chosen_images(host.records).get(name)
    trouble = None
    try:
        defined = read_defined(host, microvm)
    except MvtuiError as error:
        defined, trouble = None, (error.message, error.hint)
    target = find_target(microvm, defined, chosen)
    # A definition adds nothing to what is built completely.
    if target.told_by is ToldBy.BUILT and (target.volume is None or target.volume.auto_create):
        trouble = None
    target = target._replace(named_by_root=is_named_by_root(host, microvm, target, defined))
    trouble = trouble or mistrust(host, microvm, target)
    return OverlayEvidence(
        microvm,
        target,
        trouble=trouble,
        units_trouble=units_trouble(snapshot),
        candidates=candidates(microvm, defined),
        asked=image,
    )


@asynccontextmanager
async def working(
    host: Host, name: str, target: OverlayTarget, tools: Sequence[str], verb: str
) -> AsyncIterator[OverlayWorker]:
    """The child that does the file work of an overlay on a volume or a share, with its owner's rights; it ends with the
    block. `tools`: where its mkfs is looked for first. Raises RightsMissingError, MvtuiError."""
    worker = await in_thread(_start_worker, host, name, target, tools, verb)
    try:
        yield worker
    finally:
        await in_thread(worker.close)


def _start_worker(host: Host, name: str, target: OverlayTarget, tools: Sequence[str], verb: str) -> OverlayWorker:
    from mvtui.host.overlay.worker import OverlayWorker  # noqa: PLC0415 (the panel and the list start without it)

    return OverlayWorker.start(host, name, target, tools, who=f"mvtui {verb} by {journal.user()}")


def tools_of(host: Host, microvm: MicroVM) -> tuple[str, ...]:
    """The directories in which the microVM's runner finds its mkfs, for this process. Blocking."""
    if microvm.built is None:
        return ()
    return tuple(str(host.on_disk(each)) for each in read_tool_directories(microvm.built.path, root=host.root))


def child_ready() -> None:
    """Have a child wait for the reset that a person is asked about. Blocking, about a millisecond."""
    from mvtui.host.overlay.spare import SPARE  # noqa: PLC0415 (as above)

    SPARE.get_ready()


async def gather(host: Host, snapshot: Snapshot, evidence: OverlayEvidence, worker: OverlayWorker) -> OverlayEvidence:
    """`evidence` (its microVM and target are of `snapshot`) with all that is to be known now. Raises MvtuiError."""
    facts = await in_thread(worker.look)
    return await in_thread(complete, host, snapshot, evidence, facts)


def complete(host: Host, snapshot: Snapshot, evidence: OverlayEvidence, facts: OverlayFacts) -> OverlayEvidence:
    """`evidence` with `facts`, who has it in use, and which other microVMs have it. Blocking."""
    return evidence._replace(
        facts=facts,
        holders=holders_of(host, snapshot, evidence, facts),
        others=tuple(other_uses(host, snapshot, evidence, facts.file_id)),
    )


def holders_of(
    host: Host, snapshot: Snapshot, evidence: OverlayEvidence, facts: OverlayFacts
) -> tuple[Holder, ...] | None:
    """Who has the overlay in use; None where not every process can be seen. Only looked for where no lease told that
    nobody has."""
    target = evidence.target
    if facts.in_use is False or facts.file_id is None or target.path is None:
        return ()
    owners = owners_of(snapshot)
    if target.kind is OverlayKind.SHARE:
        paths = [f"{target.path}/store", f"{target.path}/work"]
        try:
            holders, complete = find_directory_holders(paths, owners, host.root)
        except OSError:
            return None
        # The guest reaches them through its virtiofsd alone, of which the units tell; whoever else has them open
        # stays with the old ones. So those that root can see will do, also within a container.
        return holders if holders or complete or os.geteuid() == 0 else None
    key = evidence.microvm.path, target.path
    return find_holders([key], owners, host.root, mapped=True).of(key)


def made_at(host: Host, target: OverlayTarget) -> str:
    """What a reset makes anew and whoever uses it changes: the image, or the share's `store`, for this process; ""
    where there is none."""
    if target.path is None:
        return ""
    return str(host.on_disk(target.path if target.kind is OverlayKind.VOLUME else f"{target.path}/store"))


def owners_of(snapshot: Snapshot) -> dict[int, str]:
    """The microVMs of all processes that belong to one, by pid."""
    return {process.pid: microvm.name for microvm in snapshot.microvms for process in microvm.processes}


def has_files(evidence: OverlayEvidence) -> bool:
    """Whether there is something on the host to look at, and it is what was asked for."""
    target, asked = evidence.target, evidence.asked
    if target.kind not in (OverlayKind.VOLUME, OverlayKind.SHARE) or target.path is None:
        return False
    return evidence.trouble is None and (asked is None or target.path == overlay_path(evidence.microvm.path, asked))


async def came_up_on(
    host: Host, kept: Kept, name: str, target: OverlayTarget, old: KeptOverlay, *, starting: bool = False
) -> bool:
    """Whether the microVM was started meanwhile and has `old` open, which has just lost its name."""
    (units, _), processes = await both(ask_units(host, kept), in_thread(host.processes.sample, slow=False))
    own = [unit for unit in (units or {}).values() if unit.microvm == name]
    down = all(unit.active_state in ("inactive", "failed") and unit.job is None for unit in own)
    runs = hypervisor_of([process for process in processes.values() if process.microvm == name]) is not None
    if not runs and (down or starting):
        return False
    return await in_thread(_is_held, host, await look(host, kept), target.kind, old.path)


def _is_held(host: Host, snapshot: Snapshot, kind: OverlayKind, path: str) -> bool:
    owners = owners_of(snapshot)
    if kind is OverlayKind.SHARE:
        try:
            return bool(find_directory_holders([f"{path}/store", f"{path}/work"], owners, host.root)[0])
        except OSError:
            return False
    key = os.path.split(path)
    return bool(find_holders([key], owners, host.root, mapped=True).of(key))
