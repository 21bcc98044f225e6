"""Looks at the host that may never end, since what is behind a dead NFS or FUSE mount does not answer: each in a thread
of its own, which is left where it takes too long."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_futures
from typing import Generic, TypeVar, cast

T = TypeVar("T")
Key = TypeVar("Key")

# A definition has 26 volumes, and a few shares; with more than so many under way, threads hang.
MOST = 64


class Look(Generic[T]):
    """What `work` gives, once it has. `work` raises nothing."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.future: Future[T] = Future()
        self.future.set_running_or_notify_cancel()  # nobody who waits for it can call it off
        self.began = time.monotonic()


class Looks:
    """Those that are under way. What is asked once more while it hangs is the same look: a key that is pressed again
    and again starts no thread each time."""

    def __init__(self) -> None:
        self._under_way: dict[object, Look[object]] = {}
        self._lock = threading.Lock()

    async def gather(self, works: Mapping[Key, Callable[[], T]], seconds: float) -> dict[Key, T]:
        """What each of `works` gives that ends within `seconds` of its begin. A key tells what is looked at, and all
        that it depends on."""
        looks = self._begin(works)
        waiting = {key: asyncio.wrap_future(look.future) for key, look in looks.items()}
        if waiting:
            await asyncio.wait(waiting.values(), timeout=self._left(looks.values(), seconds))
        for future in waiting.values():
            future.cancel()  # what ends later tells nobody
        return {key: look.future.result() for key, look in looks.items() if look.future.done()}

    def one(self, key: object, work: Callable[[], T], seconds: float) -> T | None:
        """As `gather`, for one, where there is no event loop; None where it does not end in time. Blocking."""
        looks = self._begin({key: work})
        wait_for_futures([look.future for look in looks.values()], timeout=self._left(looks.values(), seconds))
        return next((look.future.result() for look in looks.values() if look.future.done()), None)

    def _begin(self, works: Mapping[Key, Callable[[], T]]) -> dict[Key, Look[T]]:
        looks: dict[Key, Look[T]] = {}
        for key, work in works.items():
            with self._lock:
                known = self._under_way.get(key)
                if known is not None:
                    looks[key] = cast("Look[T]", known)
                    continue
                if len(self._under_way) >= MOST:
                    continue
                look = looks[key] = Look(work)
                self._under_way[key] = cast("Look[object]", look)
            threading.Thread(target=self._run, args=(key, look), name="look", daemon=True).start()
        return looks

    def _run(self, key: object, look: Look[T]) -> None:
        """In a thread. Who asks when it has ended gets a look of its own: what is there may be another by then."""
        try:
            result = look.work()
        finally:
            with self._lock:
                del self._under_way[key]
        look.future.set_result(result)

    def _left(self, looks: Collection[Look[T]], seconds: float) -> float:
        """Seconds until the last of them has had its time."""
        return max(0.0, max((look.began for look in looks), default=0.0) + seconds - time.monotonic())


# Of the whole process: who asks about one host asks from many places.
LOOKS = Looks()
