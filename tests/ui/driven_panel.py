"""The panel of a fake host, driven by commands on a pipe."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

from textual._context import active_app
from textual.app import App
from textual.pilot import Pilot

from mvtui.errors import RightsMissingError
from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot
from mvtui.ui.app import MvtuiApp
from mvtui.ui.run import run_panel
from mvtui.ui.trends import SLOT_SECONDS, SLOTS
from tests.ui.busy_host import BUSY, at_work, with_cpu
from tests.ui.fake_host import FakeHost
from tests.ui.scenes import SCENES, Play, Scene, have_pasts, host_of

MARK = "\x1b]7777\x07"


def crash() -> None:
    """As a bug does."""
    raise ZeroDivisionError("a bug")


class DrivenPanel:
    """Reads commands from `pipe`; what they have painted is followed by MARK on the terminal.

    `tick` looks again and sees the same, `change N` sees another load on the last N microVMs, `work` sees other values
    of every process, `past` has a past of five minutes, `pass N` lets N seconds pass, `slot` all until the next figure
    of that past is due, `press KEY …` presses keys (as Textual names them) and lets what they cause happen, `refuse`
    ends the last verb for want of rights, `play` leads into the scene of that name, `crash` is a bug, `end` ends the
    panel.
    """

    def __init__(self, pipe: int, *, waits: bool = False, scene: str = "") -> None:
        self.pipe = pipe
        self.scene = SCENES.get(scene, Scene(BUSY))
        self.fake = host_of(self.scene) if not waits else FakeHost(None)
        self.fake.after_look = self.mark_look
        self.marked = self.shown = self.scene.snapshot
        self.percent = 20.0
        self.looks = 0
        self.pressing: asyncio.Task[None] | None = None

    def run(self) -> int:
        """Until the panel is left; its exit code."""
        return run_panel(self.host, seams=replace(self.fake.seams, source=self.source))

    @property
    def host(self) -> Host:
        """The one that is shown."""
        return self.fake.host

    def source(self, host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
        asyncio.get_running_loop().add_reader(self.pipe, self.read)
        return self.fake.snapshots(host, interval=interval, wake=wake)

    def read(self) -> None:
        for line in os.read(self.pipe, 4096).decode().splitlines():
            verb, _, argument = line.partition(" ")
            if verb in ("press", "play"):
                work = self.press(argument.split()) if verb == "press" else self.play()
                self.pressing = asyncio.get_running_loop().create_task(work)
                continue
            if verb == "end":
                asyncio.get_running_loop().remove_reader(self.pipe)
                active_app.get().exit()
                return
            if verb == "crash":
                active_app.get().call_later(crash)
                continue
            if verb == "change":
                self.change(int(argument))
            elif verb == "work":
                self.looks += 1
                self.shown = at_work(BUSY, self.looks)
            elif verb == "past":
                self.past()
            elif verb == "pass":
                self.fake.passes(seconds=float(argument))
            elif verb == "slot":
                self.fake.passes(seconds=SLOT_SECONDS - self.fake.seconds % SLOT_SECONDS + 0.01)
            elif verb == "refuse":
                self.fake.fail(*self.fake.asked[-1], RightsMissingError("polkit refused it", "be root"))
            # Equal, and not the same object: as a real look yields it.
            self.fake.tell(self.shown._replace(microvms=tuple(one._replace() for one in self.shown.microvms)))

    async def press(self, keys: list[str]) -> None:
        """Each key after all messages of the one before it; the deaf time of a question is over at once."""
        app: App[object] = active_app.get()
        pilot = Pilot(app)
        for key in keys:
            app.simulate_key(key)
            for _ in range(2):
                await pilot._wait_for_screen()
            self.fake.passes(seconds=0.4)
        self.mark()

    async def play(self) -> None:
        app: App[None] = active_app.get()
        assert isinstance(app, MvtuiApp)
        have_pasts(app, self.fake, self.scene)
        await Play(self.fake, self.scene)(Pilot(app))
        assert self.fake.last is not None
        self.marked = self.shown = self.fake.last
        self.mark()

    def change(self, count: int) -> None:
        self.percent += 1.3
        before = self.shown.microvms
        last = tuple(with_cpu(one, self.percent) for one in before[-count:])
        self.shown = self.shown._replace(microvms=(*before[:-count], *last))

    def past(self) -> None:
        app = active_app.get()
        assert isinstance(app, MvtuiApp)
        for look in range(SLOTS):
            self.fake.passes(seconds=SLOT_SECONDS)
            app._trends.take(at_work(BUSY, look).microvms, self.fake.seconds)

    def mark_look(self) -> None:
        """What was told on the pipe has been seen; a look that a key asked for sees the same again."""
        if self.fake.last is not None and self.fake.last is not self.marked:
            self.marked = self.fake.last
            self.mark()

    def mark(self) -> None:
        app: App[object] = active_app.get()
        driver = app._driver
        assert driver is not None
        app.call_after_refresh(driver.write, MARK)


if __name__ == "__main__":
    raise SystemExit(DrivenPanel(int(sys.argv[1])).run())
