"""Work beside the event loop on what was asked for last: one at a time, and not at each key."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

T = TypeVar("T")


class Latest(Generic[T]):
    """Does `work` with the newest of what it was asked for, `delay` seconds after that, in workers of `owner` called
    `name`; what is asked for while it works comes after."""

    def __init__(self, owner: Widget, name: str, delay: float, work: Callable[[T], Awaitable[None]]) -> None:
        self._owner, self._name, self._delay, self._work = owner, name, delay, work
        self._timer: Timer | None = None
        self._waiting: list[T] = []  # one at most
        self._works = False

    def ask(self, wanted: T) -> None:
        """Do it with this, and no more with what was asked for before and has not begun."""
        self._waiting = [wanted]
        if self._timer is not None:
            self._timer.stop()
        if self._delay:
            self._timer = self._owner.set_timer(self._delay, self._begin)
        else:
            self._begin()

    @property
    def is_idle(self) -> bool:
        """Whether all that was asked for is done."""
        return not self._waiting and not self._works

    def _begin(self) -> None:
        if self._works or not self._waiting:
            return
        self._works = True
        work = partial(self._run, self._waiting.pop())
        _: Worker[None] = self._owner.run_worker(work, name=self._name, group=self._name)

    async def _run(self, wanted: T) -> None:
        try:
            await self._work(wanted)
        finally:
            self._works = False
        self._begin()
