"""One loop that looks at the host again and again, for the panel and for who watches its list."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from functools import partial

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot
from mvtui.model.state import StateWord
from mvtui.operations.in_time import Look
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept

# The slow lane: PSS, open files, images, sources, and what only a log dates.
SLOW_SECONDS = 15.0
# What of it takes little comes at nearly each look; where there are many images less often: it takes no more than this
# part of a core.
QUICK_SECONDS = 1.5
QUICK_PART = 0.02
FAILING = (StateWord.FAILED, StateWord.LOOPING)
# A signal often comes with others: what they tell is looked at together.
SETTLE_SECONDS = 0.05


async def snapshots(
    host: Host, *, interval: float = 2.0, wake: asyncio.Event | None = None, kept: Kept | None = None
) -> AsyncGenerator[Snapshot]:
    """A Snapshot at once, then another at each change of a unit, every `interval` seconds, and whenever `wake` is set
    (it is cleared). Yields equal snapshots too: the caller compares. Ends only when cancelled. Slow facts come every
    SLOW_SECONDS, and after each change that mvtui made (`host.changes`); what guests tell comes in a lane of its own.
    `kept` is from looks before these.

    The first does not wait until all runners are read; the second, which then comes at once, does."""
    wake = wake if wake is not None else asyncio.Event()
    kept = kept if kept is not None else Kept(host, inline=False)
    signals = asyncio.create_task(_wake_at_changes(host, wake))
    slow_lane: asyncio.Future[None] | None = None
    slow_at = quick_at = float("-inf")
    slow_after = host.changes
    guest_lane: asyncio.Future[None] | None = None
    pids: frozenset[int] = frozenset()
    failing: frozenset[str] = frozenset()
    fresh_pids = is_second = False
    try:
        while True:
            due = time.monotonic() - slow_at >= SLOW_SECONDS or host.changes != slow_after
            wake.clear()
            snapshot = await take_snapshot(host, kept, slow=due or fresh_pids)
            yield snapshot
            seen = frozenset(process.pid for microvm in snapshot.microvms for process in microvm.processes)
            # A process that is new has not connected yet: its slow facts are taken at this look and at the next.
            fresh_pids, pids = seen != pids, seen
            # Why it fails, only its log tells.
            known, failing = failing, frozenset(one.name for one in snapshot.microvms if one.state.word in FAILING)
            if failing - known:
                due, slow_at = True, float("-inf")
            slow_is_free = is_free(slow_lane)
            if (due or kept.missing) and slow_is_free:
                slow_at, slow_after = time.monotonic(), host.changes
                slow_lane = in_daemon_thread(kept.renew, wake.set)
            elif slow_lane is not None and slow_is_free and _quick_is_due(kept, quick_at):
                quick_at = time.monotonic()
                slow_lane = in_daemon_thread(partial(_renew_quickly, kept, wake, asyncio.get_running_loop()))
            # Not beside the first look: the first picture comes before any guest is asked.
            guests = kept.guests if is_second else None
            if is_free(guest_lane) and guests is not None and guests.due:
                guest_lane = in_daemon_thread(guests.renew, lambda: _wake_for(kept, wake))
            is_second = True
            if kept.unread:
                wake.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), interval)
                await asyncio.sleep(SETTLE_SECONDS)
    finally:
        signals.cancel()
        with suppress(asyncio.CancelledError):
            await signals


def _quick_is_due(kept: Kept, last: float) -> bool:
    return time.monotonic() - last >= max(QUICK_SECONDS, kept.quick_seconds / QUICK_PART)


def _renew_quickly(kept: Kept, wake: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    if kept.renew_quickly():
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(wake.set)


def _wake_for(kept: Kept, wake: asyncio.Event) -> None:
    """A guest that says what it said before is worth no look."""
    if kept.guests is not None and kept.guests.has_news:
        wake.set()


async def _wake_at_changes(host: Host, wake: asyncio.Event) -> None:
    """Set `wake` whenever a unit changed; where the manager is away, the interval alone goes on."""
    while True:
        try:
            async for _ in host.units.changes():
                wake.set()
        except MvtuiError:
            await asyncio.sleep(SLOW_SECONDS)


def is_free(lane: asyncio.Future[None] | None) -> bool:
    """Whether nothing is under way there. Raises what the last work raised: that is a bug, and else nobody would know
    that the lane stands still."""
    if lane is None:
        return True
    if lane.done():
        lane.result()
    return lane.done()


def in_daemon_thread(work: Callable[[], None], done: Callable[[], None] = lambda: None) -> asyncio.Future[None]:
    """Run `work` in a thread that does not hold up the end of the program (a stat on a dead NFS mount never returns);
    what it raises is the future's. `done` is called in the event loop after it."""
    loop = asyncio.get_running_loop()
    look, future = Look(work), loop.create_future()

    def finish() -> None:
        error = look.future.exception()
        if not future.done() and error is not None:
            future.set_exception(error)
        elif not future.done():
            future.set_result(None)
        done()

    def run() -> None:
        look.run()
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(finish)

    threading.Thread(target=run, name="slow-lane", daemon=True).start()
    return future
