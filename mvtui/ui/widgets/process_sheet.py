"""The tab of processes: a sheet on which a key unfolds the command line that the cursor is on."""

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from mvtui.ui.command import Place
from mvtui.ui.commands import bindings
from mvtui.ui.widgets.sheet import Sheet


class ProcessSheet(Sheet):
    """The entry under the cursor shows the beginning of a command line, or all of it."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.PROCESSES))

    @on(Sheet.Chosen)
    def action_unfold(self) -> None:
        """Show all of the command line, with as much of it in sight as there is room for; or fold it again."""
        self.unfolded = self.cursor_key if self.unfolded is None else None
        self._renew()
        if self.unfolded is None and self.cursor == 0:
            self.scroll_home(animate=False, immediate=True)
        else:  # once it is known that there is more to scroll
            self.call_after_refresh(self.scroll_to_cursor, whole=self.unfolded is not None)
