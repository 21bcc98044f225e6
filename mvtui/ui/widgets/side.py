"""The overview of the selected microVM, beside the list where the terminal is wide."""

from datetime import datetime

from textual.geometry import Size

from mvtui.model.microvm import MicroVM
from mvtui.ui.keys import all_keys
from mvtui.ui.lines import Line, Lines, in_ascii
from mvtui.ui.trends import Trends

_EDGE: Line = (("│ ", "dim"),)


class Side(Lines):
    """Painted only where it is in sight."""

    def __init__(self, trends: Trends) -> None:
        super().__init__()
        self._trends = trends
        self._microvm: MicroVM | None = None
        self._now = datetime.min

    def present(self, microvm: MicroVM | None, now: datetime | None) -> None:
        """Show this one from now on."""
        self._microvm, self._now = microvm, now or self._now
        if self.display:
            self.update()

    def fitted(self, size: Size) -> list[Line]:
        """The lines for this size."""
        if self._microvm is None:
            return [_EDGE] * size.height
        from mvtui.ui.tabs import overview  # noqa: PLC0415  (most terminals are too narrow for it)
        from mvtui.ui.tabs.page import Page  # noqa: PLC0415

        page = Page(self._microvm, self._now, self._trends, in_ascii(self.app), keys=all_keys(self.app))
        lines = overview.beside_list(page, size.width - 2)
        return [(*_EDGE, *(lines[y] if y < len(lines) else ())) for y in range(size.height)]
