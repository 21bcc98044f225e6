"""The first level: every microVM of the host, and why the selected one is in its state."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Resize
from textual.reactive import var
from textual.screen import Screen
from textual.widget import Widget

from mvtui.model.microvm import MicroVM
from mvtui.ui.commands import menders
from mvtui.ui.empty import empty_lines
from mvtui.ui.lines import Lines, in_ascii
from mvtui.ui.painting import PanelCompositor
from mvtui.ui.picture import Picture
from mvtui.ui.questions import Question
from mvtui.ui.widgets.footer import Footer
from mvtui.ui.widgets.header import Header
from mvtui.ui.widgets.help import Help
from mvtui.ui.widgets.microvm_list import MicroVMList, heads
from mvtui.ui.widgets.question import QuestionBar
from mvtui.ui.widgets.status import Status
from mvtui.ui.widgets.why_line import Why, WhyLine


class ListScreen(Screen[None], inherit_bindings=False):
    """Header, list, why-line, status, footer; dialogs are docked over the foot."""

    AUTO_FOCUS = "MicroVMList"
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-tiny"), (8, "-low"), (20, "-tall")]

    picture: var[Picture | None] = var(None)

    def __init__(self, names: Sequence[str], monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._compositor = PanelCompositor()
        self._header = Header()
        self._heads = Lines(id="heads")
        self._list = MicroVMList(names)
        self._why = WhyLine()
        self._status = Status()
        self._footer = Footer()
        self._question = QuestionBar(monotonic)
        self._panel: Widget | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield from (self._header, self._heads, self._list, self._why, self._status, self._footer, self._question)

    @property
    def selected(self) -> MicroVM | None:
        """The microVM that commands mean."""
        return self._list.selected

    @property
    def asks(self) -> bool:
        """True while a question or a panel is open."""
        return self._question.question is not None or self._panel is not None

    def watch_picture(self, picture: Picture | None) -> None:
        """Show it."""
        if picture is None or not self.is_mounted:
            return
        self._header.present(picture)
        snapshot = picture.snapshot
        empty = snapshot is not None and not snapshot.microvms
        self._list.present(picture, empty_lines(snapshot, self.size.width) if empty and snapshot else ())
        self._present_why()
        self._status.present(picture)
        self._footer.present(picture)

    def _present_why(self) -> None:
        picture, microvm = self.picture, self.selected
        if picture is None or microvm is None:
            self._why.show_why(None)
            return
        helping = tuple(menders(picture.situation(microvm)))
        self._why.show_why(Why(microvm, self._list.position, helping, picture.now))

    def on_resize(self, _event: Resize) -> None:
        """What is fitted to the width is fitted anew."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        self._heads.show(heads(self.size.width, in_ascii(self.app)))
        self.watch_picture(self.picture)

    def on_microvm_list_moved(self) -> None:
        """Another microVM: another why."""
        self._present_why()

    # Dialogs

    def ask(self, question: Question) -> None:
        """Ask it, in the bar at the foot."""
        self._question.ask(question)

    def on_question_bar_closed(self) -> None:
        """Back to the list."""
        self._list.focus()

    def open_panel(self, panel: Widget) -> None:
        """Show a panel over the foot; there is one at a time."""
        self._panel = panel
        self.mount(panel)

    def open_help(self) -> None:
        """Show the keys."""
        panel = Help()
        self.open_panel(panel)
        panel.focus()

    def on_help_closed(self) -> None:
        """Back to the list."""
        self.close_panel()

    def on_kill_panel_closed(self) -> None:
        """Back to the list."""
        self.close_panel()

    def close_panel(self) -> None:
        """Take the panel away."""
        if self._panel is not None:
            self._panel.remove()
            self._panel = None
            self._list.focus()
