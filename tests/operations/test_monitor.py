"""What is done beside the looks: a bug in it is heard of."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from mvtui.operations.kept import Kept
from mvtui.operations.monitor import in_daemon_thread, is_free, snapshots
from tests.operations.sample import build_web

SOON = 20.0


class BugError(Exception):
    pass


def fail(*_: object) -> None:
    raise BugError


async def test_what_the_work_raises_is_raised_where_it_is_waited_for() -> None:
    called = asyncio.Event()
    with pytest.raises(BugError):
        await asyncio.wait_for(in_daemon_thread(fail, called.set), SOON)
    assert called.is_set()


async def test_a_lane_is_free_once_its_work_has_ended() -> None:
    lane = in_daemon_thread(lambda: None)
    assert is_free(None)
    assert not is_free(lane)
    await lane
    assert is_free(lane)


async def test_a_slow_lane_that_fails_does_not_stand_still_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kept, "renew", fail)
    async with asyncio.timeout(SOON), aclosing(snapshots(build_web(tmp_path), interval=0.05)) as looks:
        with pytest.raises(BugError):
            async for _ in looks:
                pass
