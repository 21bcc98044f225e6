"""The first line: which host, how many microVMs in which state, read-only or not, the time."""

from collections import Counter

from mvtui.model.format import age
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.ui.lines import Line, Lines, Piece, cut, justified
from mvtui.ui.picture import Picture


def header_line(picture: Picture, width: int) -> Line:
    """The line, with the states that have room."""
    clock: Line = (
        ("  RO", "warning") if picture.read_only else ("  RW", "dim"),
        (f"  {picture.now:%H:%M}", "text"),
    )
    host = cut(clean(picture.host), max(8, width // 3))
    return justified((("mvtui  ", "key"), (host, "strong"), *_condition(picture), *_counts(picture)), clock, width)


def _condition(picture: Picture) -> list[Piece]:
    pieces: list[Piece] = []
    if picture.snapshot is not None and picture.snapshot.manager != "systemd":
        pieces.append((f"  {picture.snapshot.manager}", "dim"))
    if picture.paused:
        pieces.append(("  paused", "warning"))
    if picture.stale_since is not None:
        pieces.append((f"  {age(picture.stale_since, picture.now)} old", "warning"))
    return pieces


def _counts(picture: Picture) -> list[Piece]:
    if picture.snapshot is None:
        return []
    microvms = picture.snapshot.microvms
    counts = Counter(microvm.state.word for microvm in microvms)
    words: list[Piece] = [(f"  {counts[word]} {word}", str(word)) for word in StateWord if counts[word]]
    return [(f"     {len(microvms)} VM{'' if len(microvms) == 1 else 's'}", "text"), *words]


class Header(Lines):
    """One line."""

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        self.show(header_line(picture, self.size.width))
