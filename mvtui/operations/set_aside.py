"""The overlays that resets have set aside, for the page and for `mvtui show`: looked at, never touched."""

from collections.abc import Iterable
from contextlib import suppress

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.host.records import chosen_images
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay import KeptOverlay, OverlayKind
from mvtui.model.overlay_target import find_target
from mvtui.operations.overlay_others import read_defined


def set_aside(host: Host, microvms: Iterable[MicroVM]) -> dict[str, tuple[KeptOverlay, ...]]:
    """By microVM, newest first; those without any are left out. Blocking; never raises."""
    from mvtui.host.overlay.kept import read_kept  # noqa: PLC0415 (not every look needs it)

    chosen = chosen_images(host.records)
    found = {}
    for microvm in microvms:
        target = find_target(microvm, None, chosen.get(microvm.name))
        if target.kind is OverlayKind.UNKNOWN and target.told_by is None:
            with suppress(MvtuiError):
                target = find_target(microvm, read_defined(host, microvm), chosen.get(microvm.name))
        if target.path is not None and (kept := read_kept(host, microvm.name, target)):
            found[microvm.name] = kept
    return found
