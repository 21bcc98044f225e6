"""What the panel takes from outside, and tests replace: clocks, looks at the host, verbs."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot
from mvtui.model.unit import UnitVerb
from mvtui.operations import lifecycle, monitor


class Source(Protocol):
    """Where snapshots come from, as `monitor.snapshots`."""

    def __call__(self, host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
        """Snapshots without end; `wake` asks for one now."""


Run = Callable[[Host, UnitVerb, str, lifecycle.Progress], Awaitable[lifecycle.Outcome]]


def local_now() -> datetime:
    """The time, in the local zone."""
    return datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class Seams:
    """`now` is local time; `monotonic` is in seconds."""

    now: Callable[[], datetime] = local_now
    monotonic: Callable[[], float] = time.monotonic
    source: Source = monitor.snapshots
    run: Run = lifecycle.run
