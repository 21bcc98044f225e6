"""Five thousand keys and clicks in any order, while the host changes: no traceback, nothing done without its question,
read-only never broken, and the panel can always be left.

A failure names its seed and the events before it. `WALK_SEEDS` and `WALK_STEPS` in the environment make it more.
"""

import asyncio
import logging
import os
import random

import pytest

from tests.ui.conftest import Open, Panel
from tests.ui.judge import Judge
from tests.ui.quiet import quiet
from tests.ui.samples import PRODUCT
from tests.ui.walk import Walk
from tests.ui.walk_choices import SIZES, SNAPSHOTS
from tests.ui.walk_host import WalkHost

SEEDS = int(os.environ.get("WALK_SEEDS", "5"))
STEPS = int(os.environ.get("WALK_STEPS", "1050"))
LAST_EVENTS = 30


async def leave(panel: Panel, walk: Walk) -> None:
    """Esc leads to the list from everywhere, `q` out of it; nothing stays behind."""
    assert await walk.escape()
    going = await walk.press("q")
    for _ in range(2):  # something is not saved, or a rebuild is under way
        if going:
            asked = any("quit" in line for line in walk.seen.lines)
            assert asked or min(panel.app.size) < 8, walk.seen.lines  # where no question has room
            going = await walk.press("y" if asked else "ctrl+c")
    assert not going, walk.seen.lines
    assert panel.app.return_code == 0


async def walk_through(
    open_panel: Open, seed: int, steps: int, monkeypatch: pytest.MonkeyPatch, *, read_only: bool = False
) -> int:
    """Walk at random, in as many panels as it takes; how much was done on the hosts."""
    dice, deeds = random.Random(seed), 0
    log = [f"seed {seed}"]
    try:
        while len(log) < steps:
            snapshot, size, interval = (
                dice.choice((PRODUCT, *SNAPSHOTS)),
                dice.choice(SIZES[:4]),
                dice.choice((2.0, 0.01)),
            )
            log.append(f"a panel of {size} every {interval} s")
            async with open_panel(snapshot, size=size, read_only=read_only, interval=interval) as panel:
                beside = WalkHost(panel.host, dice)
                beside.stand_in(monkeypatch)
                walk = Walk(panel, dice, Judge(locked=read_only), log, beside)
                await quiet(panel.app)
                walk.look()
                end = min(steps, len(log) + 400)
                while (going := await walk.step()) and len(log) < end:
                    pass
                if going:
                    await leave(panel, walk)
                deeds += len(panel.host.deeds)
            assert all(worker.is_finished for worker in panel.app.workers)
            assert asyncio.all_tasks() == {asyncio.current_task()}
    except BaseException as error:
        error.add_note("\n".join((f"seed {seed}, event {len(log)}; the last ones:", *log[-LAST_EVENTS:])))
        raise
    return deeds


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_random_walk(
    open_panel: Open, seed: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert await walk_through(open_panel, seed, STEPS, monkeypatch) > 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_random_walk_that_is_read_only(
    open_panel: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert await walk_through(open_panel, 7, STEPS, monkeypatch, read_only=True) == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
