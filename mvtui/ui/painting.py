"""What is sent to the terminal: the cells that changed, and no more of their line.

Textual 8.2 resends everything left of a changed cell (`ChopsUpdate.render_segments` does not look at the start of a
span); on a slow line that is most of a tick.
"""

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


class CroppedUpdate(ChopsUpdate):
    """An update whose spans are cropped at both ends."""

    def render_segments(self, console: Console) -> str:
        """The escape sequences and text that paint the spans."""
        parts: list[str] = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=True):
                left, right = max(x, x1), min(end, x2)
                if strip is not None and left < right:
                    parts.append(Control.move_to(left, y).segment.text)
                    parts.append(strip.crop(left - x, right - x).render(console))
        return "".join(parts)


class PanelCompositor(Compositor):
    """A compositor whose partial updates are cropped."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """The update of all regions that are dirty, None where there are none."""
        update = super().render_partial_update()
        return None if update is None else CroppedUpdate(update.chops, update.spans, update.chop_ends)
