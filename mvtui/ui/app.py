"""The panel as a whole: looks at the host, hands the picture down, takes the keys."""

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual._path import CSSPathType
from textual.binding import BindingType
from textual.events import Event, Key
from textual.screen import Screen

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.host.themes import Themes, read_themes
from mvtui.model.microvm import Snapshot
from mvtui.model.theme import AUTO, DARK
from mvtui.model.timeline import Timeline
from mvtui.ui.abilities import ALL, Abilities
from mvtui.ui.command import Place
from mvtui.ui.commands import TABS, bindings, command, hint
from mvtui.ui.copy_acting import CopyApp
from mvtui.ui.driver import PanelDriver
from mvtui.ui.keymap import declared_keys, textual_keymap
from mvtui.ui.keys import Keys
from mvtui.ui.palette import Offer
from mvtui.ui.picture import Picture
from mvtui.ui.screens.panel_screen import PanelScreen
from mvtui.ui.seams import Seams
from mvtui.ui.tabs.drift import DRIFT, no_drift_words

if TYPE_CHECKING:
    from mvtui.operations.doctor import HostReport

_SEAMS = Seams()
_NO_KEYS: Keys = {}


def _collect_garbage() -> None:
    """From now on. What stands when the panel does, stays: the collector need not walk through it at each key."""
    gc.freeze()
    gc.enable()


class MvtuiApp(CopyApp, inherit_bindings=False):
    """`host` is looked at every `interval` seconds; with `read_only`, nothing can be changed and `W` does not help.
    `theme` is the one that is wanted, `automatic` the terminal's, `own_colours` why it can show no others than its own;
    `names` are painted before the first look; `mouse`: the terminal reports it; `abilities` are the terminal's; `keys`:
    those of commands that have others than they come with, as `keymap.checked_keys` gives them. The rest is what tests
    replace."""

    # Textual reads no style sheet of a default screen by itself.
    CSS_PATH: ClassVar[CSSPathType | None] = ["app.tcss", "screens/panel_screen.tcss"]
    TITLE = "mvtui"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.PANEL))

    def __init__(
        self,
        host: Host,
        *,
        read_only: bool = False,
        interval: float = 2.0,
        ascii_only: bool = False,
        theme: str = AUTO,
        automatic: str = DARK,
        own_colours: str = "",
        themes: Callable[[], Themes] = read_themes,
        names: Sequence[str] = (),
        mouse: bool = True,
        abilities: Abilities = ALL,
        keys: Keys = _NO_KEYS,
        seams: Seams = _SEAMS,
    ) -> None:
        self.dress(theme, automatic, own_colours, themes)
        super().__init__(driver_class=PanelDriver)
        self.animation_level = "none"
        self.keys = {**declared_keys(), **keys}
        self.set_keymap(textual_keymap(self.keys))
        self.host, self.seams = host, seams
        self.begin_drafts()
        self.ascii_only = ascii_only
        self.mouse = mouse
        self.abilities = abilities
        self._names = names
        self.begin_looking(interval)
        self.begin_rebuilds()
        first = Picture(
            host.name,
            seams.now(),
            read_only=read_only,
            locked=read_only,
            can_cancel=host.units.can_cancel,
        )
        self.set_reactive(MvtuiApp.picture, first)

    def get_default_screen(self) -> Screen[None]:
        """The one that there is."""
        logs = partial(self.seams.logs, self.host)
        read = self.seams.timeline(self.host)

        async def timeline(microvm: str, mark: object) -> Timeline:
            return await self.seams.in_thread(read, microvm, mark)

        screen = PanelScreen(self._names, self.seams.monotonic, self._trends, logs, timeline, self.abilities)
        return screen.data_bind(MvtuiApp.picture)

    def on_mount(self) -> None:
        """Begin to look."""
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
                loop.add_signal_handler(number, self._on_signal, number)
        if self.theme_said:
            more = f" ({hint('doctor', self.keys)}: more)" if self.tells_more_of_themes else ""
            self.say(f"{self.theme_said}{more}", "warning")
        # What it imports can wait until the first frame stands.
        self.call_after_refresh(self.run_worker, self._look, name="look", group="look")
        self.set_interval(1.0, self._tick)
        self.set_timer(1.0, _collect_garbage)

    def on_resize(self) -> None:
        """A terminal that was smaller for a moment has lost what had no room."""
        self.panel.repaint()

    async def on_unmount(self) -> None:
        """Let go of the host; what runs on it runs on."""
        await self.host.units.close()
        self.host.processes.close()

    def _on_signal(self, number: signal.Signals) -> None:
        """End with the terminal restored; ^c and ^\\ while another has the terminal are its."""
        if number not in (signal.SIGINT, signal.SIGQUIT) or not self.lent:
            self.leave_drafts()
            self.exit(return_code=128 + number)

    # The keys

    async def on_event(self, event: Event) -> None:
        """A key that comes back unused from a level is meant for what was opened since: in `/S`, typed fast, S is no
        start."""
        if not (isinstance(event, Key) and event.is_forwarded and self.panel.keep_early(event)):
            await super().on_event(event)

    def action_start(self) -> None:
        """Start what is selected or marked."""
        self.use(command("start"))

    def action_stop(self) -> None:
        """Stop it."""
        self.use(command("stop"))

    def action_restart(self) -> None:
        """Restart it."""
        self.use(command("restart"))

    def action_kill(self) -> None:
        """Kill it."""
        self.use(command("kill"))

    def action_cancel(self) -> None:
        """Call off what is under way on it."""
        self.use(command("cancel"))

    def _open_tab(self, tab: str) -> None:
        microvm = self.panel.selected
        if microvm is not None and not self.panel.asks:
            self.panel.open_page(microvm.name, tab)

    def action_tab_overview(self) -> None:
        """Its overview."""
        self._open_tab(TABS[0])

    def action_tab_shares(self) -> None:
        """Its shares."""
        self._open_tab(TABS[1])

    def action_tab_volumes(self) -> None:
        """Its volumes."""
        self._open_tab(TABS[2])

    def action_tab_processes(self) -> None:
        """Its processes."""
        self._open_tab(TABS[3])

    def action_tab_logs(self) -> None:
        """Its logs."""
        self._open_tab(TABS[4])

    def action_tab_timeline(self) -> None:
        """What happened to it."""
        self._open_tab(TABS[5])

    def action_drift(self) -> None:
        """Where its stages differ."""
        microvm = self.panel.selected
        if microvm is None or self.panel.asks:
            return
        self.panel.open_page(microvm.name, TABS[0], DRIFT)
        if not microvm.drift:
            self.say(no_drift_words(microvm), "text")

    def action_palette(self) -> None:
        """Find an action, a theme or a microVM."""
        if not self.panel.asks:
            self.panel.open_palette(self._do, self.theme_offers)

    def _do(self, wanted: Offer) -> None:
        """What the palette chose."""
        if wanted.command is not None:
            self.call_later(self._run_where_it_works, wanted.command.id)
        elif wanted.theme:
            self.run_worker(self._wear(wanted.theme), name="theme", group="theme")

    async def _wear(self, theme: str) -> None:
        try:
            said = self.wear(theme, await self.seams.in_thread(self.read_themes))
        except MvtuiError as error:
            said = str(error), "error"
        self.say(*said)

    async def _run_where_it_works(self, id: str) -> None:  # noqa: A002
        """As its key would: what has the focus, or what that is in, has the action."""
        nodes = self.panel.focused.ancestors_with_self if self.panel.focused is not None else [self.panel.level]
        await self.run_action(id, next((node for node in nodes if hasattr(node, f"action_{id}")), self))

    def action_help(self) -> None:
        """Show the keys."""
        if not self.panel.asks:
            self.panel.open_help()

    def action_doctor(self) -> None:
        """Check the host."""
        if not self.panel.asks:
            self.panel.open_doctor(self._examine)

    async def _examine(self, snapshot: Snapshot) -> "HostReport":
        report = await self.seams.examine(self.host, snapshot)
        return report._replace(findings=(*report.findings, *self.theme_findings))

    def action_calls(self) -> None:
        """Show what mvtui called."""
        if not self.panel.asks:
            self.panel.open_calls(lambda: self.host.calls.calls)

    def action_toggle_read_only(self) -> None:
        """Read-only on and off."""
        picture = self.shown
        refusal = command("toggle_read_only").refusal(picture.situation(None))
        if refusal:
            self.say(refusal, "warning")
        else:
            words = "read-write" if picture.read_only else "read-only: nothing can be changed"
            self.update(read_only=not picture.read_only, message=((words, "text"),))

    def action_toggle_pause(self) -> None:
        """Stand still, or go on."""
        paused, toggle = not self.shown.paused, hint("toggle_pause", self.keys)
        self.update(paused=paused, message=((f"paused: {toggle} goes on", "text"),) if paused else ())
        self.look_soon()

    def action_look(self) -> None:
        """Look now, and paint everything anew: a `wall` message may have written over the panel."""
        self.panel.repaint()
        self._look_once = True
        self.look_soon()

    def action_toggle_mouse(self) -> None:
        """Let the terminal report the mouse, or leave it to the terminal's own selecting."""
        self.mouse = not self.mouse
        driver = self._driver
        if isinstance(driver, PanelDriver):
            driver.report_mouse(self.mouse)
        self.say("the mouse works here" if self.mouse else "the mouse is the terminal's", "text")

    def action_suspend(self) -> None:
        """Back to the shell, until that lets it go on."""
        driver = self._driver
        if isinstance(driver, PanelDriver) and not driver.stop_with_group():
            self.say("no shell began mvtui: nobody would let it go on", "warning")

    def action_leave(self) -> None:
        """Leave what stands above the list, one after the other; nothing is asked any more that was on its way."""
        self.stop_planning()
        self.panel.leave()

    async def action_back(self) -> None:
        """Back to the list; from there, out."""
        if not self.panel.asks and not self.panel.close_page():
            self.end_panel()

    async def action_quit(self) -> None:
        """Out, from everywhere."""
        self.end_panel()
