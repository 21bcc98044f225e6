"""The panel as a whole: looks at the host, hands the picture down, runs what is asked for."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from textual._path import CSSPathType
from textual.app import App
from textual.binding import BindingType
from textual.reactive import var
from textual.screen import Screen
from textual.theme import Theme

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.text import clean
from mvtui.model.unit import UnitStatus, UnitVerb
from mvtui.ui import jobs, questions, themes
from mvtui.ui.commands import Command, Place, Tier, bindings, command
from mvtui.ui.driver import PanelDriver
from mvtui.ui.picture import Job, Picture
from mvtui.ui.screens.list_screen import ListScreen
from mvtui.ui.seams import Seams

# After so many intervals without a look, the picture is old.
STALE_INTERVALS = 3
# So long, what came of a command is shown.
MESSAGE_SECONDS = 30.0

_SEAMS = Seams()


def _collect_garbage() -> None:
    """From now on. What stands when the panel does, stays: the collector need not walk through it at each key."""
    gc.freeze()
    gc.enable()


class MvtuiApp(App[None], inherit_bindings=False):
    """`host` is looked at every `interval` seconds; with `read_only`, nothing can be changed and `W` does not help.
    `theme` is a name of `themes/`; `names` are painted before the first look. The rest is what tests replace."""

    # Textual reads no style sheet of a default screen by itself.
    CSS_PATH: ClassVar[CSSPathType | None] = ["app.tcss", "screens/list_screen.tcss"]
    TITLE = "mvtui"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.PANEL))

    # Never compared: that would walk through the whole snapshot.
    picture: var[Picture | None] = var(None, always_update=True)

    def __init__(
        self,
        host: Host,
        *,
        read_only: bool = False,
        interval: float = 2.0,
        ascii_only: bool = False,
        theme: str = themes.DEFAULT,
        names: Sequence[str] = (),
        seams: Seams = _SEAMS,
    ) -> None:
        # The theme before App.__init__: chosen later, NO_COLOR is black on black.
        self._themes = themes.load().loaded
        if theme not in self._themes:
            raise MvtuiError(f"there is no usable theme {theme!r} in {themes.folder()}", "install mvtui again")
        self.set_reactive(App.theme, theme)
        super().__init__(driver_class=PanelDriver)
        self.animation_level = "none"
        self.host = host
        self.ascii_only = ascii_only
        self._interval = interval
        self._names = names
        self._seams, self._now = seams, seams.now
        self._wake = asyncio.Event()
        self._looked_at: datetime | None = None
        self._look_once = False
        self._said_at = 0.0
        self._suspended = False
        self.set_reactive(MvtuiApp.picture, Picture(host.name, seams.now(), read_only=read_only, locked=read_only))

    @property
    def available_themes(self) -> dict[str, Theme]:
        """The panel's own, and Textual's."""
        return {**super().available_themes, **self._themes}

    def get_default_screen(self) -> Screen[None]:
        """The list."""
        return ListScreen(self._names, self._seams.monotonic).data_bind(MvtuiApp.picture)

    @property
    def list_screen(self) -> ListScreen:
        """The screen that stands at the bottom of all."""
        screen = self.screen
        assert isinstance(screen, ListScreen)
        return screen

    @property
    def _picture(self) -> Picture:
        assert self.picture is not None
        return self.picture

    def on_mount(self) -> None:
        """Begin to look."""
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(number, self._on_signal, number)
        self.run_worker(self._look(), name="look", group="look")
        self.set_interval(1.0, self._tick)
        self.set_timer(1.0, _collect_garbage)

    async def on_unmount(self) -> None:
        """Let go of the host; what runs on it runs on."""
        await self.host.units.close()
        self.host.processes.close()

    def _on_signal(self, number: signal.Signals) -> None:
        """End with the terminal restored; ^c while sudo has the terminal is sudo's."""
        if number is not signal.SIGINT or not self._suspended:
            self.exit(return_code=128 + number)

    # Looking

    async def _look(self) -> None:
        while True:
            try:
                async for snapshot in self._seams.source(self.host, interval=self._interval, wake=self._wake):
                    self._take(snapshot)
            except MvtuiError as error:
                self._say(str(error), "error")
                await asyncio.sleep(self._interval)

    def _take(self, snapshot: Snapshot) -> None:
        if self._picture.paused and not self._look_once:
            return
        self._look_once = False
        self._looked_at = self._now()
        self._update(snapshot=snapshot)

    def _tick(self) -> None:
        """What changes without a look: the clock, how old the picture is, and that a message has been read."""
        picture, now = self._picture, self._now()
        if picture.message and self._seams.monotonic() - self._said_at >= MESSAGE_SECONDS:
            self._update(message=())
        stale = self._stale_since(picture.snapshot, now)
        if stale is not None or stale != picture.stale_since or f"{now:%H:%M}" != f"{picture.now:%H:%M}":
            self._update()

    def _stale_since(self, snapshot: Snapshot | None, now: datetime) -> datetime | None:
        if snapshot is None or self._looked_at is None:
            return None
        if now - self._looked_at > STALE_INTERVALS * timedelta(seconds=self._interval):
            return self._looked_at
        return snapshot.units_stale_since

    def _update(self, **changes: object) -> None:
        """A new picture, of now."""
        now = self._now()
        if "message" in changes:
            self._said_at = self._seams.monotonic()
        picture = replace(self._picture, now=now, **changes)  # type: ignore[arg-type]
        self.picture = replace(picture, stale_since=self._stale_since(picture.snapshot, now))

    def _say(self, text: str, role: str) -> None:
        self._update(message=((clean(text), role),))

    # Acting

    def _use(self, id: str) -> None:  # noqa: A002
        """Do the command with the selected microVM, or ask first, or say why not."""
        screen, wanted = self.list_screen, command(id)
        microvm = screen.selected
        if screen.asks:
            return  # the focus has not reached the dialog yet
        if wanted.verb is UnitVerb.STOP and microvm is not None and self._stops_long(microvm):
            kill = partial(self._offer, command("kill"), microvm)
            screen.ask(questions.takes_long(microvm, self.host.name, self._now(), kill))
        else:
            self._offer(wanted, microvm)

    def _offer(self, wanted: Command, microvm: MicroVM | None) -> None:
        refusal = wanted.refusal(self._picture.situation(microvm))
        if refusal or microvm is None or wanted.verb is None:
            self._say(refusal, "warning")
            return
        act = partial(self._begin, wanted, microvm.name)
        host, now = self.host.name, self._now()
        if wanted.tier is Tier.FREE:
            act()
        elif wanted.tier is Tier.ASK:
            self.list_screen.ask(questions.may_act(wanted.verb, microvm, host, now, act))
        else:
            from mvtui.ui.widgets.kill_panel import KillPanel  # noqa: PLC0415  (Input takes long to import)

            self.list_screen.open_panel(KillPanel(microvm.name, host, questions.uptime(microvm, now), act))

    def _stops_long(self, microvm: MicroVM) -> bool:
        job = self._picture.job(UnitVerb.STOP, microvm.name)
        may_kill = not command("kill").refusal(self._picture.situation(microvm))
        return may_kill and questions.stops_long(microvm, job.since if job is not None else None, self._now())

    def _begin(self, wanted: Command, name: str) -> None:
        """Start the job, if it may still be: the host may have changed since the question."""
        snapshot = self._picture.snapshot
        microvm = snapshot.find(name) if snapshot is not None else None
        refusal = wanted.refusal(self._picture.situation(microvm)) if microvm is not None else f"{name} is gone"
        if refusal or wanted.verb is None:
            self._say(refusal, "warning")
            return
        self._work(self._run(wanted.verb, name), wanted.verb, name)

    def _work(self, work: Awaitable[None], verb: UnitVerb, name: str) -> None:
        self._update(jobs=(*self._picture.jobs, Job(verb, name, self._now())), message=())
        self.run_worker(work, name=f"{verb} {name}", group=f"{verb} {name}")

    async def _run(self, verb: UnitVerb, name: str) -> None:
        on_progress = partial(self._on_progress, verb, name)
        end = await jobs.run(self.host, verb, name, on_progress, self._seams.run)
        self._end(verb, name, end)
        if end.lacks_rights and not self.list_screen.asks:
            act = partial(self._begin_with_sudo, verb, name)
            self.list_screen.ask(questions.may_sudo(verb, name, self.host.name, act))

    def _begin_with_sudo(self, verb: UnitVerb, name: str) -> None:
        self._work(self._run_with_sudo(verb, name), verb, name)

    async def _run_with_sudo(self, verb: UnitVerb, name: str) -> None:
        self._end(verb, name, await jobs.run_with_sudo(self.host, verb, name, self._terminal_lent))

    def _on_progress(self, verb: UnitVerb, name: str, units: tuple[UnitStatus, ...]) -> None:
        job = self._picture.job(verb, name)
        if job is not None:
            others = tuple(one for one in self._picture.jobs if one is not job)
            self._update(jobs=(*others, replace(job, units=units)))

    def _end(self, verb: UnitVerb, name: str, end: jobs.JobEnd) -> None:
        left = tuple(job for job in self._picture.jobs if (job.verb, job.microvm) != (verb, name))
        self._update(jobs=left, message=((clean(end.words), "good" if end.ok else "error"),))
        self._wake.set()

    @contextmanager
    def _terminal_lent(self) -> Iterator[None]:
        """Within, the terminal is another's: nothing is painted, though the panel goes on looking."""
        self._suspended = True
        try:
            with self.batch_update(), self.suspend():
                yield
        finally:
            self._suspended = False

    # The keys

    def action_start(self) -> None:
        """Start the selected microVM."""
        self._use("start")

    def action_stop(self) -> None:
        """Stop it."""
        self._use("stop")

    def action_restart(self) -> None:
        """Restart it."""
        self._use("restart")

    def action_toggle_read_only(self) -> None:
        """Read-only on and off."""
        picture = self._picture
        if picture.locked:
            self._say("read-only: --read-only locks it", "warning")
        else:
            words = "read-write" if picture.read_only else "read-only: nothing can be changed"
            self._update(read_only=not picture.read_only, message=((words, "text"),))

    def action_toggle_pause(self) -> None:
        """Stand still, or go on."""
        paused = not self._picture.paused
        self._update(paused=paused, message=(("paused: p goes on", "text"),) if paused else ())
        self._wake.set()

    def action_look(self) -> None:
        """Look now."""
        self._look_once = True
        self._wake.set()

    def action_help(self) -> None:
        """Show the keys."""
        if not self.list_screen.asks:
            self.list_screen.open_help()
