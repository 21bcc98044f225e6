"""Every command and D-Bus call that mvtui makes, on record in memory: for a person who wants to see what it did."""

import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Self

from mvtui.errors import MvtuiError
from mvtui.model.call import Call, CallKind

LIMIT = 1000


class CallLog:
    """The last `limit` calls; from any thread.

    Polls, which only look and come again and again, are one entry for all of the same kind and words, and have a tenth
    of the room to themselves: however many they are, what changed something stays on record.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._most_polls = limit // 10
        self._most_actions = limit - self._most_polls
        self._polls: dict[tuple[CallKind, str], tuple[int, Call]] = {}
        self._actions: dict[int, Call] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[Call, ...]:
        """Oldest first; a poll stands where it was last made."""
        with self._lock:
            numbered = [*self._actions.items(), *self._polls.values()]
        return tuple(call for _, call in sorted(numbered, key=lambda each: each[0]))

    def call(self, kind: CallKind, what: str, *, poll: bool = False) -> "CallUnderWay":
        """A call that begins now. It ends with the block (`with`), or when its `end` is called."""
        call = Call(datetime.now(UTC), kind, what)
        with self._lock:
            number = next(self._numbers)
            if poll:
                call = self._add_poll(number, call)
            else:
                self._actions[number] = call
                if len(self._actions) > self._most_actions:
                    del self._actions[next(iter(self._actions))]
        return CallUnderWay(call, partial(self._end_poll if poll else self._end_action, number))

    def _add_poll(self, number: int, call: Call) -> Call:
        key = call.kind, call.what
        before = self._polls.pop(key, None)
        if before is not None:
            call = call._replace(times=before[1].times + 1)
        self._polls[key] = number, call
        if len(self._polls) > self._most_polls:
            del self._polls[next(iter(self._polls))]
        return call

    def _end_action(self, number: int, call: Call) -> None:
        with self._lock:
            if number in self._actions:
                self._actions[number] = call

    def _end_poll(self, number: int, call: Call) -> None:
        """Of a poll that was made again meanwhile, the later one's end counts."""
        key = call.kind, call.what
        with self._lock:
            if self._polls.get(key, (None,))[0] == number:
                self._polls[key] = number, call


class CallUnderWay:
    """A call that has begun. As a context manager it ends however the block does: with `done` where nothing else was
    said, with the words of an error, and with nobody knowing where the block was cancelled."""

    def __init__(self, call: Call, report: Callable[[Call], None]) -> None:
        self._call = call
        self._report = report
        self._began = time.monotonic()

    def end(self, result: str, *, ok: bool | None = True) -> None:
        """It is over, with this result; only the first end counts."""
        if self._call.seconds is None:
            self._call = self._call._replace(seconds=time.monotonic() - self._began, ok=ok, result=result)
            self._report(self._call)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self.end("done")
        elif isinstance(error, MvtuiError):
            self.end(error.message, ok=False)
        elif isinstance(error, Exception):
            self.end(str(error) or type(error).__name__, ok=False)
        else:
            self.end("not waited for", ok=None)
