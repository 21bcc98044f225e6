"""Checks of the writable store overlay: does it fit the system, and can its upper layer be where it is?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mvtui.operations.checks.check import Seen, is_up, verb, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.model.finding import Finding

# mkfs writes whole seconds, and what makes a microVM for the first time may make its image first.
_TOGETHER = timedelta(seconds=60)


def stale(seen: Seen) -> Iterator[Finding]:
    """Paths in the guest's store are there and Nix does not know them, or a boot fails after an update.

    Cause: what the overlay holds was built on the system before the one that is built now; its Nix database is another
    one. Seen: the image (mkfs's time in ext, else the file's birth) is older than the guest's system in the host's
    store; where nobody tells when that came, than the link `current`, which is only made anew by an update but where a
    microVM is fully declarative. A rollback to a system older than the overlay is not seen. Source: table 3, #134 #196.
    """
    microvm, status = seen.microvm, seen.microvm.overlay
    closer, image = microvm.closer, status.image if status is not None else None
    if closer is None or image is None or image.made is None or status is None:
        return
    by_link = closer.current_changed if microvm.entry is None or not microvm.entry.fully_declarative else None
    changed = closer.system_made or by_link
    if changed is not None and image.made + _TOGETHER < changed:
        what = "Its writable store overlay was made before the system that is built now."
        why = "What was built in it, the guest's Nix database has forgotten."
        fix = f"reset its overlay{' after a stop' if is_up(seen) else ''}: {verb('reset', microvm)}"
        yield warning(f"volume {status.volume.image}", "ov stale", what, why, fix, changed)
