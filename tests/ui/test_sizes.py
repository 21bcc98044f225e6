"""From one size of the terminal to another, whatever is open: it reads as if it had been opened at that size."""

import pytest
from textual.app import App

from tests.ui.scenes import SCENES, open_scene

SIZES = ((60, 15), (250, 80), (120, 36), (80, 24))
# Without those where somebody had scrolled: what they look at stays, not how far from the top it is.
_SCENES = (
    *("states", "filter-typed", "sorted-marked", "question", "kill", "reset", "reset-several", "help", "palette-found"),
    *("degraded-overview", "degraded-shares", "degraded-volumes", "degraded-processes", "degraded-logs"),
    *(
        "timeline-event",
        "definition-findings",
        "share-errors",
        "volume-errors",
        "review",
        "conflict",
        "calls",
        "doctor",
    ),
    *("logs-search", "state-question", "grow", "source", "adopt", "rebuild", "gone", "stale", "empty"),
)
_STAYS = ("logs-found", "logs-above", "drift", "rebuild-failed")


def text_of(app: App[None]) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


async def opened(name: str, size: tuple[int, int]) -> list[str]:
    app, play = open_scene(SCENES[name])
    async with app.run_test(size=size) as pilot:
        await play(pilot)
        return text_of(app)


@pytest.mark.parametrize("name", [*_SCENES, *_STAYS])
async def test_another_size(name: str) -> None:
    seen = {}
    app, play = open_scene(SCENES[name])
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot)
        before = text_of(app)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await pilot.pause()
            seen[size] = text_of(app)
            assert len(seen[size]) == size[1]
            assert app.screen.focused is not None
            cursor = app.screen.focused.region
            assert app.screen.region.contains_region(cursor.intersection(app.screen.region))
            assert cursor.intersection(app.screen.region).area > 0
    if name in _SCENES:
        assert seen[80, 24] == before
        assert seen[60, 15] == await opened(name, (60, 15))
        assert seen[250, 80] == await opened(name, (250, 80))
