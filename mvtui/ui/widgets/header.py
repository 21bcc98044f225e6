"""The first line: which host, how many microVMs in which state, read-only or not, the time."""

from collections import Counter

from mvtui.model.format import age
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.ui.lines import Line, Piece, cut, justified, width_of
from mvtui.ui.picture import Picture
from mvtui.ui.widgets.picture_line import PictureLine

_DROPPED_FIRST = (
    StateWord.UNKNOWN,
    StateWord.STOPPED,
    StateWord.STARTING,
    StateWord.STOPPING,
    StateWord.RUNNING,
    StateWord.ORPHAN,
    StateWord.DEGRADED,
)


def header_line(picture: Picture, width: int) -> Line:
    """The line, with the states that have room."""
    clock: Line = (
        ("  RO", "warning") if picture.read_only else ("  RW", "dim"),
        (f"  {picture.now:%H:%M}", "text"),
    )
    host = cut(clean(picture.host), max(8, width // 3))
    left: Line = (("mvtui  ", "key"), (host, "strong"), *_condition(picture))
    return justified((*left, *_counts(picture, width - width_of((*left, *clock)))), clock, width)


def _condition(picture: Picture) -> list[Piece]:
    pieces: list[Piece] = []
    if picture.snapshot is not None and picture.snapshot.manager != "systemd":
        pieces.append((f"  {picture.snapshot.manager}", "dim"))
    if picture.paused:
        pieces.append(("  paused", "warning"))
    if picture.stale_since is not None:
        pieces.append((f"  {age(picture.stale_since, picture.now)} old", "warning"))
    return pieces


def _counts(picture: Picture, width: int) -> list[Piece]:
    """How many there are, and of each state that has room, the worst before the others."""
    if picture.snapshot is None:
        return []
    microvms = picture.snapshot.microvms
    counts = Counter([microvm.state.word for microvm in microvms])
    words: dict[StateWord, Piece] = {
        word: (f"  {counts[word]} {word}", str(word)) for word in StateWord if counts[word]
    }
    total = (f"     {len(microvms)} VM{'' if len(microvms) == 1 else 's'}", "text")
    for word in _DROPPED_FIRST:
        if width_of((total, *words.values())) > width:
            words.pop(word, None)
    return [total, *words.values()]


class Header(PictureLine):
    """One line."""

    def line(self, picture: Picture, width: int) -> Line:
        """The line for this width."""
        return header_line(picture, width)
