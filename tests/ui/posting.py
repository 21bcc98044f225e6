"""Events as the driver posts them, and the end of what they set going; faster than the pilot."""

import asyncio

from textual.events import Key
from textual.keys import _character_to_key

from tests.ui.conftest import Panel


async def settle(panel: Panel) -> None:
    """Until all that was posted has been dealt with, and painted."""
    for _ in range(3):
        for _ in range(3):
            await _nothing_is_ready()
        if not panel.app.is_running:
            return
        # Both wait for a timer otherwise.
        panel.app._check_resize()
        panel.app.screen._on_timer_update()


async def _nothing_is_ready() -> None:
    """As the pilot's pause, which waits for an idle processor besides, and takes ten times as long."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while loop._ready:  # type: ignore[attr-defined]  # noqa: ASYNC110
        await asyncio.sleep(0)


def key_event(name: str) -> Key:
    """As the driver makes it: with the name that Textual has for a character."""
    if len(name) == 1:
        return Key(_character_to_key(name), name)
    return Key(name, {"space": " ", "slash": "/", "colon": ":", "question_mark": "?"}.get(name))
