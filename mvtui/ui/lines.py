"""Lines of text in roles: what every widget of the panel paints, and how it becomes strips of styled cells."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from mvtui.ui.charset import ELLIPSIS, fit, to_ascii
from mvtui.ui.roles import style_of

# (text, role)
Piece = tuple[str, str]
Line = tuple[Piece, ...]


def in_ascii(app: App[object]) -> bool:
    """True where the terminal shows ASCII alone."""
    return bool(getattr(app, "ascii_only", False))


def width_of(line: Line) -> int:
    """The line's length in cells."""
    return sum([cell_len(text) for text, _ in line])


def to_strip(widget: Widget, line: Line, *, highlight: Style | None = None, emphasis: str = "") -> Strip:
    """The line in the widget's width; neighbours of one role become one segment, which costs fewer bytes."""
    ascii_only, background, width = in_ascii(widget.app), widget.background_colors[1], widget.size.width
    merged: list[list[str]] = []
    for text, role in (*line, (" " * width, "text")):
        if merged and merged[-1][1] == role:
            merged[-1][0] += text
        else:
            merged.append([text, role])
    segments = []
    for text, role in merged:
        style = style_of(widget, role, background, emphasis)
        segments.append(Segment(to_ascii(text) if ascii_only else text, style + highlight if highlight else style))
    return Strip(segments).crop(0, width)


def _common(old: Line, new: Line) -> Line:
    """The pieces at the start that are the same."""
    same = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        same += 1
    return old[:same]


def justified(left: Line, right: Line, width: int) -> Line:
    """`left` and `right` at the ends of a line; of `left`, whole pieces that have no room are left out."""
    room = width - width_of(right)
    kept: list[Piece] = []
    for piece in left:
        if width_of((*kept, piece)) > room:
            break
        kept.append(piece)
    gap = max(0, room - width_of(tuple(kept)))
    return (*kept, (" " * gap, "text"), *right)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells."""
    return fit(text, max(0, width)).rstrip(" ")


def clipped(line: Line, width: int) -> Line:
    """The line in at most `width` cells; what has no room ends in an ellipsis."""
    if width_of(line) <= width:
        return line
    kept: list[Piece] = []
    for text, role in line:
        room = width - width_of(tuple(kept))
        if cell_len(text) >= room:
            kept.append((fit(text + ELLIPSIS, room), role))
            break
        kept.append((text, role))
    return tuple(kept)


def wrapped(text: str, width: int, count: int) -> list[str]:
    """`text` in at most `count` lines of `width` cells, broken between words; what has no room ends in an ellipsis."""
    lines: list[str] = []
    rest = text.split(" ")
    while rest and len(lines) < count - 1:
        line = [rest.pop(0)]
        while rest and cell_len(" ".join((*line, rest[0]))) <= width:
            line.append(rest.pop(0))
        lines.append(cut(" ".join(line), width))
    if rest:
        lines.append(cut(" ".join(rest), width))
    return lines


class Lines(Widget):
    """A widget that shows lines which follow from what it knows and its size; `update` paints again what reads
    otherwise, each line from where it differs."""

    # The word of the theme whose style all of it has.
    emphasis = ""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._fitted: Size | None = None

    def fitted(self, size: Size) -> Sequence[Line]:
        """The lines for this size."""
        raise NotImplementedError

    def update(self) -> None:
        """What it knows has changed."""
        if self._fitted != self.size:
            self._fitted = None  # not in sight: fitted when it comes
            self.refresh()
            return
        before, self._lines = self._lines, tuple(self.fitted(self.size))
        for y in range(max(len(before), len(self._lines))):
            old = before[y] if y < len(before) else ()
            new = self._lines[y] if y < len(self._lines) else ()
            if old != new:
                start = width_of(_common(old, new))
                end = max(width_of(old), width_of(new))
                self.refresh(Region(start, y, end - start, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the widget's content."""
        if self._fitted != self.size:
            self._fitted, self._lines = self.size, tuple(self.fitted(self.size))
        return to_strip(self, self._lines[y] if y < len(self._lines) else (), emphasis=self.emphasis)
