"""Somebody who waits for a change of a unit."""

import asyncio

from mvtui.host.systemd import SystemdUnits

SOON = 10.0


async def watcher_of(units: SystemdUnits) -> asyncio.Future[None]:
    """A watcher that waits for the first change."""
    task = asyncio.ensure_future(anext(units.changes()))
    await units.statuses()
    await asyncio.sleep(0)
    return task
