"""What is sent to the terminal: the cells that read otherwise than what stands there, and nothing else.

Textual 8.2 sends every region that may have changed, each of its lines from the start (`ChopsUpdate.render_segments`
does not look at the start of a span), each segment with all its colours; on a slow line, opening a page takes 10 kB so.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from mvtui.ui.abilities import ALL, Abilities
from mvtui.ui.cells import Lines, Screenful, cells_of

if TYPE_CHECKING:
    from textual.screen import Screen


class CellsUpdate(CompositorUpdate):
    """Lines, of which those cells are sent that read otherwise."""

    def __init__(self, screenful: Screenful, lines: Lines) -> None:
        self._screenful = screenful
        self._lines = lines

    def render_segments(self, console: Console) -> str:  # noqa: ARG002
        """The escape sequences and text; Textual sends them. What is dropped instead (in a batch) never comes here."""
        return self._screenful.paint(self._lines)


class PanelCompositor(Compositor):
    """A compositor that knows what stands on a terminal of such abilities; who sees something else get there calls
    `forget`."""

    def __init__(self, abilities: Abilities = ALL) -> None:
        super().__init__()
        self._abilities = abilities
        self._screenful = Screenful(abilities)
        self._painted_size = Size(0, 0)

    def forget(self) -> None:
        """Anything may stand on the terminal."""
        self._screenful.forget()

    def render_update(
        self, full: bool = False, screen_stack: "list[Screen[Any]] | None" = None, simplify: bool = False
    ) -> RenderableType | None:
        """The update of what is dirty, None where all of it reads as it did. `full` is asked for by pictures of the
        screen, which are not for the terminal."""
        if not full:  # whole lines, or what lies over them at another place would be missing
            self._dirty_regions = {Region(0, one.y, self.size.width, one.height) for one in self._dirty_regions}
        update = super().render_update(full, screen_stack, simplify)
        if full or self.root is None or not isinstance(update, ChopsUpdate | LayoutUpdate):
            return update
        if self._painted_size != self.size:
            self._painted_size = self.size
            self.forget()
        colours = self.root.app.console._color_system or ColorSystem.TRUECOLOR
        lines = {
            y: [cell for strip in strips for cell in cells_of(strip, colours, self._abilities)]
            for y, strips in _lines(update)
        }
        changed = {y: cells for y, cells in lines.items() if cells != self._screenful.line(y)}
        # Textual takes its own updates for renderables, and asks them for their text alone.
        return cast("RenderableType", CellsUpdate(self._screenful, changed)) if changed else None


def _lines(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, Iterable[Strip]]]:
    """The lines of an update, with their numbers."""
    if isinstance(update, LayoutUpdate):
        yield from enumerate(update.strips)
    else:
        for y in sorted({y for y, _, _ in update.spans}):
            yield y, [strip for strip in update.chops[y].values() if strip is not None]
