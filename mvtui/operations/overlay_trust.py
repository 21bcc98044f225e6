"""Whether root may work where a microVM says that its overlay is: `current` belongs to the microVM's user, who can let
it lead to a runner of his own, which names any directory of the host as the overlay's share."""

import os

from mvtui.errors import MvtuiError
from mvtui.host.own_program import root_decides
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay import OverlayKind, OverlayTarget
from mvtui.model.overlay_target import overlay_path
from mvtui.operations.definition_place import is_in_definitions


def is_named_by_root(host: Host, microvm: MicroVM, target: OverlayTarget, defined: Definition | None) -> bool:
    """Whether the source of an overlay's share is named by a runner that root alone could have made, or by its
    definition file `defined`: one of the host's definitions, since where its flake is, the microVM's user says.
    Blocking; raises nothing."""
    if target.kind is not OverlayKind.SHARE or target.path is None or os.geteuid() != 0:
        return False
    shares = defined.shares if defined is not None and is_in_definitions(host, microvm) else ()
    sources = {overlay_path(microvm.path, share.source) for share in shares if share.source is not None}
    if target.path in sources:
        return True
    return microvm.built is not None and root_decides(str(host.on_disk(microvm.built.path)))


def mistrust(host: Host, microvm: MicroVM, target: OverlayTarget) -> tuple[str, str] | None:
    """Why the source of an overlay's share is not to be touched, and what mends that; None where it may be: root named
    it, or it belongs to the microVM's own user.

    The words don't tell the source: a link in such a runner would have root read, and put on record, what is secret.
    Blocking; raises nothing.
    """
    if target.kind is not OverlayKind.SHARE or target.path is None or os.geteuid() != 0:
        return None
    if target.named_by_root or _is_its_users(host, microvm.name, target):
        return None
    return (
        "others than root can change the runner that `current` leads to, and a share that it alone names is not "
        "touched with another's rights",
        f"build the microVM into the Nix store, or name the share's source in {host.definitions}/NAME.toml",
    )


def _is_its_users(host: Host, name: str, target: OverlayTarget) -> bool:
    from mvtui.host.overlay.identity import owner_of  # noqa: PLC0415 (the list starts without it)

    try:
        owner = owner_of(host, name, OverlayTarget(OverlayKind.VOLUME))
        return 0 not in owner and owner_of(host, name, target) == owner
    except MvtuiError:
        return False
