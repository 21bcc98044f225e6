"""What a log is searched for, while it is typed, over the foot."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Key
from textual.geometry import Size
from textual.widgets import Input

from mvtui.ui.keys import all_keys, leave_label, leaves
from mvtui.ui.lines import Line, Lines, justified
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.field import Field
from mvtui.ui.widgets.filter_bar import Sign
from mvtui.ui.widgets.log_view import LogView


class Found(Lines):
    """How it is left."""

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """Flush right."""
        keys: Line = (
            ("Enter", "key"),
            (" searches upwards, ", "dim"),
            (leave_label(all_keys(self.app), typing=True), "key"),
            (" ends it", "dim"),
        )
        return (justified((), keys, size.width),)


class SearchBar(Horizontal, Dialog):
    """What is typed stands out in `view`; Enter goes to the last place that has it, Esc ends the search."""

    def __init__(self, view: LogView) -> None:
        super().__init__()
        self._view = view
        self.field: Field = Field(value=view.walk.found)

    def compose(self) -> ComposeResult:
        """Slash, field, keys."""
        yield Sign()
        yield self.field
        yield Found()

    def on_mount(self) -> None:
        """Type here."""
        self.screen.set_focus(self.field)

    def on_input_changed(self, event: Input.Changed) -> None:
        """As you type."""
        event.stop()
        if self.is_attached:
            self._view.mark(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go there."""
        event.stop()
        self.post_message(DialogClosed(self, lambda: self._view.search(event.value)))

    def on_key(self, event: Key) -> None:
        """Search for nothing."""
        if leaves(event.key, all_keys(self.app)) and not event.is_printable:
            event.stop()
            self.post_message(DialogClosed(self, lambda: self._view.search("")))
