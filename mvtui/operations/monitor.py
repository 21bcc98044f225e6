"""One loop that looks at the host again and again, for the panel and `list --watch`."""

import asyncio
from collections.abc import AsyncIterator

from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot


async def snapshots(host: Host, *, interval: float = 2.0, wake: asyncio.Event | None = None) -> AsyncIterator[Snapshot]:
    """A Snapshot at once, then another at each change of a unit, every `interval` seconds, and whenever `wake` is set
    (it is cleared). Yields equal snapshots too: the caller compares. Ends only when cancelled."""
    raise NotImplementedError
    yield
