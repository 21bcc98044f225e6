"""A line that follows from the picture: header and status are such."""

from textual.geometry import Size

from mvtui.ui.lines import Line, Lines
from mvtui.ui.picture import Picture


class PictureLine(Lines):
    """One line; empty before the first picture."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None

    def line(self, picture: Picture, width: int) -> Line:
        """The line of the picture in at most `width` cells."""
        raise NotImplementedError

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        self._picture = picture
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """The line for this width."""
        return (self.line(self._picture, size.width),) if self._picture is not None else ()
