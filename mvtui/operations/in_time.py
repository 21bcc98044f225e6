"""Looks at the host that may never end, since what is behind a dead NFS or FUSE mount does not answer: each in a thread
of its own, which is left where it takes too long."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Generic, TypeVar, cast

T = TypeVar("T")
Key = TypeVar("Key")

# So many hang at most; what is asked then is not looked at.
MOST = 64
# So many of those that belong together are looked at at once: a definition may have a thousand shares.
AT_ONCE = 8


class Look(Generic[T]):
    """What `work` gives or raises, once it has."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.future: Future[T] = Future()
        self.future.set_running_or_notify_cancel()  # nobody who waits for it can call it off
        self.began = time.monotonic()

    def run(self) -> None:
        """In a thread."""
        try:
            result = self.work()
        except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Looks:
    """Those that are under way. What is asked once more while it hangs is the same look: a key that is pressed again
    and again starts no thread each time."""

    def __init__(self) -> None:
        self._under_way: dict[object, Look[object]] = {}
        self._lock = threading.Lock()

    async def gather(self, works: Mapping[Key, Callable[[], T]], seconds: float) -> dict[Key, T]:
        """What each of `works` gives that ends within `seconds`. A key tells what is looked at, and all that it depends
        on. Raises what the first of them raises."""
        until, results = time.monotonic() + seconds, dict[Key, T]()
        left, waiting = list(works.items()), dict[asyncio.Future[T], Key]()
        try:
            while left or waiting:
                while left and len(waiting) < AT_ONCE and time.monotonic() < until:
                    key, work = left.pop(0)
                    look = self._begin(key, work)
                    if look is not None and (look.future.done() or look.began + seconds > time.monotonic()):
                        waiting[asyncio.wrap_future(look.future)] = key
                if not waiting:
                    break
                done, _ = await asyncio.wait(
                    waiting, timeout=max(0.0, until - time.monotonic()), return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                results |= {waiting.pop(future): future.result() for future in done}
        finally:
            for future in waiting:
                future.cancel()  # what ends later tells nobody
        return results

    def one(self, key: object, work: Callable[[], T], seconds: float) -> T | None:
        """As `gather`, for one, where there is no event loop; None where it does not end in time. Blocking. Raises what
        `work` raises."""
        look = self._begin(key, work)
        if look is None:
            return None
        try:
            return look.future.result(timeout=max(0.0, look.began + seconds - time.monotonic()))
        except TimeoutError:
            return None

    def _begin(self, key: object, work: Callable[[], T]) -> Look[T] | None:
        """The look that is under way for `key`, else a new one; None where too many hang."""
        with self._lock:
            known = self._under_way.get(key)
            if known is not None:
                return cast("Look[T]", known)
            if len(self._under_way) >= MOST:
                return None
            look = Look(partial(self._ended, key, work))
            self._under_way[key] = cast("Look[object]", look)
        threading.Thread(target=look.run, name="look", daemon=True).start()
        return look

    def _ended(self, key: object, work: Callable[[], T]) -> T:
        """What `work` gives. Who asks after it gets a look of its own: what is there may be another by then."""
        try:
            return work()
        finally:
            with self._lock:
                del self._under_way[key]


# Of the whole process: who asks about one host asks from many places.
LOOKS = Looks()
