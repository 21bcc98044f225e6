"""What the panel takes from outside, and tests replace: clocks, looks at the host, verbs.

What looks and acts is imported at the first look, when the first frame stands on the screen.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot
from mvtui.model.unit import UnitStatus, UnitVerb

if TYPE_CHECKING:
    from mvtui.operations.lifecycle import Outcome

Progress = Callable[[tuple[UnitStatus, ...]], None]


class Source(Protocol):
    """Where snapshots come from, as `monitor.snapshots`."""

    def __call__(self, host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
        """Snapshots without end; `wake` asks for one now."""


Run = Callable[[Host, UnitVerb, str, Progress], Awaitable["Outcome"]]
Cancel = Callable[[Host, str], Awaitable[str]]


def local_now() -> datetime:
    """The time, in the local zone."""
    return datetime.now().astimezone()


def look(host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
    """The snapshots of the host."""
    from mvtui.operations import monitor  # noqa: PLC0415

    return monitor.snapshots(host, interval=interval, wake=wake)


async def act(host: Host, verb: UnitVerb, microvm: str, on_progress: Progress) -> "Outcome":
    """Run the verb to its end."""
    from mvtui.operations import lifecycle  # noqa: PLC0415

    return await lifecycle.run(host, verb, microvm, on_progress)


async def call_off(host: Host, microvm: str) -> str:
    """Cancel what is under way on it; one sentence of what came of it."""
    from mvtui.operations import lifecycle  # noqa: PLC0415

    return await lifecycle.cancel(host, microvm)


@dataclass(frozen=True, slots=True)
class Seams:
    """`now` is local time; `monotonic` is in seconds."""

    now: Callable[[], datetime] = local_now
    monotonic: Callable[[], float] = time.monotonic
    source: Source = look
    run: Run = act
    cancel: Cancel = call_off
