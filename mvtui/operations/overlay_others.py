"""Which other microVMs have the image or the share of an overlay: by what is built, booted and defined, by path and by
inode."""

import os
from collections.abc import Iterator
from contextlib import suppress

from mvtui.errors import MvtuiError
from mvtui.host.documents import read_definition
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.overlay import OverlayKind
from mvtui.model.overlay_checks import OtherUse, OverlayEvidence
from mvtui.model.overlay_target import overlay_path
from mvtui.operations.definition_place import find_document


def read_defined(host: Host, microvm: MicroVM) -> Definition | None:
    """What the definition file of `microvm` says; None where there is none. Raises MvtuiError. Blocking."""
    place = find_document(host, microvm)
    return read_definition(place) if place is not None else None


def other_uses(
    host: Host, snapshot: Snapshot, evidence: OverlayEvidence, file_id: tuple[int, int] | None
) -> Iterator[OtherUse]:
    """Every other microVM of `snapshot` that has the overlay of `evidence`, or of which that can't be told. `file_id`
    is the image's (a share's source is looked at by itself). Blocking; raises nothing."""
    target = evidence.target
    if target.path is None:
        return
    is_share = target.kind is OverlayKind.SHARE
    path = os.path.normpath(target.path)
    wanted = _file_id(host, path) if is_share else file_id
    for microvm in snapshot.microvms:
        if microvm.name != evidence.microvm.name:
            yield from _uses(host, microvm, path, wanted, is_share=is_share)


def _uses(
    host: Host, microvm: MicroVM, path: str, wanted: tuple[int, int] | None, *, is_share: bool
) -> Iterator[OtherUse]:
    for stage, definition in _stages(host, microvm):
        if isinstance(definition, str):
            yield OtherUse(microvm.name, stage, "", problem=definition)
            continue
        named = definition.shares if is_share else definition.volumes
        for thing in named:
            place = getattr(thing, "source" if is_share else "image")
            if place is None:
                continue
            theirs = overlay_path(microvm.path, place)
            same_file = wanted is not None and _file_id(host, theirs) == wanted
            if same_file or os.path.normpath(theirs) == path:
                yield OtherUse(microvm.name, stage, place, same_file)


def _stages(host: Host, microvm: MicroVM) -> Iterator[tuple[str, Definition | str]]:
    """Each stage of it, or why that can't be told. Where `current` leads nowhere, nothing is built."""
    if microvm.booted is not None:
        yield "booted", microvm.booted
    elif microvm.hypervisor is not None:
        yield "booted", "its hypervisor runs, and its command line can't be read"
    if microvm.built is not None:
        dangling = microvm.entry is not None and "current" in microvm.entry.dangling
        if microvm.built.definition is not None:
            yield "built", microvm.built.definition
        elif not dangling:
            yield "built", next(iter(microvm.built.problems), "its runner can't be read")
    try:
        defined = read_defined(host, microvm)
    except MvtuiError as error:
        yield "defined", error.message
    else:
        if defined is not None:
            yield "defined", defined


def _file_id(host: Host, path: str) -> tuple[int, int] | None:
    """Of what is there, a link itself."""
    with suppress(OSError, ValueError):
        status = os.lstat(host.on_disk(path))
        return status.st_dev, status.st_ino
    return None
