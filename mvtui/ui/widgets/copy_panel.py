"""What can be copied: a letter, Enter or a click copies it."""

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Click, Key
from textual.geometry import Size

from mvtui.ui.charset import fit
from mvtui.ui.commands import moves
from mvtui.ui.copyables import Copyable
from mvtui.ui.keys import all_keys, leave_label, leaves, live_keys
from mvtui.ui.lines import Line, Lines, clipped, ruled
from mvtui.ui.tabs.page import Entry
from mvtui.ui.widgets.cursor_lines import CursorLines
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.sheet import Sheet

_TITLES_WIDTH = 16


def copy_entries(found: Sequence[Copyable], width: int) -> list[Entry]:
    """One line for each: its letter, what it is, and its text, or why not."""
    entries = []
    for one in found:
        told = one.refusal or one.text or (one.later.value if one.later is not None else "")
        role = "text" if one.text and not one.refusal else "dim"
        line: Line = (
            ("  ", "text"),
            (one.key, "off" if one.refusal else "key"),
            (f"  {fit(one.title, _TITLES_WIDTH)} ", "text"),
            (told[: 4 * width], role),
        )
        entries.append(Entry((clipped(line, width),), one.key))
    return entries


class CopyTitle(Lines):
    """What is copied of, and how it is left."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """One line for this width."""
        return (ruled(f"{self._heading} {leave_label(all_keys(self.app))} leaves", size.width),)


class CopySheet(Sheet):
    """Its lines; a click copies at once, for nothing of the host is changed by it."""

    def on_click(self, event: Click) -> None:
        """The line that was clicked is copied."""
        event.prevent_default()
        stop = self.stop_at(self.scroll_offset.y + event.y)
        if stop is not None:
            self.move_to(stop)
            self.post_message(self.Chosen())


class CopyPanel(Vertical, Dialog):
    """Docked over the foot, as high as what it shows."""

    def __init__(self, heading: str, found: Sequence[Copyable], copy: Callable[[Copyable], None]) -> None:
        super().__init__()
        self._found = {one.key: one for one in found}
        self._copy = copy
        self._title, self._sheet = CopyTitle(heading), CopySheet()
        self._chosen = False

    def compose(self) -> ComposeResult:
        """Title and lines."""
        yield from (self._title, self._sheet)

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self.on_resize()
        self.screen.set_focus(self._sheet)
        self._sheet.present(lambda width, _: copy_entries(tuple(self._found.values()), width))

    def on_resize(self) -> None:
        """What has no room scrolls."""
        self.styles.height = min(len(self._found) + 1, self.screen.size.height)

    def on_key(self, event: Key) -> None:
        """A letter copies, Enter what the cursor is on; the others move or leave."""
        keys = live_keys(self.screen)
        if event.key not in self._found and moves(event.key, keys):
            return
        event.stop()
        event.prevent_default()
        if event.key in self._found:
            self._choose(event.key)
        elif event.key == "enter":
            self._choose(self._sheet.cursor_key)
        elif leaves(event.key, keys, "back", "copy"):
            self.post_message(DialogClosed(self))

    @on(CursorLines.Chosen)
    def _on_chosen(self, event: CursorLines.Chosen) -> None:
        event.stop()
        self._choose(self._sheet.cursor_key)

    @on(CursorLines.Moved)
    def _on_moved(self, event: CursorLines.Moved) -> None:
        event.stop()

    def _choose(self, key: str | None) -> None:
        one = self._found.get(key or "")
        if one is not None and not self._chosen:
            self._chosen = True
            self.post_message(DialogClosed(self, lambda: self._copy(one)))
