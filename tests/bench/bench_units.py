"""What systemd says of all units, beside the bare call that lists them. In CPU time of the thread that asks: the
systemd that answers is a small one in another thread, behind a real dbus-daemon."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from mvtui.host.systemd import SystemdUnits
from mvtui.model.unit import UNIT_PATTERNS, UnitKind, unit_name
from tests.bench.scoreboard import score
from tests.private_bus import private_bus
from tests.systemd1 import Systemd1

ROUNDS = 15
KINDS = [kind for kind in UnitKind if kind is not UnitKind.INSTALL]


def thread_seconds(loop: asyncio.AbstractEventLoop, work: Callable[[], Awaitable[object]]) -> float:
    """CPU seconds until `work` is done."""

    async def run() -> float:
        begin = time.thread_time()
        await work()
        return time.thread_time() - begin

    return loop.run_until_complete(run())


@pytest.mark.parametrize("count", [10, 100, 1000, 5000])
def test_units(benchmark: BenchmarkFixture, tmp_path: Path, count: int) -> None:
    with private_bus(tmp_path) as bus, Systemd1(bus.address) as systemd, closing(asyncio.new_event_loop()) as loop:
        for number in range(count):
            name = unit_name(KINDS[number % len(KINDS)], f"vm{number // len(KINDS):04}")
            systemd.set(name, "active", "running", ActiveEnterTimestamp=1_700_000_000_000_000, MainPID=number + 1)
        units = SystemdUnits(bus.address, timeout=60, resync=3600)

        def list_units() -> Awaitable[object]:
            return units._bus.call("ListUnitsByPatterns", "asas", [], list(UNIT_PATTERNS))

        loop.run_until_complete(units._bus.connect())
        first = thread_seconds(loop, units.statuses)
        assert len(loop.run_until_complete(units.statuses())) == count
        rounds = [(thread_seconds(loop, list_units), thread_seconds(loop, units.statuses)) for _ in range(ROUNDS)]
        benchmark.pedantic(lambda: loop.run_until_complete(units.statuses()), rounds=ROUNDS)  # type: ignore[no-untyped-call]
        loop.run_until_complete(units.close())
    limit, own = (median(column) for column in zip(*rounds, strict=True))
    words = f"{own * 1e3:.2f} ms against {limit * 1e3:.2f} ms; the first, with what no list has, {first * 1e3:.0f} ms"
    score(f"state of {count} units: × the bare list of units", own / limit, 3, words=words)
