"""The second level: one microVM, in tabs that are built at their first visit."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Key

from mvtui.host.ports import Logs
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.model.timeline import EventGroup
from mvtui.ui.command import Place
from mvtui.ui.commands import TABS, bindings, hint
from mvtui.ui.keys import Keys
from mvtui.ui.lines import in_ascii
from mvtui.ui.picture import Picture
from mvtui.ui.questions import Question
from mvtui.ui.tabs import overview, processes, shares, timeline, volumes
from mvtui.ui.tabs.page import Entry, Page, Tab
from mvtui.ui.timelines import ReadTimeline, Timelines
from mvtui.ui.trends import Trends
from mvtui.ui.widgets.process_sheet import ProcessSheet
from mvtui.ui.widgets.sheet import Sheet
from mvtui.ui.widgets.tab_bar import TabBar
from mvtui.ui.widgets.timeline_sheet import TimelineSheet

if TYPE_CHECKING:
    from mvtui.ui.widgets.log_view import LogView

_TABS: dict[str, Tab] = {
    "overview": overview.entries,
    "shares": shares.entries,
    "volumes": volumes.entries,
    "processes": processes.entries,
    "timeline": timeline.entries,
}


# The tab that is no sheet.
LOGS = "logs"
TIMELINE = "timeline"
PROCESSES = "processes"


class Opener(Protocol):
    """What opens above the page, and where its logs are."""

    def open_logs(self, microvm: str) -> Logs:
        """What that microVM has logged."""

    def ask_for_list(self, question: Question) -> None:
        """A question that a tab has."""

    def type_search(self, view: "LogView") -> None:
        """What is searched for in a log is to be typed."""

    def passes(self, event: Key) -> None:
        """A key is on its way to the bindings."""


class PageLevel(Vertical):
    """The bar of tabs, and the one that is open."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.PAGE))

    def __init__(
        self, trends: Trends, opener: Opener, read_timeline: ReadTimeline, monotonic: Callable[[], float]
    ) -> None:
        # The tabs' sheets come when they are visited.
        self._bar = TabBar(TABS)
        super().__init__(self._bar)
        self._trends = trends
        self._opener = opener
        self._sheets: dict[str, Sheet] = {}
        self._logs: LogView | None = None
        self._timelines = Timelines(
            read_timeline, lambda work: self.run_worker(work, group="timeline"), self._present_again, monotonic
        )
        self._picture: Picture | None = None
        self._keys: Keys = {}
        self._events: EventGroup | None = None
        self.microvm_name = ""

    def on_key(self, event: Key) -> None:
        """What is opened until it reaches the bindings gets it instead of them."""
        self._opener.passes(event)

    @property
    def targets(self) -> tuple[MicroVM, ...]:
        """The microVM, where it is still there."""
        microvm = self._picture.find(self.microvm_name) if self._picture is not None else None
        return (microvm,) if microvm is not None else ()

    @property
    def under_cursor(self) -> tuple[str, str | None]:
        """The tab that is open, and the key of the entry under its cursor."""
        sheet = self._sheets.get(self._bar.chosen)  # the log is none
        return self._bar.chosen, sheet.cursor_key if sheet is not None else None

    def open(self, name: str, tab: str, picture: Picture | None) -> None:
        """Show that tab of that microVM; it takes the focus."""
        if name != self.microvm_name:
            self.microvm_name = name
            for sheet in self._sheets.values():
                sheet.begin()
        self._bar.choose(tab)
        if tab == LOGS:
            self._open_logs()
        else:
            self.close()
            if tab not in self._sheets:
                self._sheets[tab] = self._sheet(tab)
                self.mount(self._sheets[tab])
        for other, sheet in self._sheets.items():
            sheet.display = other == tab
        if picture is not None:
            self.present(picture)
        self.take_focus()

    def _sheet(self, tab: str) -> Sheet:
        if tab == PROCESSES:
            return ProcessSheet()
        return self._timeline_sheet() if tab == TIMELINE else Sheet()

    def _timeline_sheet(self) -> Sheet:
        def choose(group: EventGroup | None) -> None:
            self._events = group
            self._sheets[TIMELINE].begin()
            self._present_again()

        return TimelineSheet(self._opener.ask_for_list, choose)

    def _open_logs(self) -> None:
        if self._logs is None:
            from mvtui.ui.widgets.log_view import LogView  # noqa: PLC0415  (at the first visit)

            opener = self._opener
            self._logs = LogView(opener.open_logs, opener.ask_for_list, opener.type_search)
            self.mount(self._logs.title, self._logs)
        elif self._logs.display and self._logs.microvm == self.microvm_name:
            return  # it is open
        self._logs.display = self._logs.title.display = True
        self._logs.open(self.microvm_name)

    def close(self) -> None:
        """It goes out of sight: what only shows nobody is not read."""
        if self._logs is not None:
            self._logs.display = self._logs.title.display = False
            self._logs.stop()

    def show_section(self, section: str) -> None:
        """Bring that section of the tab that is open into sight."""
        self._sheets[self._bar.chosen].show(section)

    def take_focus(self) -> None:
        """The keys are the tab's."""
        logs = self._logs if self._bar.chosen == LOGS else None
        self.screen.set_focus(logs if logs is not None else self._sheets[self._bar.chosen])

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        self._picture = picture
        if self._bar.chosen == TIMELINE and self.targets:
            self._timelines.want(self.targets[0], picture)
        if self._bar.chosen != LOGS:
            self._sheets[self._bar.chosen].present(self._entries)
        elif self._logs is not None:
            self._logs.present(picture.now, paused=picture.paused)

    def _present_again(self) -> None:
        if self._picture is not None and self._bar.chosen == TIMELINE:
            self._sheets[TIMELINE].present(self._entries)

    def show_keys(self, keys: Keys) -> None:
        """These work from now on."""
        self._bar.show_keys(keys)
        if keys != self._keys:
            self._keys = keys
            if self._logs is not None:
                self._logs.show_keys(keys)
            if self._picture is not None:
                self.present(self._picture)

    def _entries(self, width: int, cursor: str | None) -> list[Entry]:
        picture = self._picture
        microvm = self.targets[0] if self.targets else None
        if picture is None or microvm is None:
            gone = f"{clean(self.microvm_name)} is no longer on this host. {hint('leave', self._keys)} goes back."
            return [Entry(((), (("  ", "text"), (gone, "warning"))))]
        told = self._timelines.of(microvm)
        tab = self._bar.chosen
        unfolded, ascii_only = self._sheets[tab].unfolded, in_ascii(self.app)
        page = Page(microvm, picture.now, self._trends, ascii_only, cursor, self._keys, unfolded, told, self._events)
        return _TABS[tab](page, width)

    @on(TabBar.Chosen)
    def _choose(self, event: TabBar.Chosen) -> None:
        self.open(self.microvm_name, event.tab, self._picture)

    def action_tab_previous(self) -> None:
        """The tab at the left, from the first one the last."""
        self._turn(-1)

    def action_tab_next(self) -> None:
        """The tab at the right, from the last one the first."""
        self._turn(1)

    def _turn(self, step: int) -> None:
        tab = TABS[(TABS.index(self._bar.chosen) + step) % len(TABS)]
        self.open(self.microvm_name, tab, self._picture)
