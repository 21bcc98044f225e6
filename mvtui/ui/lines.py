"""Lines of text in roles: what every widget of the panel paints, and how it becomes strips of styled cells."""

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.events import Click
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from mvtui.ui.charset import ELLIPSIS, fit, fit_end, to_ascii
from mvtui.ui.keys import key_of_label
from mvtui.ui.roles import style_of

# (text, role)
Piece = tuple[str, str]
Line = tuple[Piece, ...]

# The role of what stands out in reverse, and on a line that is in reverse, by not being so.
CARET = "caret"

_PATH = re.compile(r"/[^\s:;,()]+")
# So many cells of a path tell it from others.
_LEAST_OF_A_PATH = 20


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
        if highlight:
            style += highlight
        if role == CARET:
            style += Style(reverse=not style.reverse)
        segments.append(Segment(to_ascii(text) if ascii_only else text, style))
    return Strip(segments).crop(0, width)


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


def ruled(title: str, width: int, end: str = "", role: str = "strong") -> Line:
    """A title, and a rule to the end of the line, where `end` stands."""
    start: Line = (("─ ", "dim"), (cut(title, width - 8 - len(end)), role), (" ", "dim"))
    return (*start, ("─" * max(0, width - width_of(start) - len(end)) + end, "dim"))


def key_at(line: Line, x: int) -> str | None:
    """The key that a line offers at cell `x`: on a piece in the role `key` (or `off`, where it only says why not), and
    on the one behind it, its words."""
    before = None
    for text, role in line:
        own = text.strip() if role in ("key", "off") else None
        x -= cell_len(text)
        if x < 0:
            return own or before
        before = own
    return None


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


def with_short_paths(line: Line, width: int) -> Line:
    """The line with as much of the starts of its paths left out as it is longer than `width` cells: what is wrong with
    a path is said behind it."""
    over = width_of(line) - width

    def shortened(path: re.Match[str]) -> str:
        nonlocal over
        length = cell_len(path[0])
        kept = max(length - max(over, 0), min(length, _LEAST_OF_A_PATH))
        over -= length - kept
        return fit_end(path[0], kept)

    return tuple([(_PATH.sub(shortened, text), role) for text, role in line])


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


def folded(text: str, width: int, count: int) -> list[str]:
    """All of `text` in lines of `width` cells; a word that is longer goes over several, broken behind a slash, dash or
    comma where one is near; at most `count` lines, the last of which ends in an ellipsis where that is not all."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        start = 0
        while start < len(word) and len(lines) <= count:
            if lines[-1]:
                lines.append("")
            lines[-1] = _beginning(word[start : start + 4 * width], width)
            start += len(lines[-1])
        if len(lines) > count:
            return [*lines[: count - 1], cut(lines[count - 1] + ELLIPSIS, width)]
    return lines


def _beginning(word: str, width: int) -> str:
    """As much of it as has room, but at least one character; at least half of that where it breaks well."""
    if cell_len(word) <= width:
        return word
    most = set_cell_size(word, width).rstrip(" ") or word[0]
    good = max(map(most.rfind, "/-,")) + 1
    return most[:good] if 2 * good > len(most) else most


class Lines(Widget):
    """A widget that shows lines which follow from what it knows and its size; `update` paints those again that read
    otherwise."""

    # The word of the theme whose style all of it has.
    emphasis = ""

    def __init__(self) -> None:
        super().__init__()
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
                self.refresh(Region(0, y, self.size.width, 1))

    def on_click(self, event: Click) -> None:
        """A click on a key is a press of it."""
        line = self._lines[event.y] if event.y < len(self._lines) else ()
        label = key_at(line, event.x)
        if label is not None:
            self.app.simulate_key(key_of_label(label))

    def render_line(self, y: int) -> Strip:
        """One line of the widget's content."""
        if self._fitted != self.size:
            self._fitted, self._lines = self.size, tuple(self.fitted(self.size))
        return to_strip(self, self._lines[y] if y < len(self._lines) else (), emphasis=self.emphasis)
