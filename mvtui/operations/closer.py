"""A closer look at some microVMs, for a command: what the panel has from its slow lane."""

from collections.abc import Collection

from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot
from mvtui.operations.inventory import combine
from mvtui.operations.kept import Kept

# As many consoles are read in one round of `Guests.renew`.
GUESTS_A_ROUND = 16


def look_closer(host: Host, kept: Kept, names: Collection[str] | None = None) -> Snapshot:
    """The host as the last look of `kept` saw it, with all that can be known of the microVMs `names` (None: of all).
    Blocking, and not in an event loop; no dead mount holds it up. Never raises."""
    assert kept.seen is not None
    # What runners the first look had no time for is read now; the slow facts of them are asked for.
    combine(host, kept, kept.seen)
    kept.renew(names)
    _ask_guests(kept, names)
    return combine(host, kept, kept.seen)


def _ask_guests(kept: Kept, names: Collection[str] | None) -> None:
    """Each of them once; one round asks a few."""
    if kept.guests is None:
        return
    if names is not None:
        for name in names:
            kept.guests.renew(name)
        return
    for _ in range(len(kept.made) // GUESTS_A_ROUND + 1):
        kept.guests.renew()
