"""Which rows of a log are in sight, and how they scroll. Only what is in sight is made into rows. Pure."""

from collections.abc import Callable
from typing import NamedTuple

from mvtui.ui.lines import Line
from mvtui.ui.logs.window import LogWindow

Rows = Callable[[int], list[Line]]


class Top(NamedTuple):
    """The row at the top: of which record, and which of its rows."""

    number: int
    row: int = 0


class Viewport:
    """`rows` gives those of a record. `top` None: the end is in sight, and what comes moves up from there."""

    def __init__(self, window: LogWindow, rows: Rows) -> None:
        self.window, self._rows = window, rows
        self.top: Top | None = None

    def visible(self, height: int) -> list[tuple[int, Line]]:
        """The rows in sight, each with the number of its record."""
        top = self._within(self.top) if self.top is not None else self.last_top(height)
        shown: list[tuple[int, Line]] = []
        number, skip = top
        while len(shown) < height and number < self.window.end:
            shown += [(number, row) for row in self._rows(number)[skip:]]
            number, skip = number + 1, 0
        return shown[:height]

    def last_top(self, height: int) -> Top:
        """The top with which the last row is at the bottom."""
        return self._up(Top(self.window.end), height)[0]

    def scroll(self, step: int, height: int) -> int:
        """Scroll by so many rows, up where it is negative; how many of them there was nothing to scroll to."""
        last = self.last_top(height)
        top = self._within(self.top) if self.top is not None else last
        if step < 0:
            self.top, missing = self._up(top, -step)
            return -missing
        left = step
        while left > 0 and top < last:
            count = len(self._rows(top.number))
            move = min(left, count - top.row)
            top, left = Top(top.number, top.row + move), left - move
            if top.row >= count:
                top = Top(top.number + 1)
        if top > last:
            top, left = last, left + 1
        self.top = top
        return left

    def show(self, number: int, height: int) -> None:
        """Bring that record into sight: it stays where it is if it is there, else it comes to a third of the height."""
        if number not in {shown for shown, _ in self.visible(height)}:
            self.top = self._up(Top(number), height // 3)[0]
        elif self.top is None:
            self.top = self.last_top(height)

    def _up(self, top: Top, count: int) -> tuple[Top, int]:
        """So many rows above `top`, and how many of them are missing."""
        number, row = top
        while count > row:
            if number <= self.window.first:
                return Top(self.window.first), count - row
            count -= row
            number -= 1
            row = len(self._rows(number))
        return Top(number, row - count), 0

    def _within(self, top: Top) -> Top:
        """The same, or the nearest that is still there."""
        if top.number < self.window.first:
            return Top(self.window.first)
        if top.number >= self.window.end:
            return Top(max(self.window.first, self.window.end - 1))
        return Top(top.number, min(top.row, len(self._rows(top.number)) - 1))
