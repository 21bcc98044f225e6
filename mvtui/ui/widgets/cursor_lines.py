"""Lines that scroll, with a cursor on some of them. At each change only the lines that read otherwise are painted."""

from typing import ClassVar

from textual.binding import BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mvtui.ui.command import Place
from mvtui.ui.commands import COMMANDS, bindings
from mvtui.ui.keys import live_keys
from mvtui.ui.lines import Line, to_strip
from mvtui.ui.roles import cursor_style


class CursorLines(ScrollView, can_focus=True, inherit_bindings=False):
    """The cursor stands on stops, each a line with a key; it stays on its key when lines come, go or move.

    A subclass says how many lines and stops there are and what stands on each, and calls `follow` when that changes.
    Without a stop, the keys that move scroll.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.MOVE))

    class Moved(Message):
        """The cursor was put on another stop."""

    class Chosen(Message):
        """The stop under the cursor was clicked once more."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0
        self.cursor_key: str | None = None
        self._cursor_line = 0
        self._painted: dict[int, Line] = {}  # as painted at _fitted, by line of the viewport
        self._fitted = Size(0, 0)

    # What a subclass has

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    @property
    def stop_count(self) -> int:
        """How many stops there are."""
        return self.line_count

    def line_of(self, stop: int) -> int:
        """The line of a stop."""
        return stop

    def lines_of(self, stop: int) -> int:  # noqa: ARG002
        """How many lines belong to a stop: as many as there is room for come into sight with it."""
        return 1

    def stop_at(self, line: int) -> int | None:
        """The stop that a click on a line means."""
        return line if 0 <= line < self.stop_count else None

    def key_of(self, stop: int) -> str:
        """What the cursor stays with."""
        raise NotImplementedError

    def line_at(self, line: int) -> Line:
        """What stands on a line."""
        raise NotImplementedError

    # Painting

    def follow(self) -> None:
        """What is shown has changed: the cursor goes with its key, or stays in its place where that is gone."""
        self.virtual_size = Size(0, self.line_count)
        stops = self.stop_count
        if stops:
            cursor = max(0, min(self.cursor, stops - 1))
            if self.cursor_key is not None and self.key_of(cursor) != self.cursor_key:
                keys = (stop for stop in range(stops) if self.key_of(stop) == self.cursor_key)
                cursor = next(keys, cursor)
            moved = self.key_of(cursor) != self.cursor_key or self.line_of(cursor) != self._cursor_line
            self.cursor, self.cursor_key = cursor, self.key_of(cursor)
            if moved:
                self._put(cursor)
                self.call_after_refresh(self.scroll_to_cursor)
        self._refresh_what_changed()

    def _put(self, cursor: int) -> None:
        self._refresh_line(self._cursor_line)
        self.cursor, self._cursor_line = cursor, self.line_of(cursor)
        self._refresh_line(self._cursor_line)

    def _refresh_what_changed(self) -> None:
        if self._fitted != self.size:
            self._painted.clear()  # not in sight: all of it will be painted when it comes
            return
        for y, old in list(self._painted.items()):
            new = self._at(self.scroll_offset.y + y)
            if old != new:
                self._painted[y] = new
                self.refresh(Region(0, y, self.size.width, 1))

    def _at(self, line: int) -> Line:
        return self.line_at(line) if line < self.line_count else ()

    def render_line(self, y: int) -> Strip:
        """One line of the viewport."""
        number = self.scroll_offset.y + y
        if self._fitted != self.size:
            self._fitted = self.size
            self._painted.clear()
        line = self._painted.get(y)
        if line is None:
            line = self._painted[y] = self._at(number)
        on_cursor = bool(line) and bool(self.stop_count) and number == self._cursor_line
        return to_strip(self, line, highlight=cursor_style(self) if on_cursor else None)

    def _refresh_line(self, line: int) -> None:
        self.refresh(Region(0, line - self.scroll_offset.y, self.size.width, 1))

    # Moving

    def on_mount(self) -> None:
        """What is there can be scrolled from the start."""
        self.virtual_size = Size(0, self.line_count)

    def move_to(self, stop: int) -> None:
        """Put the cursor on a stop, or on the nearest that there is."""
        stop = max(0, min(stop, self.stop_count - 1))
        if self.stop_count and stop != self.cursor:
            self._put(stop)
            self.cursor_key = self.key_of(stop)
            self._refresh_what_changed()
            self.scroll_to_cursor()
            self.post_message(self.Moved())

    def move(self, key: str) -> bool:
        """Whether that key moves the cursor. It does so at once: what a binding does comes later, maybe after the next
        key."""
        keys = live_keys(self.screen)
        wanted = next((one.id for one in COMMANDS if one.place is Place.MOVE and key in keys.get(one.id, ())), "")
        if wanted:
            getattr(self, f"action_{wanted}")()
        return bool(wanted)

    def scroll_to_cursor(self, *, whole: bool = False) -> None:
        """Bring the cursor's line into sight, and what belongs to it as far as there is room."""
        if not self.stop_count:
            return
        top, height = self.scroll_offset.y, self.size.height
        first = self._cursor_line
        # Of the first stop, what stands above it is worth more than its last lines, unless those are asked for.
        whole = whole or self.cursor > 0 or first >= height
        last = first + (min(self.lines_of(self.cursor), height) if whole else 1) - 1
        if first < top:
            self.scroll_to(y=0 if self.cursor == 0 else first, animate=False, immediate=True)
        elif last >= top + height:
            self.scroll_to(y=last - height + 1, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other lines are in sight: all is painted anew."""
        self._painted.clear()
        super().watch_scroll_y(old_value, new_value)

    def on_resize(self, _event: Resize) -> None:
        """The cursor stays in sight."""
        self.virtual_size = Size(0, self.line_count)
        self.scroll_to_cursor()

    def on_click(self, event: Click) -> None:
        """The cursor goes to what was clicked; a click on what it stands on chooses it."""
        stop = self.stop_at(self.scroll_offset.y + event.y)
        if stop is None:
            return
        if stop == self.cursor:
            self.post_message(self.Chosen())
        else:
            self.move_to(stop)

    def _go(self, step: int) -> None:
        """Move by so many stops, or, where there are none, lines."""
        if self.stop_count:
            self.move_to(self.cursor + step)
        else:
            self.scroll_relative(y=step, animate=False)

    def _leaf(self, direction: int, *, pages: bool) -> None:
        """Move by a page, or half a one: the cursor goes to the stop that is nearest to where it was on the screen,
        once all of the one that it stands on was in sight."""
        step = direction * max(1, self.size.height - 1 if pages else self.size.height // 2)
        if self.stop_count == self.line_count or not self.stop_count:
            self._go(step)
            return
        wanted = self._cursor_line + step
        stop = min(range(self.stop_count), key=lambda one: abs(self.line_of(one) - wanted))
        if stop == self.cursor or self._goes_on(direction):
            self.scroll_relative(y=step, animate=False)
        else:
            self.move_to(stop)

    def _goes_on(self, direction: int) -> bool:
        """Whether what the cursor stands on goes on below, or above, what is in sight."""
        top, first = self.scroll_offset.y, self._cursor_line
        return first < top if direction < 0 else first + self.lines_of(self.cursor) > top + self.size.height

    def action_cursor_down(self) -> None:
        """One down."""
        self._go(1)

    def action_cursor_up(self) -> None:
        """One up."""
        self._go(-1)

    def action_page_down(self) -> None:
        """One page down; a line of the last stays in sight."""
        self._leaf(1, pages=True)

    def action_page_up(self) -> None:
        """One page up."""
        self._leaf(-1, pages=True)

    def action_half_down(self) -> None:
        """Half a page down."""
        self._leaf(1, pages=False)

    def action_half_up(self) -> None:
        """Half a page up."""
        self._leaf(-1, pages=False)

    def action_first(self) -> None:
        """To the first."""
        self.move_to(0)
        self.scroll_home(animate=False, immediate=True)

    def action_last(self) -> None:
        """To the last."""
        self.move_to(self.stop_count - 1)
        if self.stop_count != self.line_count:
            self.scroll_end(animate=False, immediate=True)
