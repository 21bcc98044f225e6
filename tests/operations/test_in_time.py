import asyncio
import threading
import time

import pytest

from mvtui.operations import in_time
from mvtui.operations.in_time import Looks


async def test_what_ends_in_time_and_what_does_not() -> None:
    looks, answer = Looks(), threading.Event()
    works = {"quick": lambda: 1, "slow": lambda: int(answer.wait())}
    assert await looks.gather(works, 0.1) == {"quick": 1}
    answer.set()
    assert await looks.gather(works, 60) == {"quick": 1, "slow": 1}


async def test_one_that_hangs_is_asked_once_and_not_waited_for_again() -> None:
    looks, answer, asked = Looks(), threading.Event(), []

    def hang() -> int:
        asked.append(1)
        answer.wait()
        return 1

    await looks.gather({"it": hang}, 0.1)
    began = time.monotonic()
    for _ in range(50):
        assert await looks.gather({"it": hang}, 0.1) == {}
    assert time.monotonic() - began < 0.1 * 50
    assert asked == [1]
    answer.set()


def test_without_a_loop() -> None:
    looks, answer = Looks(), threading.Event()
    assert looks.one("quick", lambda: 1, 60) == 1
    assert looks.one("slow", answer.wait, 0.05) is None
    answer.set()


async def test_so_many_may_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_time, "MOST", 20)
    looks, answer = Looks(), threading.Event()
    for number in range(4):
        works = {(number, each): answer.wait for each in range(in_time.AT_ONCE + 3)}
        assert await looks.gather(works, 0.5) == {}
        assert len(looks._under_way) == min(20, (number + 1) * in_time.AT_ONCE)
    answer.set()


async def test_none_is_begun_after_its_time() -> None:
    looks, answer = Looks(), threading.Event()
    works = dict.fromkeys(range(in_time.AT_ONCE), answer.wait)
    assert await looks.gather(works, 0) == {}
    assert looks._under_way == {}


async def test_more_than_may_hang_are_looked_at_one_after_the_other() -> None:
    looks, last = Looks(), threading.Event()

    def end() -> bool:
        last.set()
        return True

    works = dict.fromkeys(range(1000), lambda: True) | {3: last.wait, 999: end}
    assert (await looks.gather(works, 60)).keys() == set(range(1000))


def test_an_answer_after_the_loop_has_ended() -> None:
    looks, answer = Looks(), threading.Event()
    assert asyncio.run(looks.gather({"it": answer.wait}, 0.05)) == {}
    (look,) = looks._under_way.values()
    answer.set()
    assert look.future.result(timeout=60) is True


class BugError(Exception):
    pass


def fail() -> None:
    raise BugError


async def test_what_a_look_raises_is_raised_where_it_is_waited_for() -> None:
    looks = Looks()
    with pytest.raises(BugError):
        await looks.gather({"it": fail}, 60)
    with pytest.raises(BugError):
        looks.one("it", fail, 60)
    assert not looks._under_way
