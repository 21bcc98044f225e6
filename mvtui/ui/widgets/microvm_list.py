"""The list: one line for each microVM that is shown, in the order that was asked for."""

from collections.abc import Sequence
from datetime import datetime

from textual.events import Click
from textual.geometry import Size
from textual.message import Message

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.text import clean
from mvtui.ui.commands import hint
from mvtui.ui.empty import empty_lines, filtered_lines
from mvtui.ui.keys import all_keys
from mvtui.ui.lines import Line, Lines, in_ascii
from mvtui.ui.listing import COLUMNS, NAME, Listing
from mvtui.ui.picture import Picture
from mvtui.ui.rows import Layout, layout
from mvtui.ui.widgets.cursor_lines import CursorLines

_ARROWS = {True: ("↑", "^"), False: ("↓", "v")}


class Heads(Lines):
    """The columns' titles; a click sorts by that column, another one the other way round."""

    class Sorted(Message):
        """A column was clicked: one of `listing.COLUMNS`."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self) -> None:
        super().__init__()
        self._listing = Listing()

    def present(self, listing: Listing) -> None:
        """Show how the list is sorted."""
        if listing != self._listing:
            self._listing = listing
            self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """One line for this width."""
        ascii_only = in_ascii(self.app)
        default = self._listing.sort == NAME and not self._listing.reverse
        arrow = "" if default else _ARROWS[self._listing.reverse][ascii_only]
        return (layout(size.width, ascii_only).heads(self._listing.sort, arrow),)

    def on_click(self, event: Click) -> None:
        """Sort by what was clicked."""
        for column, x in layout(self.size.width, in_ascii(self.app)).columns:
            if x <= event.x < x + column.width + column.gap and column.name in COLUMNS:
                self.post_message(self.Sorted(column.name))


class MicroVMList(CursorLines):
    """`names` stand there before the first snapshot; an explanation where no microVM is shown."""

    class Arranged(Message):
        """The filter, the order or the marks are others."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__()
        self._names = tuple(names)
        self._snapshot: Snapshot | None = None
        self._shown: tuple[MicroVM, ...] = ()
        self._now = datetime.min
        self._dimmed = False
        self.listing = Listing()
        self.marks: frozenset[str] = frozenset()

    @property
    def selected(self) -> MicroVM | None:
        """The microVM under the cursor."""
        return self._shown[self.cursor] if self._shown else None

    @property
    def marked(self) -> tuple[MicroVM, ...]:
        """Those that are marked, shown or not, in the order of their names."""
        microvms = self._snapshot.microvms if self._snapshot is not None and self.marks else ()
        return tuple(microvm for microvm in microvms if microvm.name in self.marks)

    @property
    def shown(self) -> tuple[MicroVM, ...]:
        """Those that the filter lets through, in their order."""
        return self._shown

    @property
    def position(self) -> str:
        """Where the cursor is: `3/12`."""
        return f"{self.cursor + 1}/{self.stop_count}"

    @property
    def count(self) -> int:
        """How many there are, shown or not."""
        return len(self._snapshot.microvms) if self._snapshot is not None else 0

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        if picture.snapshot is None:
            return
        self._snapshot, self._now, self._dimmed = picture.snapshot, picture.now, picture.stale_since is not None
        if self.marks:
            self.marks = frozenset(microvm.name for microvm in self.marked)
        self._shown = self.listing.arranged(picture.snapshot.microvms)
        self.follow()

    # What stands there

    @property
    def stop_count(self) -> int:
        """A stop for each row."""
        return len(self._names) if self._snapshot is None else len(self._shown)

    @property
    def line_count(self) -> int:
        """A line for each row, or those of an explanation."""
        return self.stop_count or len(self._instead())

    def key_of(self, stop: int) -> str:
        """Its name."""
        return self._names[stop] if self._snapshot is None else self._shown[stop].name

    def line_at(self, line: int) -> Line:
        """A cell for each column, or pieces of text where there is no microVM."""
        if self._snapshot is None:
            return (("  ", "text"), (clean(self._names[line]), "strong"))
        if not self._shown:
            return self._instead()[line]
        microvm = self._shown[line]
        cells = self._layout.cells(microvm, self._now)
        if self._dimmed:
            cells = tuple([(text, "dim") for text, _ in cells])
        return self._layout.line(cells, marked=microvm.name in self.marks)

    def _instead(self) -> tuple[Line, ...]:
        if self._snapshot is None:
            return ()
        if self._snapshot.microvms:
            return filtered_lines(self.listing.words, hint("leave", all_keys(self.app)), self.size.width)
        return empty_lines(self._snapshot, self.size.width)

    @property
    def _layout(self) -> Layout:
        return layout(self.size.width, in_ascii(self.app))

    # What is shown, and how

    def list_as(self, listing: Listing) -> None:
        """Filter and sort so from now on."""
        if listing != self.listing:
            self.listing = listing
            if self._snapshot is not None:
                self._shown = listing.arranged(self._snapshot.microvms)
                self.follow()
            self.post_message(self.Arranged())

    def mark(self, names: frozenset[str]) -> None:
        """Mark these and no other."""
        if names != self.marks:
            self.marks = names
            self.follow()
            self.post_message(self.Arranged())
