"""What must not be left half done goes on when its task is cancelled."""

import asyncio
import threading

import pytest

from mvtui.errors import MvtuiError
from mvtui.operations.uninterrupted import both, in_thread, to_its_end


async def test_the_result() -> None:
    assert await in_thread(int, "7") == 7
    assert await to_its_end(asyncio.sleep(0, "slept")) == "slept"


async def test_an_error() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await in_thread(int, "x")


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_waits_however_often_it_comes(fails: bool) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(10)
        ended.set()
        if fails:
            raise MvtuiError("it failed")

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(begun.wait, 10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_both_at_once() -> None:
    met = asyncio.Event()

    async def first() -> int:
        await met.wait()
        return 1

    async def second() -> str:
        met.set()
        return "two"

    assert await both(first(), second()) == (1, "two")


async def test_an_error_of_one_waits_for_the_other() -> None:
    begun, go_on, ended = asyncio.Event(), threading.Event(), threading.Event()

    def work() -> None:
        assert go_on.wait(10)
        ended.set()

    async def fail() -> None:
        begun.set()
        raise MvtuiError("it failed")

    task = asyncio.create_task(both(in_thread(work), fail()))
    await begun.wait()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(MvtuiError, match="it failed"):
        await task
    assert ended.is_set()
