"""What the panel keeps while it runs: as much after 10,000 looks as after the first 3,000."""

import asyncio
import gc
import sys

import psutil
import pytest
from rich.cells import cell_len
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from mvtui.model.call import CallKind
from mvtui.model.microvm import Snapshot
from mvtui.ui.charset import fit
from tests.ui.busy_host import BUSY, at_work
from tests.ui.fake_host import FakeHost

# As many as the calls' log has room for, and more; then the looks that are measured.
WARM_UP, LOOKS = 3_000, 10_000
TOLD = [at_work(BUSY, look) for look in range(100)]
# Blocks of memory of Python's, less than one for every third look; and what the allocator may keep of its own.
MOST_BLOCKS, MOST_BYTES = 2_000, 2 * 2**20


class Terminal(HeadlessDriver):
    """It is painted, not only composed."""

    written = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        type(self).written += len(data)


def look_of(look: int) -> Snapshot:
    """Other values at every look; one microVM is always started anew."""
    told = TOLD[look % len(TOLD)]
    first = told.microvms[1]
    processes = tuple(process._replace(pid=process.pid + 1000 * look) for process in first.processes)
    again = first._replace(processes=processes, hypervisor=processes[0])
    return told._replace(microvms=(told.microvms[0], again, *told.microvms[2:]))


def fill_caches() -> None:
    """Rich's and the panel's caches of texts, which are bounded; to be full, they would need more looks."""
    for number in range(5000):
        cell_len(f"a text {number}")
        fit(f"a text {number}", 12)


def kept() -> tuple[int, int]:
    """Blocks, and bytes in memory."""
    gc.collect()
    return sys.getallocatedblocks(), psutil.Process().memory_info().rss


@pytest.mark.parametrize("keys", [(), ("j", "4")], ids=["list", "processes"])
async def test_memory_is_flat(keys: tuple[str, ...]) -> None:
    host = FakeHost(BUSY)
    app = host.app()
    app.driver_class = Terminal
    calls = app.host.calls
    growth: list[int] = []

    async def drive(pilot: Pilot[object]) -> None:
        while host.looks == 0:
            await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        assert app.panel.opened == ("vm00" if keys else None)
        before, written = (0, 0), 0
        for look in range(LOOKS):
            if look == WARM_UP:
                fill_caches()
                before, written = kept(), Terminal.written
            host.passes(seconds=2)
            with calls.call(CallKind.DBUS, f"GetUnit {look}", poll=look % 2 == 0):
                app._take(look_of(look))
            await asyncio.sleep(0)
        growth.extend(now - then for now, then in zip(kept(), before, strict=True))
        growth.append(Terminal.written - written)
        app.exit()

    await app.run_async(size=(80, 24), auto_pilot=drive)
    gc.unfreeze()
    blocks, resident, written = growth
    print(f"\n{blocks} blocks, {resident / 2**20:.1f} MiB, {written} bytes written")
    assert written > 25_000, "it was not painted"
    assert blocks <= MOST_BLOCKS
    assert resident <= MOST_BYTES
