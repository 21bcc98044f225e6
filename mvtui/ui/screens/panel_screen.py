"""The one screen: header, the level that is open, status, footer; dialogs are docked over the foot."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.events import DescendantFocus
from textual.reactive import var
from textual.screen import Screen
from textual.widget import Widget

from mvtui.host.ports import Logs
from mvtui.model.call import Call
from mvtui.model.microvm import MicroVM
from mvtui.model.output import OutputLines
from mvtui.ui.command import Command, Situation
from mvtui.ui.commands import TABS
from mvtui.ui.keys import Keys, live_keys
from mvtui.ui.painting import PanelCompositor
from mvtui.ui.palette import Offer, offers
from mvtui.ui.picture import Picture
from mvtui.ui.questions import Question
from mvtui.ui.reading import Reading
from mvtui.ui.screens.list_level import ListLevel
from mvtui.ui.timelines import ReadTimeline
from mvtui.ui.trends import Trends
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.footer import Footer
from mvtui.ui.widgets.header import Header
from mvtui.ui.widgets.microvm_list import MicroVMList
from mvtui.ui.widgets.question import QuestionPanel
from mvtui.ui.widgets.status import Status

if TYPE_CHECKING:
    from mvtui.ui.copyables import Copyable
    from mvtui.ui.forms.desk import Desk, Wanted
    from mvtui.ui.screens.page_level import PageLevel
    from mvtui.ui.widgets.doctor_panel import Examine
    from mvtui.ui.widgets.log_view import LogView
    from mvtui.ui.widgets.output_panel import Told


class PanelScreen(Screen[None], inherit_bindings=False):
    """Two levels: the list, and over it the page of one microVM."""

    AUTO_FOCUS = "MicroVMList"
    # Textual declares them as an instance's.
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-tiny"), (8, "-low"), (20, "-tall"), (40, "-high")]  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012

    picture: var[Picture | None] = var(None, always_update=True)

    def __init__(
        self,
        names: Sequence[str],
        monotonic: Callable[[], float],
        trends: Trends,
        open_logs: Callable[[str], Logs],
        read_timeline: ReadTimeline,
    ) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._open_logs, self._read_timeline = open_logs, read_timeline
        self._painter = self._compositor = PanelCompositor()
        self._trends = trends
        self._header = Header()
        self._list = ListLevel(names, trends, self)
        self._page: PageLevel | None = None
        self._status = Status()
        self._footer = Footer()
        self._question = QuestionPanel(monotonic)
        self._dialog: Dialog | None = None
        self._keys: Keys = {}

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield from (self._header, self._list, self._status, self._footer, self._question)

    def on_mount(self) -> None:
        """Follow the keymap; when the terminal was another's, paint it anew."""
        self.bindings_updated_signal.subscribe(self, lambda _: self._show_keys())
        self.app.app_resume_signal.subscribe(self, lambda _: self.repaint())

    def repaint(self) -> None:
        """Anything may stand on the terminal: paint all of it."""
        self._painter.forget()
        self.refresh()

    @property
    def opened(self) -> str | None:
        """The microVM whose page is open."""
        return self._header.opened

    @property
    def level(self) -> "ListLevel | PageLevel":
        """What is open."""
        return self._page if self._page is not None and self.opened is not None else self._list

    @property
    def targets(self) -> tuple[MicroVM, ...]:
        """What commands mean: the one whose page is open, else the marked ones, else the selected one."""
        return self.level.targets

    @property
    def selected(self) -> MicroVM | None:
        """The microVM under the cursor of the list, or the one whose page is open."""
        if self.opened is None:
            return self._list.list.selected
        return self.targets[0] if self.targets else None

    @property
    def under_cursor(self) -> tuple[str, str | None]:
        """The tab that is open ("" on the list), and the key of the entry under its cursor."""
        return self._page.under_cursor if self._page is not None and self.opened is not None else ("", None)

    @property
    def asks(self) -> bool:
        """True while a question or a panel is open: nothing else may happen."""
        return self._question.question is not None or self._dialog is not None

    @property
    def situations(self) -> list[Situation]:
        """What decides which commands can be used on what they mean; one without a microVM where they mean none."""
        return [self.situation(microvm) for microvm in self.targets] or [self.situation(None)]

    def situation(self, microvm: MicroVM | None) -> Situation:
        """What decides which commands can be used on this one."""
        return self.picture.situation(microvm, self._keys) if self.picture is not None else Situation(None)

    # Showing

    def watch_picture(self, picture: Picture | None) -> None:
        """Show it."""
        if picture is None:
            return
        self._header.present(picture)
        self.level.present(picture)
        self._status.present(picture)
        self._show_selected()

    @on(MicroVMList.Moved)
    @on(MicroVMList.Arranged)
    def _show_selected(self) -> None:
        """What follows from the cursor, the filter and the marks."""
        self._footer.show_keys(self._keys, self.situations)
        self._header.show_list(self._list.list)

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        """Other keys work on another level."""
        self._show_keys()

    def _show_keys(self) -> None:
        """Show those that work now; a dialog shows those of the level below it."""
        if self.focused is None or self.level not in self.focused.ancestors:
            return
        keys = live_keys(self)
        if keys != self._keys:
            self._keys = keys
            self.level.show_keys(keys)
            self._show_selected()

    # Levels

    def open_page(self, name: str, tab: str = TABS[0], section: str = "") -> None:
        """Show a tab of the page of a microVM, with that section of it in sight."""
        from mvtui.ui.screens.page_level import PageLevel  # noqa: PLC0415  (at the first visit)

        if self._page is None:
            self._page = PageLevel(self._trends, self, self._read_timeline, self._monotonic)
            self.mount(self._page, after=self._list)
        self._header.opened = name
        self._list.display, self._page.display = False, True
        self._page.open(name, tab, self.picture)
        self.watch_picture(self.picture)
        if section:
            self._page.show_section(section)

    def close_page(self) -> bool:
        """Back to the list; False where that is open."""
        if self._page is None or self.opened is None:
            return False
        self._header.opened = None
        self._page.close()
        self._list.display, self._page.display = True, False
        self._list.take_focus()
        self.watch_picture(self.picture)
        return True

    def unmark(self) -> None:
        """Drop the marks."""
        self._list.unmark()

    def leave(self) -> None:
        """Leave a dialog that has lost the keys, the filter, the marks, the page, whichever comes first."""
        if self.asks:
            self._question.leave()
            if self._dialog is not None and self._dialog.is_changed:
                self._dialog.take_focus()
            else:
                self._close(self._dialog)
        elif self.opened is not None:
            self.close_page()
        elif not self._list.show_all():
            self._list.unmark()

    def open_selected(self) -> None:
        """Show the page of the selected one, unless something is asked."""
        if self.selected is not None and not self.asks:
            self.open_page(self.selected.name)

    # Dialogs

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """Something that is open always has it while the terminal has it, or no key would lead anywhere. Textual takes
        it away at a click beside the screen (of a terminal that has just become smaller), and gives it to a panel that
        was closed before it stood there."""
        parts = (self._list, self._page, self._question, self._dialog)
        is_open = widget is not None and any(part in widget.ancestors_with_self for part in parts)
        if is_open or not self.app.app_focus:
            super().set_focus(widget, scroll_visible, from_app_focus)

    def ask_for_list(self, question: Question) -> None:
        """Ask it, unless something is asked already."""
        if not self.asks:
            self.ask(question)

    def ask(self, question: Question) -> None:
        """Ask it, over the foot."""
        self._question.ask(question)

    @property
    def field(self) -> Widget | None:
        """Where something can be typed, maybe in a moment only."""
        return self._dialog.field if self._dialog is not None else self._question.field

    def _open(self, dialog: Dialog) -> None:
        """Show it over the foot, unless there is one. It takes the focus by itself."""
        if not self.asks:
            self._dialog = dialog
            self.mount(dialog)

    @property
    def changed_dialog(self) -> Dialog | None:
        """The dialog with which something would be lost, where one is open."""
        return self._dialog if self._dialog is not None and self._dialog.is_changed else None

    def drop_dialog(self) -> None:
        """Close what is open, whatever is lost with it."""
        self._close(self._dialog)

    def read(self, reading: Reading) -> None:
        """Ask about a text, unless something is asked already."""
        from mvtui.ui.widgets.reading_panel import ReadingPanel  # noqa: PLC0415  (at the first time)

        self._open(ReadingPanel(reading, self._monotonic))

    def show_output(self, output: OutputLines, tell: "Callable[[], Told]", own: str) -> None:
        """Show what a command says, unless something is asked; see OutputPanel."""
        from mvtui.ui.widgets.output_panel import OutputPanel  # noqa: PLC0415  (at the first time)

        self._open(OutputPanel(output, tell, own))

    def shows_output_of(self, output: OutputLines) -> bool:
        """Whether that is open."""
        return getattr(self._dialog, "output", None) is output

    @property
    def question(self) -> Question | None:
        """What is asked."""
        return self._question.question

    def open_help(self) -> None:
        """Show the keys."""
        from mvtui.ui.widgets.help import Help  # noqa: PLC0415  (at the first time)

        self._open(Help(self._keys, self.situations))

    def open_palette(self, act: Callable[[Command], None]) -> None:
        """Show what can be done; `act` does it."""
        from mvtui.ui.widgets.palette_panel import PalettePanel  # noqa: PLC0415  (Input takes long to import)

        picture = self.picture
        if picture is None:
            return
        microvms = picture.snapshot.microvms if picture.snapshot is not None else ()

        def choose(offer: Offer) -> None:
            if offer.command is not None:
                act(offer.command)
            elif offer.microvm is not None:
                self.open_page(offer.microvm.name)

        found = offers(microvms, self.targets, self.selected, self.situations, self._keys)
        self._open(PalettePanel(found, self._keys, choose))

    def type_filter(self) -> None:
        """Filter the list while it is typed."""
        from mvtui.ui.widgets.filter_bar import FilterBar  # noqa: PLC0415  (Input takes long to import)

        self._open(FilterBar(self._list.list))

    def open_definition(self, desk: "Desk", wanted: "Wanted | None") -> None:
        """Show a definition, or the form of what is wanted of it."""
        from mvtui.ui.forms.definition_panel import DefinitionPanel  # noqa: PLC0415  (at the first time)

        self._open(DefinitionPanel(desk, wanted))

    def open_logs(self, microvm: str) -> Logs:
        """What that microVM has logged."""
        return self._open_logs(microvm)

    def type_search(self, view: "LogView") -> None:
        """Search a log for what is typed."""
        from mvtui.ui.widgets.search_bar import SearchBar  # noqa: PLC0415  (Input takes long to import)

        self._open(SearchBar(view))

    def open_doctor(self, examine: "Examine") -> None:
        """Check the host."""
        from mvtui.ui.widgets.doctor_panel import DoctorPanel  # noqa: PLC0415  (at the first time)

        self._open(DoctorPanel(examine, self.open_page))

    def open_calls(self, calls: Callable[[], Sequence[Call]]) -> None:
        """Show what mvtui called."""
        from mvtui.ui.widgets.calls_panel import CallsPanel  # noqa: PLC0415  (at the first time)

        self._open(CallsPanel(calls))

    def open_copy(self, heading: str, copyables: "Sequence[Copyable]", copy: "Callable[[Copyable], None]") -> None:
        """Show what can be copied; `copy` does it."""
        from mvtui.ui.widgets.copy_panel import CopyPanel  # noqa: PLC0415  (at the first time)

        self._open(CopyPanel(heading, copyables, copy))

    @on(DialogClosed)
    def _return_to_level(self, event: DialogClosed) -> None:
        self._close(event.dialog)
        if event.then is not None:
            event.then()

    def _close(self, dialog: Widget | None) -> None:
        if self._dialog is not None and dialog is self._dialog:
            self._dialog.remove()
            self._dialog = None
        if not self.asks:
            self.level.take_focus()
