"""Work that blocks, beside the event loop where one runs."""

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns. It runs in a thread; where no event loop runs, nothing else waits for this one, and it runs
    here and now."""
    if not _loop_runs():
        return work(*args, **kwargs)
    import asyncio  # noqa: PLC0415

    return await asyncio.to_thread(work, *args, **kwargs)


def _loop_runs() -> bool:
    """asyncio is not imported to find out: that takes longer than all of `mvtui list` without systemd."""
    if "asyncio" not in sys.modules:
        return False
    import asyncio  # noqa: PLC0415

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
