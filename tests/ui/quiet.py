"""When a panel has done all that can be done now, told by its event loop."""

import asyncio
from typing import Any

from textual._context import active_app
from textual.app import App


async def quiet(app: App[Any]) -> None:
    """Until all that was posted has been dealt with, and painted. What a timer or a thread does is not waited for."""
    for _ in range(3):
        for _ in range(3):
            await _nothing_is_ready()
        if not app.is_running:
            return
        # Both wait for a timer otherwise.
        app._check_resize()
        app.screen._on_timer_update()


async def in_place_of_idle(_min_sleep: float = 0.0, _max_sleep: float = 0.0) -> None:
    """What Textual's pilot waits for in tests: it else waits three times at each key, a fiftieth of a second at the
    least, for a processor that is idle."""
    await quiet(active_app.get())


async def _nothing_is_ready() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while loop._ready:  # type: ignore[attr-defined]  # noqa: ASYNC110
        await asyncio.sleep(0)
