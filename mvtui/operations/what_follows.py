"""What must be done until a guest has what its definition file says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mvtui.model.definition import Definition
from mvtui.model.drift import drift
from mvtui.model.drift_fields import Stage, share_fields, tells, top_fields, volume_fields
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.operations.checks.check import rebuild_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mvtui.model.hypervisor import Hypervisor
    from mvtui.operations.definitions_save import Document

NOTHING_TO_REBUILD = "What is built has all of this: nothing to rebuild."

# Kind ("" for what stands beside shares and volumes), tag or image, option ("" for the share or volume itself).
_Place = tuple[str, str | None, str]
_NAMED_BY = {"shares": "tag", "volumes": "image"}


def follows(before: Document, after: Document) -> tuple[str, ...]:
    """Sentences: the drive letters that move where the file `before` becomes `after`, then the steps to the guest."""
    microvm = after.microvm
    if not _is_built(before, after):
        return (*moved_letters(before.definition, after.definition), *_steps(microvm))
    moved = moved_letters(microvm.booted, after.definition)
    return (*moved, NOTHING_TO_REBUILD, *_restart(microvm))


def dropped(old: Definition | None, new: Definition | None) -> Iterator[str]:
    """Sentences: the shares and volumes of `old` that `new` does not have (None: can't be told), and what stays."""
    if old is None or new is None:
        return
    tags = {share.tag for share in new.shares}
    images = {volume.image for volume in new.volumes}
    for share in old.shares:
        if share.tag not in tags:
            yield clean(f"share {share.tag} goes: the guest has no {share.mount_point} any more; {share.source} stays")
    for volume in old.volumes:
        if volume.image not in images:
            yield clean(f"volume {volume.image} goes: the guest no longer has it; the image stays where it is")


def moved_letters(old: Definition | None, new: Definition | None) -> Iterator[str]:
    """A sentence for each volume whose drive letter is another one in `new`; none where one of the two is None."""
    if old is None or new is None:
        return
    letters = {volume.image: volume.letter for volume in old.volumes}
    for volume in new.volumes:
        before = letters.get(volume.image)
        if before is not None and volume.letter is not None and before != volume.letter:
            yield f"{clean(volume.image)} becomes vd{volume.letter}; it is vd{before} now."


def _steps(microvm: MicroVM) -> Iterator[str]:
    command = "microvm -u"
    if microvm.entry is not None:
        command = rebuild_command(clean(microvm.name), microvm.entry)
    yield f"Rebuild: {command}."
    if microvm.booted is not None:
        yield f"Then restart {clean(microvm.name)}."


def _restart(microvm: MicroVM) -> Iterator[str]:
    other_runner = microvm.entry is not None and microvm.entry.stale
    if microvm.booted is not None and (other_runner or any(one.unbooted for one in microvm.drift)):
        yield f"Restart {clean(microvm.name)}: what runs differs from what is built."


def _is_built(before: Document, after: Document) -> bool:
    """Whether what is built tells all that `after` changes, and tells the same. What is not told never differs: that
    nothing differs is not enough."""
    new, built = after.definition, after.microvm.built.definition if after.microvm.built is not None else None
    if new is None or built is None or drift(new, built, None, directory=after.microvm.path):
        return False
    kinds = {kind for kind in _NAMED_BY if kind in before.values or kind in after.values}
    stages = ((new, Stage.DEFINED), (built, Stage.BUILT))
    if not all(tells(*stage, kind) for stage in stages for kind in kinds):
        return False
    told, told_built = (list(_told(*stage, after.hypervisor)) for stage in stages)
    items, built_items = ([one for one in each if one[0] in kinds and not one[2]] for each in (told, told_built))
    old_values, values = dict(_values(before.values)), dict(_values(after.values))
    changed = {place for place in old_values | values if old_values.get(place) != values.get(place)}
    gone = {place for place in changed if place[0] and (*place[:2], "") not in items}
    return items == built_items and changed - gone <= {*told} & {*told_built}


def _values(document: Mapping[str, Any]) -> Iterator[tuple[_Place, object]]:
    """Each value of a definition file, and its place."""
    for key, value in document.items():
        if key in _NAMED_BY and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            for item in value:
                name = str(item.get(_NAMED_BY[key]))  # of any type, in a file that is wrong
                yield from [((key, name, option), item[option]) for option in item]
        else:
            yield ("", "", key), value


def _told(definition: Definition, stage: Stage, hypervisor: Hypervisor | None) -> Iterator[_Place]:
    """Each option that `stage` tells; each share and volume, in their order, as one of the option ""."""
    yield from [("", "", option) for option in top_fields(definition, stage)]
    for share in definition.shares:
        yield from [("shares", share.tag, option) for option in ("", *share_fields(share, hypervisor))]
    for volume in definition.volumes:
        options = volume_fields(volume, definition, stage, hypervisor)
        yield from [("volumes", volume.image, option) for option in ("", *options)]
