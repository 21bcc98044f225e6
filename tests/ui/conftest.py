"""A panel on a fake host, and what it shows."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from rich.cells import cell_len
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from mvtui.model.microvm import Snapshot
from mvtui.ui.app import MvtuiApp
from tests.ui.fake_host import FakeHost
from tests.ui.quiet import in_place_of_idle
from tests.ui.samples import PRODUCT


@pytest.fixture(autouse=True)
def _pilot_waits_for_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", in_place_of_idle)


class Panel:
    """A running panel: press keys, read lines."""

    def __init__(self, host: FakeHost, app: MvtuiApp, pilot: Pilot[None]) -> None:
        self.host, self.app, self.pilot = host, app, pilot

    async def press(self, *keys: str) -> None:
        """Each key after the last has been dealt with, and the question's deaf time has passed."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
            self.host.passes(seconds=0.4)

    async def tell(self, snapshot: Snapshot) -> None:
        """The host looks so from now on."""
        wanted = self.host.looks + 1
        self.host.tell(snapshot)
        while self.host.looks < wanted:
            await self.pilot.pause()
        await self.pilot.pause()

    def place(self, text: str, nth: int = 0) -> tuple[int, int]:
        """The cell (x, y) where `text` begins; of several, the nth from the top."""
        found = [(cell_len(line[: line.index(text)]), y) for y, line in enumerate(self.lines) if text in line]
        assert len(found) > nth, f"{text!r} is not there:\n{self.text}"
        return found[nth]

    async def click(self, text: str, nth: int = 0) -> None:
        """Click on what reads so; the question's deaf time has passed."""
        await self.pilot.click(offset=self.place(text, nth))
        await self.pilot.pause()
        self.host.passes(seconds=0.4)

    async def wheel(self, y: int, steps: int) -> None:
        """Turn the wheel over line `y`, down where `steps` is positive."""
        event = MouseScrollDown if steps > 0 else MouseScrollUp
        for _ in range(abs(steps)):
            await self.pilot._post_mouse_events([event], offset=(9, y))
        await self.pilot.pause()

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """The same in one."""
        return "\n".join(self.lines)

    @property
    def foot(self) -> str:
        """The last line: footer or question."""
        return self.lines[-1]

    @property
    def selected(self) -> str | None:
        """The microVM under the cursor."""
        microvm = self.app.panel.selected
        return microvm.name if microvm is not None else None


Open = Callable[..., AbstractAsyncContextManager[Panel]]


@pytest.fixture
def open_panel() -> Open:
    """Opens the panel: `open_panel(snapshot, size=(80, 24), read_only=False)`."""

    @asynccontextmanager
    async def opened(
        snapshot: Snapshot | None = PRODUCT, *, size: tuple[int, int] = (80, 24), **options: object
    ) -> AsyncIterator[Panel]:
        host = FakeHost(snapshot)
        app = host.app(**options)
        async with app.run_test(size=size) as pilot:
            while snapshot is not None and host.looks == 0:
                await pilot.pause()
            await pilot.pause()
            yield Panel(host, app, pilot)

    return opened
