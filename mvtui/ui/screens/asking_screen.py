"""The half of the screen that asks: one question or dialog at a time, docked over the foot."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakSet

from textual import on
from textual.events import DescendantFocus, Key
from textual.screen import Screen
from textual.widget import Widget

from mvtui.model.call import Call
from mvtui.model.output import OutputLines
from mvtui.ui.commands import TABS
from mvtui.ui.key_words import with_keys
from mvtui.ui.keys import all_keys
from mvtui.ui.questions import Question
from mvtui.ui.reading import Reading
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.question import QuestionPanel

if TYPE_CHECKING:
    from mvtui.ui.copyables import Copyable
    from mvtui.ui.forms.desk import Desk, Wanted
    from mvtui.ui.widgets.doctor_panel import Examine
    from mvtui.ui.widgets.log_view import LogView
    from mvtui.ui.widgets.output_panel import Told


class AskingScreen(Screen[None], inherit_bindings=False):
    """Opens dialogs, and gives the keys back to the level that is open. Dialogs are imported when one is opened for the
    first time: what they need (Input above all) takes long."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._question = QuestionPanel(monotonic)
        self._asked: Question | None = None
        self._dialog: Dialog | None = None
        self._passing = WeakSet[Key]()
        self._early: list[Key] = []

    def take_focus_back(self) -> None:
        """The keys are those of the level that is open."""
        raise NotImplementedError

    def open_page(self, name: str, tab: str = TABS[0], section: str = "") -> None:
        """Show a tab of the page of a microVM, with that section of it in sight."""
        raise NotImplementedError

    @property
    def asks(self) -> bool:
        """True while a question or a panel is open: nothing else may happen."""
        return self._question.question is not None or self._dialog is not None

    @property
    def question(self) -> Question | None:
        """What is asked, as `ask` got it."""
        return self._asked if self._question.question is not None else None

    @property
    def field(self) -> Widget | None:
        """Where something can be typed, maybe in a moment only."""
        return self._dialog.field if self._dialog is not None else self._question.field

    def ask_for_list(self, question: Question) -> None:
        """Ask it, unless something is asked already."""
        if not self.asks:
            self.ask(question)

    def ask(self, question: Question) -> None:
        """Ask it, over the foot."""
        self._asked = question
        facts = tuple(replace(fact, words=with_keys(fact.words, all_keys(self.app))) for fact in question.facts)
        self._question.ask(replace(question, facts=facts))

    @property
    def changed_dialog(self) -> Dialog | None:
        """The dialog with which something would be lost, where one is open."""
        return self._dialog if self._dialog is not None and self._dialog.is_changed else None

    def drop_dialog(self) -> None:
        """Close what is open, whatever is lost with it."""
        self._close(self._dialog)

    def read(self, reading: Reading) -> None:
        """Ask about a text, unless something is asked already."""
        from mvtui.ui.widgets.reading_panel import ReadingPanel  # noqa: PLC0415

        self._open(ReadingPanel(reading, self._monotonic))

    def show_output(self, output: OutputLines, tell: "Callable[[], Told]", own: str) -> None:
        """Show what a command says, unless something is asked; see OutputPanel."""
        from mvtui.ui.widgets.output_panel import OutputPanel  # noqa: PLC0415

        self._open(OutputPanel(output, tell, own))

    def shows_output_of(self, output: OutputLines) -> bool:
        """Whether that is open."""
        return getattr(self._dialog, "output", None) is output

    def open_definition(self, desk: "Desk", wanted: "Wanted | None") -> None:
        """Show a definition, or the form of what is wanted of it."""
        from mvtui.ui.forms.definition_panel import DefinitionPanel  # noqa: PLC0415

        self._open(DefinitionPanel(desk, wanted))

    def type_search(self, view: "LogView") -> None:
        """Search a log for what is typed."""
        from mvtui.ui.widgets.search_bar import SearchBar  # noqa: PLC0415

        self._open(SearchBar(view))

    def open_doctor(self, examine: "Examine") -> None:
        """Check the host."""
        from mvtui.ui.widgets.doctor_panel import DoctorPanel  # noqa: PLC0415

        self._open(DoctorPanel(examine, self.open_page))

    def open_calls(self, calls: Callable[[], Sequence[Call]]) -> None:
        """Show what mvtui called."""
        from mvtui.ui.widgets.calls_panel import CallsPanel  # noqa: PLC0415

        self._open(CallsPanel(calls))

    def open_copy(self, heading: str, copyables: "Sequence[Copyable]", copy: "Callable[[Copyable], None]") -> None:
        """Show what can be copied; `copy` does it."""
        from mvtui.ui.widgets.copy_panel import CopyPanel  # noqa: PLC0415  (at the first time)

        self._open(CopyPanel(heading, copyables, copy))

    def _open(self, dialog: Dialog) -> None:
        """Show it over the foot, unless there is one. It takes the focus by itself."""
        if not self.asks:
            self._dialog = dialog
            self.mount(dialog)

    # Keys that come before what they are meant for has the focus

    def passes(self, event: Key) -> None:
        """A key goes through a level, on its way to the bindings; one before it may have opened something by then."""
        self._passing.add(event)

    def keep_early(self, event: Key) -> bool:
        """Whether a key that has gone through a level is meant for what was opened above it since. That gets it."""
        is_early = self.asks and event in self._passing
        if is_early:
            self._early.append(Key(event.key, event.character))
            self._hand_over()
        return is_early

    @on(DescendantFocus)
    def _hand_over(self) -> None:
        focused, asking = self.focused, self._dialog if self._dialog is not None else self._question
        if focused is not None and asking in focused.ancestors_with_self:
            early, self._early = self._early, []
            for key in early:
                focused._forward_event(key)

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
            self._early.clear()
            self.take_focus_back()
