"""The list: one line for each microVM. At each snapshot only the cells that read otherwise are painted again."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.text import clean
from mvtui.ui.charset import fit
from mvtui.ui.commands import Place, bindings
from mvtui.ui.empty import empty_lines
from mvtui.ui.lines import Line, Lines, in_ascii, to_strip
from mvtui.ui.picture import Picture
from mvtui.ui.roles import cursor_style
from mvtui.ui.rows import Layout, layout


class Heads(Lines):
    """The columns' titles."""

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """One line for this width."""
        columns = layout(size.width, in_ascii(self.app)).columns
        return (tuple((fit(one.title, one.width, right=one.right) + " " * one.gap, "dim") for one, _ in columns),)


class MicroVMList(ScrollView, can_focus=True, inherit_bindings=False):
    """Reads the snapshot's microVMs. The cursor stays on its microVM, by name, when rows come, go or move.

    `names` stand there before the first snapshot; an explanation where there is no microVM.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.LIST))

    class Moved(Message):
        """The cursor is on another microVM, or on another place of the list."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__()
        self._names = tuple(names)
        self._snapshot: Snapshot | None = None
        self._now = datetime.min
        self._dimmed = False
        self._cursor = 0
        self._cursor_name: str | None = None
        self._cells: dict[int, Line] = {}  # as painted at _fitted, by line of the viewport
        self._fitted = Size(0, 0)

    @property
    def selected(self) -> MicroVM | None:
        """The microVM under the cursor."""
        return self._microvms[self._cursor] if self._microvms else None

    @property
    def position(self) -> str:
        """Where the cursor is: `3/12`."""
        return f"{self._cursor + 1}/{self._count}"

    @property
    def _microvms(self) -> tuple[MicroVM, ...]:
        return self._snapshot.microvms if self._snapshot is not None else ()

    @property
    def _count(self) -> int:
        return len(self._names) if self._snapshot is None else len(self._microvms)

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        if picture.snapshot is None:
            return
        before = self._count
        self._snapshot, self._now, self._dimmed = picture.snapshot, picture.now, picture.stale_since is not None
        if self._count != before:
            self.virtual_size = Size(0, self._count)
        self._follow()
        self._refresh_what_changed()

    def on_mount(self) -> None:
        """The names can be scrolled from the start."""
        self.virtual_size = Size(0, self._count)

    def _refresh_what_changed(self) -> None:
        """Paint the cells again that read otherwise; lines that have not been painted yet will be in any case."""
        if self._fitted != self.size:
            return
        columns = self._layout.columns
        for y, old in list(self._cells.items()):
            new = self._cells_of(self.scroll_offset.y + y)
            if old == new:
                continue
            self._cells[y] = new
            if not len(old) == len(new) == len(columns):
                self.refresh(Region(0, y, self.size.width, 1))
                continue
            for (column, x), was, now in zip(columns, old, new, strict=True):
                if was != now:
                    self.refresh(Region(x, y, column.width, 1))

    @property
    def _layout(self) -> Layout:
        return layout(self.size.width, in_ascii(self.app))

    def _cells_of(self, row: int) -> Line:
        """What stands in a row: a cell for each column, or pieces of text where there is no microVM."""
        if self._snapshot is None:
            return (("  ", "text"), (clean(self._names[row]), "strong")) if row < len(self._names) else ()
        if not self._microvms:
            lines = empty_lines(self._snapshot, self.size.width)
            return lines[row] if row < len(lines) else ()
        if row >= self._count:
            return ()
        cells = self._layout.cells(self._microvms[row], self._now)
        return tuple([(text, "dim") for text, _ in cells]) if self._dimmed else cells

    def render_line(self, y: int) -> Strip:
        """One line of the viewport."""
        row = self.scroll_offset.y + y
        if self._fitted != self.size:
            self._fitted = self.size
            self._cells.clear()
        cells = self._cells.get(y)
        if cells is None:
            cells = self._cells[y] = self._cells_of(row)
        line = self._layout.line(cells) if self._microvms and cells else cells
        return to_strip(self, line, highlight=cursor_style(self) if cells and row == self._cursor else None)

    # The cursor

    def _follow(self) -> None:
        """Keep the cursor on its microVM; where that is gone, on the one that stands in its place."""
        microvms = self._microvms
        if not microvms:
            return
        cursor = min(self._cursor, len(microvms) - 1)
        if self._cursor_name is not None and microvms[cursor].name != self._cursor_name:
            cursor = next((row for row, one in enumerate(microvms) if one.name == self._cursor_name), cursor)
        self._cursor_name = microvms[cursor].name
        if cursor != self._cursor:
            self._refresh_row(self._cursor)
            self._cursor = cursor
            self._refresh_row(cursor)
            self.call_after_refresh(self._scroll_to_cursor)

    def _refresh_row(self, row: int) -> None:
        self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    def move_to(self, row: int) -> None:
        """Put the cursor on a row, or on the nearest that there is."""
        row = max(0, min(row, self._count - 1))
        if row != self._cursor and self._count:
            self._refresh_row(self._cursor)
            self._cursor = row
            self._cursor_name = self._microvms[row].name if self._microvms else self._names[row]
            self._refresh_row(row)
            self._scroll_to_cursor()
            self.post_message(self.Moved())

    def _scroll_to_cursor(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in sight: all is painted anew."""
        self._cells.clear()
        super().watch_scroll_y(old_value, new_value)

    def on_resize(self, _event: Resize) -> None:
        """The cursor stays in sight."""
        self._scroll_to_cursor()

    def on_click(self, event: Click) -> None:
        """The cursor goes to the row that was clicked."""
        row = self.scroll_offset.y + event.y
        if row < self._count:
            self.move_to(row)

    def action_cursor_down(self) -> None:
        """One row down."""
        self.move_to(self._cursor + 1)

    def action_cursor_up(self) -> None:
        """One row up."""
        self.move_to(self._cursor - 1)

    def action_page_down(self) -> None:
        """One page down; a row of the last stays in sight."""
        self.move_to(self._cursor + max(1, self.size.height - 1))

    def action_page_up(self) -> None:
        """One page up."""
        self.move_to(self._cursor - max(1, self.size.height - 1))

    def action_half_down(self) -> None:
        """Half a page down."""
        self.move_to(self._cursor + max(1, self.size.height // 2))

    def action_half_up(self) -> None:
        """Half a page up."""
        self.move_to(self._cursor - max(1, self.size.height // 2))

    def action_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self.move_to(self._count - 1)
