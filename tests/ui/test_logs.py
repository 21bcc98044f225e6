"""The tab of logs: what it shows, how one walks through it, when it reads and when it does not."""

from tests.ui.conftest import Open, Panel
from tests.ui.full_samples import DEGRADED
from tests.ui.samples import snapshot

GIT = snapshot(DEGRADED)


async def until(panel: Panel, text: str) -> None:
    """Until it stands on the screen."""
    for _ in range(1000):
        if text in panel.text:
            return
        await panel.pilot.pause()
    raise AssertionError(f"{text!r} is not there:\n{panel.text}")


async def test_it_follows(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        await panel.press("l")
        await until(panel, "mvtui ann")
        assert "─ follows" in panel.lines[2]
        print(panel.text)
