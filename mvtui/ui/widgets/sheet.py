"""Entries of lines that scroll, with a cursor on those that have a key: the tabs of a page, and what mvtui called."""

from collections.abc import Callable
from functools import partial

from textual.events import Click, Resize

from mvtui.ui.keys import key_of_label
from mvtui.ui.lines import Line, key_at
from mvtui.ui.tabs.page import Entry
from mvtui.ui.widgets.cursor_lines import CursorLines

# The entries for a width, and for the key of the entry that the cursor is on.
Make = Callable[[int, str | None], list[Entry]]


class Sheet(CursorLines):
    """Shows what is made for its width; the entry under the cursor may show more of itself, and all
    of itself where its key is `unfolded`, until the cursor leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self._make: Make | None = None
        self.unfolded: str | None = None
        self._made_for = 0  # a width
        self._lines: list[Line] = []
        self._stops: list[tuple[str, int, int]] = []  # key, first line, number of lines
        self._sections: dict[str, int] = {}  # the first line of each
        self._moves: list[Callable[[], None]] = []  # asked for before there were lines

    def present(self, make: Make) -> None:
        """Show this from now on."""
        self._make = make
        self._renew()

    @property
    def is_fitted(self) -> bool:
        """Whether there are lines yet, made for the width that it has."""
        return bool(self._made_for)

    def begin(self) -> None:
        """What comes is about something else: from the top."""
        self.cursor, self.cursor_key, self.unfolded = 0, None, None
        self._lines, self._stops = [], []
        self.scroll_home(animate=False, immediate=True)

    def _renew(self) -> None:
        """Make the lines anew; twice where the cursor comes to stand on another entry."""
        self._made_for = self.size.width
        if self._make is None or not self._made_for:
            return  # not in sight: made when it comes
        for _ in range(2):
            key = self.cursor_key
            self._arrange(self._make(self.size.width, key))
            self.follow()
            if self.cursor_key == key:
                break
        moves, self._moves = self._moves, []
        for move in moves:
            move()

    def _arrange(self, entries: list[Entry]) -> None:
        self._lines, self._stops, self._sections = [], [], {}
        for entry in entries:
            if entry.section:
                self._sections[entry.section] = len(self._lines)
            if entry.key:
                self._stops.append((entry.key, len(self._lines), len(entry.lines)))
            self._lines.extend(entry.lines)
        self.cursor = max(0, min(self.cursor, len(self._stops) - 1))

    def show(self, section: str) -> None:
        """Bring the first line of that section into sight, with as much of it as there is room for."""

        def scroll() -> None:
            line = self._sections.get(section)
            if line is not None:
                self.scroll_to(y=line, animate=False, force=True, immediate=True)

        self._move(scroll)

    def on_resize(self, _event: Resize) -> None:
        """Fitted to the new width."""
        if self._made_for != self.size.width:
            self._renew()

    def _go(self, step: int) -> None:
        self._move(partial(super()._go, step))

    def _leaf(self, direction: int, *, pages: bool) -> None:
        self._move(partial(super()._leaf, direction, pages=pages))

    def action_first(self) -> None:
        """To the first."""
        self._move(super().action_first)

    def action_last(self) -> None:
        """To the last."""
        self._move(super().action_last)

    def _move(self, move: Callable[[], None]) -> None:
        """Now, or as soon as there is something to move in: keys may come faster than the first lines."""
        if self._made_for:
            move()
        else:
            self._moves.append(move)

    def on_click(self, event: Click) -> None:
        """A click on a key that works is a press of it."""
        line = self.scroll_offset.y + event.y
        label = key_at(self._lines[line], event.x) if line < len(self._lines) else None
        if label is not None and key_of_label(label) in self.screen.active_bindings:
            event.prevent_default()
            self.app.simulate_key(key_of_label(label))

    def move_to(self, stop: int) -> None:
        """The entry under the cursor may show more of itself."""
        super().move_to(stop)
        if self.unfolded != self.cursor_key:
            self.unfolded = None
        self._renew()

    @property
    def line_count(self) -> int:
        """All of them."""
        return len(self._lines)

    @property
    def stop_count(self) -> int:
        """The entries that have a key."""
        return len(self._stops)

    def line_of(self, stop: int) -> int:
        """Its first line."""
        return self._stops[stop][1]

    def lines_of(self, stop: int) -> int:
        """All of the entry but the blank one that ends it."""
        _, first, count = self._stops[stop]
        return count - (count > 1 and not self._lines[first + count - 1])

    def stop_at(self, line: int) -> int | None:
        """The entry whose line it is."""
        found = (stop for stop, (_, first, count) in enumerate(self._stops) if first <= line < first + count)
        return next(found, None)

    def key_of(self, stop: int) -> str:
        """The entry's."""
        return self._stops[stop][0]

    def line_at(self, line: int) -> Line:
        """As the tab made it."""
        return self._lines[line]
