"""The list: one line for each microVM. At each snapshot only the cells that read otherwise are painted again."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui.charset import fit
from mvtui.ui.commands import Place, bindings
from mvtui.ui.lines import COMPONENT_CLASSES, Line, Piece, in_ascii, style_of, to_strip
from mvtui.ui.picture import Picture
from mvtui.ui.rows import Layout, layout


def heads(width: int, ascii_only: bool) -> Line:
    """The columns' titles."""
    columns = layout(width, ascii_only).columns
    return tuple((fit(one.title, one.width, right=one.right) + " " * one.gap, "dim") for one, _ in columns)


class MicroVMList(ScrollView, can_focus=True, inherit_bindings=False):
    """Reads the snapshot's microVMs. The cursor stays on its microVM, by name, when rows come, go or move.

    `names` are painted before the first snapshot, `instead` where there is no microVM."""

    COMPONENT_CLASSES = COMPONENT_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.LIST))

    class Moved(Message):
        """The cursor is on another microVM, or on another place of the list."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__()
        self._names = tuple(names)
        self._microvms: tuple[MicroVM, ...] | None = None
        self._instead: tuple[Line, ...] = ()
        self._now = datetime.min
        self._dimmed = False
        self._cursor = 0
        self._cursor_name: str | None = None
        self._cells: dict[int, tuple[Piece, ...]] = {}  # as painted, by line of the viewport

    @property
    def selected(self) -> MicroVM | None:
        """The microVM under the cursor."""
        return self._microvms[self._cursor] if self._microvms else None

    @property
    def position(self) -> str:
        """Where the cursor is: `3/12`."""
        return f"{self._cursor + 1}/{len(self)}"

    def __len__(self) -> int:
        return len(self._names if self._microvms is None else self._microvms)

    def __bool__(self) -> bool:
        """A widget is there, however many rows it has."""
        return True

    def present(self, picture: Picture, instead: tuple[Line, ...]) -> None:
        """Show this from now on."""
        if picture.snapshot is None:
            return
        before = len(self)
        self._microvms, self._now = picture.snapshot.microvms, picture.now
        if len(self) != before or not self._cells:
            self.virtual_size = Size(0, len(self))
        self._follow()
        dimmed = picture.stale_since is not None
        if dimmed != self._dimmed or instead != self._instead or not (before and len(self)):
            self._dimmed, self._instead = dimmed, instead
            self._cells.clear()
            self.refresh()
        else:
            self._refresh_what_changed()

    def _refresh_what_changed(self) -> None:
        columns = self._layout()
        top = self.scroll_offset.y
        for y in range(self.size.height):
            old, new = self._cells.get(y, ()), self._cells_of(top + y, columns)
            if old == new:
                continue
            self._cells[y] = new
            if len(old) != len(new):
                self.refresh(Region(0, y, self.size.width, 1))
                continue
            for (column, x), before, now in zip(columns.columns, old, new, strict=True):
                if before != now:
                    self.refresh(Region(x, y, column.width, 1))

    def _cells_of(self, row: int, columns: Layout) -> tuple[Piece, ...]:
        if self._microvms is None:
            return ((" ", "text"), (clean(self._names[row]), "strong")) if row < len(self._names) else ()
        if row >= len(self._microvms):
            return ()
        cells = columns.cells(self._microvms[row], self._now)
        return tuple([(text, "dim") for text, _ in cells]) if self._dimmed else cells

    def _layout(self) -> Layout:
        return layout(self.size.width, in_ascii(self.app))

    def render_line(self, y: int) -> Strip:
        """One line of the viewport."""
        width = self.size.width
        row = self.scroll_offset.y + y
        if not len(self):
            return to_strip(self, self._instead[row] if row < len(self._instead) else (), width)
        columns = self._layout()
        cells = self._cells.get(y)
        if cells is None:
            cells = self._cells[y] = self._cells_of(row, columns)
        line = tuple(
            [
                (fit(text, column.width, right=column.right) + " " * column.gap, role)
                for (column, _), (text, role) in zip(columns.columns, cells, strict=False)
            ]
        )
        return to_strip(self, line, width, self._highlight() if row == self._cursor else None)

    def _highlight(self) -> Style:
        """What the cursor lays over a line: a background, or everything where it is shown in reverse."""
        cursor = style_of(self, "cursor")
        return cursor if cursor.reverse else Style(bgcolor=cursor.bgcolor, bold=cursor.bold)

    # The cursor

    def _follow(self) -> None:
        """Keep the cursor on its microVM; where that is gone, on the one that stands in its place."""
        microvms = self._microvms or ()
        if not microvms:
            return
        cursor = min(self._cursor, len(microvms) - 1)
        if self._cursor_name is not None and microvms[cursor].name != self._cursor_name:
            cursor = next((row for row, one in enumerate(microvms) if one.name == self._cursor_name), cursor)
        if self._cursor_name is None and self._names:
            wanted = self._names[min(self._cursor, len(self._names) - 1)]
            cursor = next((row for row, one in enumerate(microvms) if one.name == wanted), cursor)
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
        row = max(0, min(row, len(self) - 1))
        if row != self._cursor:
            self._refresh_row(self._cursor)
            self._cursor = row
            self._cursor_name = self._microvms[row].name if self._microvms else None
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
        """Other columns are in sight: all is painted anew."""
        self._cells.clear()
        self._scroll_to_cursor()
        self.refresh()

    def on_click(self, event: Click) -> None:
        """The cursor goes to the row that was clicked."""
        row = self.scroll_offset.y + event.y
        if row < len(self):
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
        self.move_to(len(self) - 1)
