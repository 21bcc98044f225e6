"""The first level: every microVM of the host, and why the selected one is in its state."""

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.reactive import var
from textual.screen import Screen
from textual.widget import Widget

from mvtui.model.microvm import MicroVM
from mvtui.ui.commands import menders
from mvtui.ui.painting import PanelCompositor
from mvtui.ui.picture import Picture
from mvtui.ui.questions import Question
from mvtui.ui.widgets.dialog import DialogClosed
from mvtui.ui.widgets.footer import Footer
from mvtui.ui.widgets.header import Header
from mvtui.ui.widgets.help import Help
from mvtui.ui.widgets.microvm_list import Heads, MicroVMList
from mvtui.ui.widgets.question import QuestionBar
from mvtui.ui.widgets.status import Status
from mvtui.ui.widgets.why_line import Why, WhyLine


class ListScreen(Screen[None], inherit_bindings=False):
    """Header, list, why-line, status, footer; dialogs are docked over the foot."""

    AUTO_FOCUS = "MicroVMList"
    # Textual declares it as an instance's.
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-tiny"), (8, "-low"), (20, "-tall")]  # noqa: RUF012

    picture: var[Picture | None] = var(None, always_update=True)

    def __init__(self, names: Sequence[str], monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._compositor = PanelCompositor()
        self._header = Header()
        self._heads = Heads()
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
        if picture is not None:
            self._header.present(picture)
            self._list.present(picture)
            self._present_why()
            self._status.present(picture)
            self._footer.present(picture)

    @on(MicroVMList.Moved)
    def _present_why(self) -> None:
        picture, microvm = self.picture, self.selected
        if picture is None or microvm is None:
            self._why.present(None)
            return
        helping = tuple(menders(picture.situation(microvm)))
        self._why.present(Why(microvm, self._list.position, helping, picture.now))

    # Dialogs

    def ask(self, question: Question) -> None:
        """Ask it, in the bar at the foot."""
        self._question.ask(question)

    def open_panel(self, panel: Widget) -> None:
        """Show a panel over the foot, unless there is one. It takes the focus by itself."""
        if self._panel is None:
            self._panel = panel
            self.mount(panel)

    def open_help(self) -> None:
        """Show the keys."""
        self.open_panel(Help())

    @on(DialogClosed)
    def _return_to_list(self, event: DialogClosed) -> None:
        if event.dialog is self._panel:
            self._panel = None
            event.dialog.remove()
        if not self.asks:
            self.set_focus(self._list)
