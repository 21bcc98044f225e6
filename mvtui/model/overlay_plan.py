"""What a reset of a microVM's writable store overlay would do, said before it is done. Pure."""

import shlex
from collections.abc import Iterator

from mvtui.model.definition import Share, Volume
from mvtui.model.format import size
from mvtui.model.overlay import (
    Check,
    NewImage,
    OverlayFacts,
    OverlayKind,
    OverlayTarget,
    ResetPlan,
    ToldBy,
)
from mvtui.model.overlay_checks import OverlayEvidence, checks, usage_checks
from mvtui.model.overlay_target import overlay_path
from mvtui.model.own_command import own_command
from mvtui.model.text import clean

_MIB = 1 << 20
# What touch(1) in a unit of systemd leaves (umask 0022).
_NEW_MODE = 0o644


def plan_reset(seen: OverlayEvidence) -> ResetPlan:
    """The plan of one microVM's reset, with every precondition."""
    microvm, target = seen.microvm, seen.target
    asked = _asked_another(seen)
    if asked is not None:
        return ResetPlan(microvm.name, target, seen.facts, checks=(asked,))
    if seen.trouble is not None and seen.facts is None and target.kind is OverlayKind.UNKNOWN:
        unread = Check("its definition file can be read", False, clean(seen.trouble[0]), clean(seen.trouble[1]))
        return ResetPlan(microvm.name, target, checks=(unread,))
    if target.kind not in (OverlayKind.VOLUME, OverlayKind.SHARE):
        return _without_overlay(seen)
    facts, volume = seen.facts, target.volume
    if facts is not None and facts.file_id is None and facts.problem is None:
        first = _made_by_first_start(target)
        if first:
            return ResetPlan(microvm.name, target, facts, nothing=first)
    new, unmakeable = (None, "") if volume is None or facts is None else _new_image(seen, facts, volume)
    return ResetPlan(
        microvm.name,
        target,
        facts,
        new,
        checks=tuple(checks(seen, new, unmakeable)),
        steps=tuple(_steps(target, facts, new)) if facts is not None else (),
        lost=tuple(_lost(target, facts)) if facts is not None else (),
        stays=tuple(_stays(seen)),
        aside=tuple(_aside(microvm.name, target, facts)) if facts is not None and facts.file_id is not None else (),
    )


def restore_checks(seen: OverlayEvidence, which: str | None) -> tuple[Check, ...]:
    """The preconditions for bringing back what was set aside: the newest, or the one of that name."""
    kept = seen.facts.kept if seen.facts is not None else ()
    name = clean(seen.microvm.name)
    there = kept if which is None else [each for each in kept if each.name == which]
    why = "" if there else "nothing is set aside" if which is None else f"nothing is set aside as {clean(which)}"
    if seen.facts is None:
        return tuple(usage_checks(seen))
    kept_check = Check("there is one to bring back", not why, why, own_command("show", name) if why else "")
    return (kept_check, *usage_checks(seen))


def _asked_another(seen: OverlayEvidence) -> Check | None:
    """Where a person named an image, and it is another one than what is told."""
    asked, target, directory = seen.asked, seen.target, seen.microvm.path
    if asked is None:
        return None
    told = target.path if target.kind is OverlayKind.VOLUME else None
    if told == overlay_path(directory, asked):
        return None
    what = f"{clean(asked)} is its writable store overlay"
    match target.told_by:
        case ToldBy.BUILT | ToldBy.DEFINED:
            by = "what is built" if target.told_by is ToldBy.BUILT else "its definition file"
            return Check(what, False, f"by {by} it is {_told_target(target)}", "leave --image out")
        case ToldBy.CHOSEN | None:
            why = f"it has no volume of that image; it has {_listed(seen.candidates)}"
            return Check(what, False, why, "name one of those with --image")


def _told_target(target: OverlayTarget) -> str:
    match target.kind:
        case OverlayKind.VOLUME:
            return f"on {clean(target.path or '?')}"
        case OverlayKind.SHARE:
            return f"on share {clean(target.tag or '?')}"
        case OverlayKind.TMPFS:
            return "in the guest's memory"
        case OverlayKind.NONE:
            return "nowhere: it has none"
    return "within a larger volume or share"


def _listed(images: tuple[str, ...]) -> str:
    return ", ".join(clean(image) for image in images) or "no volumes"


def _without_overlay(seen: OverlayEvidence) -> ResetPlan:
    microvm, target = seen.microvm, seen.target
    nothing = ""
    match target.kind:
        case OverlayKind.TMPFS:
            nothing = "its writable store overlay is in the guest's memory (tmpfs): every start has a new one"
        case OverlayKind.NONE:
            nothing = "it has no writable store overlay (microvm.writableStoreOverlay is not set)"
        case _ if target.told_by is not None:
            holder = target.volume.image if target.volume is not None else target.tag
            nothing = f"its writable store overlay lies within {clean(holder or '?')}, which holds more than that"
    if nothing:
        return ResetPlan(microvm.name, target, nothing=nothing)
    why = "neither what is built nor a definition file tells where its writable store overlay is"
    reset = own_command("reset", clean(microvm.name), option="--image IMAGE")
    fix = f"{reset}, once; it has {_listed(seen.candidates)}"
    return ResetPlan(microvm.name, target, checks=(Check("it is known which image is the overlay", False, why, fix),))


def _made_by_first_start(target: OverlayTarget) -> str:
    volume = target.volume
    if target.kind is OverlayKind.SHARE:
        return f"the directory {clean(target.path or '?')} has no store in it yet: the first start makes it"
    if volume is not None and volume.auto_create:
        return f"the image {clean(volume.image)} does not exist yet: the first start makes it"
    return ""


def _new_image(seen: OverlayEvidence, facts: OverlayFacts, volume: Volume) -> tuple[NewImage | None, str]:
    """The new image as it is built (`autoCreate`), or as defined, and where that does not tell as it is on disk; else
    why it can't be told."""
    size_bytes = volume.size * _MIB if volume.size is not None else facts.size
    fs_type = volume.fs_type or facts.fs_type
    name = clean(volume.image)
    if size_bytes <= 0:
        return None, f"neither the definition nor what is on disk tells the size of {name}"
    if fs_type is None:
        return None, f"neither the definition nor what is on disk tells the file system of {name}"
    label = volume.label if volume.auto_create or volume.label is not None else facts.label
    owner = seen.microvm.entry.owner if seen.microvm.entry is not None else None
    gid = facts.gid if facts.gid is not None else owner[1] if owner is not None else 0
    mode = facts.mode & 0o777 if facts.mode is not None else _NEW_MODE
    return NewImage(size_bytes, fs_type, label, volume.mkfs_extra_args or (), gid, mode), ""


def _steps(target: OverlayTarget, facts: OverlayFacts, new: NewImage | None) -> Iterator[str]:
    if target.kind is OverlayKind.SHARE:
        yield f"Make new, empty directories store and work in {clean(target.path or '?')}, owner and mode as now."
        yield "Check again that nothing uses it."
        yield "Exchange them with the old ones, which are set aside."
    elif new is not None:
        label = f', label "{clean(new.label)}"' if new.label is not None else ""
        extra = f", {clean(shlex.join(new.mkfs_extra_args))}" if new.mkfs_extra_args else ""
        yield f"Make a new image of {size(new.size)} beside it: mkfs.{clean(new.fs_type)}{label}{extra}."
        if facts.file_id is None:
            yield f"Give it the name {clean(facts.path)}, which nothing has now."
            return
        if new.size != facts.size:
            yield f"The new one has the built size, {size(new.size)}; the old one has {size(facts.size)}."
        if facts.fs_type is not None and facts.fs_type != new.fs_type:
            old, built = clean(facts.fs_type), clean(new.fs_type)
            yield f"The new one has the built file system, {built}; the old one has {old}."
        yield "Check again that nothing uses it."
        yield f"Exchange it with {clean(facts.path)} in one step; the old one is set aside."
    if facts.kept:
        allocated = sum(kept.allocated or 0 for kept in facts.kept)
        how_many = "The one" if len(facts.kept) == 1 else f"The {len(facts.kept)}"
        freed = f" ({size(allocated)})" if allocated else ""
        yield f"{how_many} that an earlier reset set aside{freed} is freed in the background."


def _lost(target: OverlayTarget, facts: OverlayFacts) -> Iterator[str]:
    if facts.file_id is None:
        return
    what = "built or installed in the guest's overlay"
    if target.kind is OverlayKind.SHARE:
        yield f"What was {what}."
    else:
        yield f"What was {what}, {size(facts.allocated)}."


def _stays(seen: OverlayEvidence) -> Iterator[str]:
    """Every other share and volume of what the next start has."""
    built = seen.microvm.built.definition if seen.microvm.built is not None else None
    definition = built if built is not None else seen.microvm.definition
    if definition is None:
        return
    target = seen.target
    for share in definition.shares:
        if target.kind is not OverlayKind.SHARE or share.tag != target.tag:
            yield f"Share {_told_share(share)}."
    for volume in definition.volumes:
        if target.volume is None or volume.image != target.volume.image:
            where = f" ({clean(volume.mount_point)})" if volume.mount_point is not None else ""
            yield f"Volume {clean(volume.image)}{where}."


def _told_share(share: Share) -> str:
    return f"{clean(share.tag or '?')} ({clean(share.source or '?')})"


def _aside(microvm: str, target: OverlayTarget, facts: OverlayFacts) -> Iterator[str]:
    name = clean(microvm)
    it, how_large = ("The old one", f" ({size(facts.allocated)})")
    beside = "beside it"
    if target.kind is OverlayKind.SHARE:
        it, how_large, beside = "What is old", "", "in its directory"
    yield f"{it}{how_large} goes to .mvtui/overlay/ {beside}, until the next reset."
    yield f"`{own_command('restore', name)}` brings it back, `{own_command('reset --discard', name)}` frees it."
