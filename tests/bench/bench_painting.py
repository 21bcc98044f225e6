"""Painting the list, beside a DataTable that shows the same: CPU and bytes of a tick, and a key until it is painted."""

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from statistics import median, quantiles

import pytest
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot
from textual.widgets import DataTable

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import StateWord
from mvtui.ui.listing import Listing
from mvtui.ui.rows import layout
from mvtui.ui.widgets.microvm_list import MicroVMList
from tests.bench.scoreboard import score
from tests.ui.fake_host import FakeHost
from tests.ui.samples import GIB, NOW, ago, microvm, snapshot

# Ten rows are in sight, so that every count paints as many.
SIZE = (80, 17)
COUNTS = (10, 100, 1000, 5000)
TICKS = 12
KEYS = 150
# In seconds: a tick is painted by then (Textual paints 60 times a second).
FRAMES = 0.2
LAYOUT = layout(SIZE[0], False)
CPU = next(index for index, (column, _) in enumerate(LAYOUT.columns) if column.title == "CPU%")


class CountingDriver(HeadlessDriver):
    """A terminal that takes everything at once; `painted` is set whenever something came."""

    painted = asyncio.Event()
    written = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        type(self).written += len(data.encode())
        self.painted.set()


@dataclass
class Measured:
    """Per tick: CPU in seconds, bytes. `keys`: seconds from a key to its paint."""

    cpu: float = 0.0
    written: float = 0.0
    keys: list[float] = field(default_factory=list)


async def painted(cause: Callable[[], None]) -> None:
    """Do it, and wait for what it paints."""
    CountingDriver.painted.clear()
    cause()
    await CountingDriver.painted.wait()


async def measure(app: App[None], rows: int, ticks: Sequence[Callable[[], None]], keys: int = KEYS) -> Measured:
    """Runs the app, the ticks (the first warm it up), then the keys: down to the last row, and up again."""
    found = Measured()
    CountingDriver.painted = asyncio.Event()

    async def drive(_pilot: Pilot[object]) -> None:
        await asyncio.sleep(0.5)
        times, sizes = [], []
        for tick in ticks:
            before, began = CountingDriver.written, time.process_time()
            await painted(tick)
            times.append(time.process_time() - began)
            sizes.append(CountingDriver.written - before)
            await asyncio.sleep(0.02)
        found.cpu, found.written = median(times[2:]), median(sizes[2:])
        for number in range(keys):
            key = events.Key("up" if number // (rows - 1) % 2 else "down", None)
            began = time.perf_counter()
            await painted(partial(post, app, key))
            found.keys.append(time.perf_counter() - began)
            await asyncio.sleep(0)
        app.exit()

    await app.run_async(size=SIZE, auto_pilot=drive)
    gc.unfreeze()
    return found


async def measure_unchanged(app: App[None], ticks: list[Callable[[], None]]) -> Measured:
    """Runs the app and the ticks, after each of which nothing need be painted: CPU and bytes until all is still."""
    found = Measured()

    async def drive(_pilot: Pilot[object]) -> None:
        await asyncio.sleep(0.5)
        times, sizes = [], []
        for tick in ticks:
            before, began = CountingDriver.written, time.process_time()
            tick()
            await asyncio.sleep(FRAMES)
            times.append(time.process_time() - began)
            sizes.append(CountingDriver.written - before)
        found.cpu, found.written = median(times[2:]), max(sizes[2:])
        app.exit()

    await app.run_async(size=SIZE, auto_pilot=drive)
    gc.unfreeze()
    return found


def post(app: App[None], event: events.Event) -> None:
    app.post_message(event)


def with_cpu(one: MicroVM, percent: float) -> MicroVM:
    assert one.hypervisor is not None
    hypervisor = one.hypervisor._replace(cpu_percent=percent)
    return one._replace(hypervisor=hypervisor, processes=(hypervisor,))


def load(tick: int, index: int) -> float:
    """Percent; other digits at every tick, and another order."""
    return (tick * 367 + index * 611) % 997 / 10


def snapshots(count: int, every: int) -> list[Snapshot]:
    """A host, and TICKS looks at it in which every so-many-th microVM has another load."""
    names = (f"vm{number:04}" for number in range(count))
    told = [snapshot(*(microvm(name, StateWord.RUNNING, since=ago(hours=9), cpu=1.5, memory=GIB) for name in names))]
    for tick in range(TICKS):
        rows = told[-1].microvms
        changed = (with_cpu(one, load(tick, index)) if index % every == 0 else one for index, one in enumerate(rows))
        told.append(told[-1]._replace(microvms=tuple(changed)))
    return told


async def of_the_list(told: list[Snapshot]) -> Measured:
    host = FakeHost(told[0])
    app = host.app()
    app.driver_class = CountingDriver
    return await measure(app, len(told[0].microvms), [partial(app._take, one) for one in told[1:]])


class TableApp(App[None]):
    """The same rows in a DataTable, its columns of fixed widths."""

    def __init__(self, first: Snapshot) -> None:
        super().__init__(driver_class=CountingDriver)
        self.animation_level = "none"
        self.first = first

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row", zebra_stripes=False)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column, _ in LAYOUT.columns:
            table.add_column(column.title, width=column.width, key=column.title)
        for one in self.first.microvms:
            table.add_row(*(Text(text) for text, _ in LAYOUT.cells(one, NOW)), key=one.name)

    def show(self, before: Snapshot, now: Snapshot) -> None:
        """Update the cells that read otherwise."""
        table = self.query_one(DataTable)
        for row, (old, new) in enumerate(zip(before.microvms, now.microvms, strict=True)):
            if old is not new:
                table.update_cell_at((row, CPU), Text(LAYOUT.cells(new, NOW)[CPU][0]))  # type: ignore[arg-type]

    def show_sorted(self, before: Snapshot, now: Snapshot) -> None:
        """The same, sorted by that column, the highest first."""
        table = self.query_one(DataTable)
        for old, new in zip(before.microvms, now.microvms, strict=True):
            if old is not new:
                table.update_cell(new.name, "CPU%", Text(LAYOUT.cells(new, NOW)[CPU][0]))
        table.sort("CPU%", key=lambda text: -float(text.plain))

    def set_again(self, now: Snapshot) -> None:
        """Set every cell of a column, as one does without comparing."""
        table = self.query_one(DataTable)
        for row, one in enumerate(now.microvms):
            table.update_cell_at((row, CPU), Text(LAYOUT.cells(one, NOW)[CPU][0]))  # type: ignore[arg-type]


async def of_the_sorted_list(told: list[Snapshot]) -> Measured:
    app = FakeHost(told[0]).app()
    app.driver_class = CountingDriver

    def show(one: Snapshot) -> None:
        app.screen.query_one(MicroVMList).list_as(Listing(sort="CPU%"))
        app._take(one)

    return await measure(app, len(told[0].microvms), [partial(show, one) for one in told[1:]], keys=0)


async def of_a_sorted_table(told: list[Snapshot]) -> Measured:
    app = TableApp(told[0])
    ticks = [partial(app.show_sorted, old, new) for old, new in pairwise(told)]
    return await measure(app, len(told[0].microvms), ticks, keys=0)


async def of_a_table(told: list[Snapshot]) -> Measured:
    app = TableApp(told[0])
    return await measure(app, len(told[0].microvms), [partial(app.show, old, new) for old, new in pairwise(told)])


def both(told: list[Snapshot]) -> tuple[Measured, Measured]:
    return asyncio.run(of_the_list(told)), asyncio.run(of_a_table(told))


def equal(told: Snapshot) -> Snapshot:
    """The same, of other objects, as a real look gives it."""
    return told._replace(microvms=tuple([one._replace() for one in told.microvms]))


@pytest.mark.parametrize("count", COUNTS)
def test_an_unchanged_tick(count: int) -> None:
    told = snapshots(count, 1)[0]
    app, table = FakeHost(told).app(), TableApp(told)
    app.driver_class = CountingDriver
    own = asyncio.run(measure_unchanged(app, [partial(app._take, equal(told)) for _ in range(TICKS)]))
    peer = asyncio.run(measure_unchanged(table, [partial(table.set_again, told) for _ in range(TICKS)]))
    words = (
        f"{own.cpu * 1000:.1f} ms; a DataTable whose cells are set again {peer.written:.0f} B, {peer.cpu * 1000:.1f} ms"
    )
    score(f"an unchanged tick, {count} rows: bytes", own.written, 0, words=words)


@pytest.mark.parametrize("count", COUNTS)
def test_sorted_by_what_changes(count: int) -> None:
    told = snapshots(count, 1)
    own, peer = asyncio.run(of_the_sorted_list(told)), asyncio.run(of_a_sorted_table(told))
    words = f"{own.cpu * 1000:.1f} ms against {peer.cpu * 1000:.1f} ms"
    score(f"sorted by CPU%, {count} rows, all changing: × DataTable's CPU", own.cpu / peer.cpu, 0.5, words=words)
    words = f"{own.written:.0f} B against {peer.written:.0f} B"
    score(f"sorted by CPU%, {count} rows: × DataTable's bytes", own.written / peer.written, 1 / 3, words=words)


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


OF_TEN: dict[int, float] = {}


@pytest.mark.parametrize("every", [1, 10], ids=["all", "a tenth"])
@pytest.mark.parametrize("count", COUNTS)
def test_painting(count: int, every: int) -> None:
    own, peer = both(snapshots(count, every))
    what = f"{count} rows, {'all' if every == 1 else '1 in 10'} changing"
    words = f"{own.cpu * 1000:.1f} ms against {peer.cpu * 1000:.1f} ms"
    score(f"painting, {what}: × DataTable's CPU", own.cpu / peer.cpu, 0.5, words=words)
    words = f"{own.written:.0f} B against {peer.written:.0f} B"
    score(f"painting, {what}: × DataTable's bytes", own.written / peer.written, 1 / 3, words=words)
    if every == 1 and count >= 1000:  # with few rows, both wait for Textual's next frame (1/60 s)
        words = f"{p99(own.keys) * 1000:.1f} ms against {p99(peer.keys) * 1000:.1f} ms"
        aim = 0.25 if count == 5000 else 1.0
        score(f"key to paint, p99, {count} rows: × DataTable", p99(own.keys) / p99(peer.keys), aim, words=words)
    OF_TEN.setdefault(every, own.cpu)
    if count == 5000:
        words = f"{own.cpu * 1000:.1f} ms against {OF_TEN[every] * 1000:.1f} ms"
        score(f"painting, {what}: × the same with 10", own.cpu / OF_TEN[every], 1.5, words=words)
