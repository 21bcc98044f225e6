"""How a verb runs what is asynchronous: in an event loop, or without one where nothing needs it."""

from collections.abc import Coroutine
from typing import Any, TypeVar, cast

T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which waits for nothing that needs an event loop (D-Bus does)."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    raise AssertionError("it waits")


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in an event loop of its own."""
    import asyncio

    results: list[T] = []

    # What asyncio.run's own task returns is written out in words, all of it, when SIGINT gets its handler back.
    async def keep() -> None:
        results.append(await work)

    asyncio.run(keep())
    return results[0]
