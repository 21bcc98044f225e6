"""The panel that asks for the name before it kills."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantBlur, Key, Resize
from textual.message import Message
from textual.widgets import Input

from mvtui.model.text import clean
from mvtui.ui.lines import Line, Lines, clipped, cut, width_of


class KillPanel(Vertical):
    """Docked over the foot of the list; acts on Enter once the name has been typed."""

    class Closed(Message):
        """It has acted or been left."""

    def __init__(self, microvm: str, host: str, uptime: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._microvm, self._host, self._uptime, self._act = clean(microvm), clean(host), uptime, act

    def compose(self) -> ComposeResult:
        """What will happen, and the field."""
        yield Lines()
        name = Input(compact=True, select_on_focus=False)
        name.cursor_blink = False
        yield name

    def on_mount(self) -> None:
        """Type here."""
        self.query_one(Input).focus()

    def on_resize(self, event: Resize) -> None:
        """Fit the text to the width."""
        width = event.size.width
        title = cut(f"kill {self._microvm} on {self._host}", width - 6)
        rule: Line = (("─ ", "dim"), (title, "error"), (" ", "dim"))
        self.query_one(Lines).show(
            (*rule, ("─" * max(0, width - width_of(rule)), "dim")),
            clipped(((f"{self._uptime}. The guest loses what it has not written to its disks.", "text"),), width),
            clipped(
                (
                    ("Type its name, then ", "text"),
                    ("Enter", "key"),
                    ("; ", "text"),
                    ("Esc", "key"),
                    (" leaves.", "text"),
                ),
                width,
            ),
        )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Act if it is the name; a wrong one stays to be mended."""
        event.stop()
        if event.value == self._microvm:
            self.post_message(self.Closed())
            self._act()

    def on_key(self, event: Key) -> None:
        """Leave; no key goes on to anything else."""
        event.stop()
        if event.key == "escape":
            self.post_message(self.Closed())

    def on_descendant_blur(self, _event: DescendantBlur) -> None:
        """What has lost the focus is left: its keys would go elsewhere."""
        self.post_message(self.Closed())
