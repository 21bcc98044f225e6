"""The panel that asks for the name before it kills."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantBlur, Key
from textual.geometry import Size
from textual.widgets import Input

from mvtui.model.text import clean
from mvtui.ui.lines import Line, Lines, clipped, cut, width_of
from mvtui.ui.widgets.dialog import DialogClosed


class Warnings(Lines):
    """What will happen."""

    def __init__(self, question: str, uptime: str) -> None:
        super().__init__()
        self._question, self._uptime = question, uptime

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """Three lines for this width."""
        rule: Line = (("─ ", "dim"), (cut(self._question, size.width - 6), "error"), (" ", "dim"))
        leave: Line = (("Type its name, then ", "text"), ("Enter", "key"), ("; ", "text"), ("Esc", "key"))
        return (
            (*rule, ("─" * max(0, size.width - width_of(rule)), "dim")),
            clipped(((f"{self._uptime}. The guest loses what it has not written to its disks.", "text"),), size.width),
            clipped((*leave, (" leaves.", "text")), size.width),
        )


class KillPanel(Vertical):
    """Docked over the foot of the list; acts on Enter once the name has been typed."""

    def __init__(self, microvm: str, host: str, uptime: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._microvm = clean(microvm)
        self._warnings = Warnings(f"kill {self._microvm} on {clean(host)}", uptime)
        self._act = act

    def compose(self) -> ComposeResult:
        """What will happen, and the field."""
        yield self._warnings
        name = Input(compact=True, select_on_focus=False)
        name.cursor_blink = False
        yield name

    def on_mount(self) -> None:
        """Type here."""
        self.screen.set_focus(self.query_one(Input))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Act if it is the name; a wrong one stays to be mended."""
        event.stop()
        if event.value == self._microvm:
            self.post_message(DialogClosed(self))
            self._act()

    def on_key(self, event: Key) -> None:
        """Leave. What the field does not take goes on: its own bindings are looked up at the very top."""
        if event.key == "escape":
            event.stop()
            self.post_message(DialogClosed(self))

    def on_descendant_blur(self, _event: DescendantBlur) -> None:
        """What has lost the focus is left: its keys would go elsewhere."""
        self.post_message(DialogClosed(self))
