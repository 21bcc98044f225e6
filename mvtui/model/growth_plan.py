"""What growing a volume's image would do, with every precondition, said before it is done. Pure."""

import shlex
from collections.abc import Iterator

from mvtui.model.format import size
from mvtui.model.growth import MIB, MOUNTED, GrowPlan, GrowTools, GrowWay, WantedSize, guest_command, is_short
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.mkfs import EXT
from mvtui.model.overlay import Check, OverlayFacts
from mvtui.model.overlay_checks import OverlayEvidence, ok_unless, usage_checks
from mvtui.model.own_command import own_command
from mvtui.model.text import clean

# Hypervisors that lock no image: what keeps the others out while a file system is resized does not keep these out.
_WITHOUT_LOCKS = (Hypervisor.FIRECRACKER, Hypervisor.KVMTOOL, Hypervisor.STRATOVIRT)


def plan_growth(
    seen: OverlayEvidence,
    wanted: WantedSize | None,
    tools: GrowTools,
    way: GrowWay | None = None,
    *,
    may_mount: bool,
    overlay: bool,
) -> GrowPlan:
    """The plan of one image's growth, with every precondition. `seen.target` is the image, whether or not it is the
    `overlay`. `way`: as somebody chose it; else the first that there is. `may_mount`: this process may mount."""
    volume, facts = seen.target.volume, seen.facts
    assert volume is not None
    plan = GrowPlan(seen.microvm.name, volume.image, seen.target, facts, wanted, overlay=overlay)
    if facts is None or facts.problem is not None:
        return plan._replace(checks=tuple(usage_checks(seen)))
    if facts.file_id is None:
        return plan._replace(nothing=f"{clean(volume.image)} does not exist yet: the first start makes it as built")
    unfit = _unfit(seen, facts, wanted)
    if unfit is not None or wanted is None:
        return plan._replace(checks=(unfit,) if unfit is not None else ())
    short = is_short(facts.fs_type, facts.fs_size, wanted.size)
    ways = tuple(_ways(facts, wanted, may_mount=may_mount or way is GrowWay.MOUNT, short=short))
    # What only a mount is left for is never done unless somebody says so.
    if not ways or (way is None and ways[0] is GrowWay.MOUNT):
        return plan._replace(nothing=_nothing(seen, facts), ways=ways)
    chosen = way if way is not None else ways[0]
    plan = plan._replace(way=chosen, ways=ways)
    if chosen not in ways:
        why = f"its file system is {clean(facts.fs_type or '?')}, which grows without a mount"
        return plan._replace(checks=(Check("it has to be mounted", False, why, "leave --mount out"),))
    if chosen is GrowWay.GUEST and facts.fs_type in MOUNTED:
        plan = plan._replace(in_guest=guest_command(volume, facts.fs_type))
    return plan._replace(
        checks=(
            *_way_checks(seen, plan, tools, may_mount=may_mount),
            *_room(plan, facts, wanted, tools),
            *usage_checks(seen),
        ),
        steps=tuple(_steps(plan, facts, wanted)),
        risks=tuple(_risks(seen, plan, facts, wanted)),
        notes=tuple(_notes(plan)),
    )


def _unfit(seen: OverlayEvidence, facts: OverlayFacts, wanted: WantedSize | None) -> Check | None:
    """Why this image is never grown, or not to that size."""
    volume = seen.target.volume
    kind = (volume.image_type if volume is not None else None) or "raw"
    if kind != "raw":
        return Check("it is a raw image", False, f"its imageType is {clean(kind)}", f"qemu-img resize -f {clean(kind)}")
    known = "its file system can be grown"
    if facts.fs_type is None:
        fix = "remove it, and the next start makes it anew"
        return Check(known, False, "it has no file system that mvtui knows: nothing in it can grow", fix)
    if facts.fs_type not in (*EXT, *MOUNTED):
        why = f"its file system is {clean(facts.fs_type)}, which nothing that microvm.nix uses can grow"
        return Check(known, False, why, "make a larger volume and copy in the guest")
    if wanted is None:
        why = "neither its definition file nor what is built tells a size"
        named = [clean(seen.microvm.name), *([clean(volume.image)] if volume is not None else [])]
        return Check("its new size is known", False, why, own_command("grow", *named, "SIZE"))
    if wanted.size < facts.size:
        why = (
            f"it has {size(facts.size)}, {size(wanted.size)} are wanted: a shorter file ends in the middle of its "
            "file system, and what lies behind that is lost"
        )
        return Check("it becomes larger", False, why, "make a smaller volume and copy in the guest")
    return None


def _ways(facts: OverlayFacts, wanted: WantedSize, *, may_mount: bool, short: bool) -> Iterator[GrowWay]:
    """How it could be done, the safest first."""
    grows = facts.size < wanted.size
    if facts.fs_type in EXT and (grows or short):
        yield GrowWay.RESIZE
    if facts.fs_type in MOUNTED and grows:
        yield GrowWay.GUEST
    if facts.fs_type in MOUNTED and may_mount and (grows or short):
        yield GrowWay.MOUNT


def _nothing(seen: OverlayEvidence, facts: OverlayFacts) -> str:
    volume = seen.target.volume
    words = f"{clean(facts.path)} has {size(facts.size)} already"
    if volume is not None and facts.fs_type in MOUNTED and is_short(facts.fs_type, facts.fs_size, facts.size):
        return f"{words}; {guest_command(volume, facts.fs_type)} in the guest makes use of it, or --mount here"
    return words


def _way_checks(seen: OverlayEvidence, plan: GrowPlan, tools: GrowTools, *, may_mount: bool) -> Iterator[Check]:
    volume = seen.target.volume
    match plan.way:
        case GrowWay.RESIZE:
            missing = " and ".join(tools.missing)
            why = f"{missing}: neither in the runner's PATH nor on this host" if missing else ""
            yield ok_unless("e2fsck and resize2fs are there", why, "install e2fsprogs")
        case GrowWay.MOUNT:
            yield ok_unless(
                "mvtui may mount it", "" if may_mount else "only root can mount it", "sudo, or let the guest"
            )
        case GrowWay.GUEST:
            read_only = volume is not None and volume.read_only
            yield ok_unless("the guest can grow it", "the volume is read-only" if read_only else "", "grow it here")


def _room(plan: GrowPlan, facts: OverlayFacts, wanted: WantedSize, tools: GrowTools) -> Iterator[Check]:
    more = wanted.size - facts.size
    if more > 0:
        why = "" if wanted.size <= tools.total else f"its file system has {size(tools.total)} in all"
        yield ok_unless(f"the host could hold {size(wanted.size)}", why, "take a smaller size, or another disk")
    needed = written(facts.fs_type or "", wanted.size - (facts.fs_size or facts.size), lazy=tools.lazy)
    if plan.way is not GrowWay.GUEST:
        lacking = "" if facts.free >= needed else f"{size(facts.free)} is free beside it"
        yield ok_unless(f"there is room for what growing writes ({size(needed)})", lacking, "make room there")


def written(fs_type: str, more: int, *, lazy: bool) -> int:
    """The most (bytes) that is written when a file system becomes `more` bytes larger. As measured from 4 MiB to 1 TiB
    with e2fsprogs 1.47 and Linux 6.18."""
    more = max(more, 0)
    if fs_type == "ext4" and lazy:
        return 4 * MIB + more // 32768
    if fs_type in EXT:  # tables of inodes are written: 256 bytes for each 4 KiB in the smallest, for 16 KiB in others
        return 4 * MIB + more // 16
    return 8 * MIB + more // 32768


def _steps(plan: GrowPlan, facts: OverlayFacts, wanted: WantedSize) -> Iterator[str]:
    path = shlex.quote(clean(plan.image))
    yield "Make sure that nobody has it open, and lock it until all is done."
    if plan.way is GrowWay.RESIZE:
        yield f"e2fsck -f -p {path}: the journal is replayed, what needs no answer is mended."
    if wanted.size > facts.size:
        yield f"truncate -s {wanted.size} {path}: nothing more is allocated."
    match plan.way:
        case GrowWay.RESIZE:
            yield f"resize2fs {path}: its file system takes all of the file."
        case GrowWay.GUEST:
            yield f"In the guest, once it runs: {plan.in_guest}"
        case GrowWay.MOUNT:
            how = MOUNTED.get(facts.fs_type or "", "")
            yield f"Mount it on a loop device where no path leads to (nosuid, nodev, noexec), {how}, unmount."


def _risks(seen: OverlayEvidence, plan: GrowPlan, facts: OverlayFacts, wanted: WantedSize) -> Iterator[str]:
    if plan.way is GrowWay.MOUNT:
        yield "The kernel of this host, and its udev, then read a file system that the guest wrote."
    built = seen.microvm.built.definition if seen.microvm.built is not None else None
    hypervisor = built.hypervisor if built is not None else None
    if plan.way is not GrowWay.GUEST and hypervisor in _WITHOUT_LOCKS:
        yield f"{hypervisor} looks at no locks: nothing but the units keeps it from a start meanwhile."
    if wanted.size - facts.allocated > facts.free:
        yield (
            f"Over-committed: {size(facts.free)} is free on the host, and it could take {size(wanted.size)}; when the "
            "host's disk is full, writing fails in the guest."
        )


def _notes(plan: GrowPlan) -> Iterator[str]:
    if plan.way is GrowWay.GUEST:
        yield f"Its file system stays as it is until somebody runs in the guest: {plan.in_guest}"
    if plan.overlay:
        reset = own_command("reset", clean(plan.microvm))
        yield f"It is the writable store overlay: {reset} makes an empty one of the built size in a moment."
