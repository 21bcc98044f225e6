"""A field of one line to type into."""

from collections.abc import Callable

from textual.events import Key, Paste
from textual.widgets import Input

from mvtui.model.text import clean


class Field(Input):
    """While `is_deaf`, what is typed or pasted is dropped: it was meant for something else."""

    def __init__(self, is_deaf: Callable[[], bool] = lambda: False, value: str = "") -> None:
        super().__init__(value, compact=True, select_on_focus=False)
        self._is_deaf = is_deaf
        # A blinking cursor writes 1.7 kB a second.
        self.cursor_blink = False

    async def _on_key(self, event: Key) -> None:
        """Textual goes on to Input's own, unless this prevents it. Esc is the dialog's."""
        if self._is_deaf() and event.key != "escape":
            event.stop()
            event.prevent_default()

    def _on_paste(self, event: Paste) -> None:
        """The first line of it, as it can be seen: Textual would send control characters on to the terminal."""
        event.stop()
        event.prevent_default()
        if not self._is_deaf() and event.text:
            self.replace(clean(event.text.splitlines()[0]), *self.selection)
