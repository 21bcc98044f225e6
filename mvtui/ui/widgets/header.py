"""The first line: which host, how many microVMs in which state or which one is open, read-only or not, the time."""

from collections import Counter

from mvtui.model.format import age
from mvtui.model.row import state_text
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.ui.glyphs import glyph_of
from mvtui.ui.lines import Line, Piece, cut, in_ascii, justified, width_of
from mvtui.ui.moment import moment
from mvtui.ui.picture import Picture
from mvtui.ui.widgets.microvm_list import MicroVMList
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


def header_line(picture: Picture, width: int, listing: str = "") -> Line:
    """The line above the list, with the states that have room; `listing` says what is not shown, and what is marked."""
    clock = _clock(picture)
    host = cut(clean(picture.host), max(8, width // 3))
    told: Line = ((f"  {cut(clean(listing), width // 2)}", "warning"),) if listing else ()
    left: Line = (("mvtui  ", "strong"), (host, "strong"), *_condition(picture), *told)
    counts = _counts(picture, width - width_of((*left, *clock)), total=not listing)
    return justified((*left, *counts), clock, width)


def page_line(picture: Picture, name: str, ascii_only: bool, width: int) -> Line:
    """The line above the page of a microVM: which one on which host, and its state."""
    clock, microvm = _clock(picture), picture.find(name)
    host_piece = (cut(clean(picture.host), max(8, width // 4)), "strong")
    room = max(4, min(width // 2, width - width_of((host_piece, *clock)) - 3))
    path: Line = (host_piece, (" > ", "dim"), (cut(clean(name), room), "strong"))
    if microvm is None:
        return justified((*path, ("  gone", "warning"), *_age(picture)), clock, width)
    state = microvm.state
    glyph = glyph_of(state.word, ascii_only)
    since = f" since {moment(state.since, picture.now)}" if state.since is not None else ""
    words: Line = ((f"   {glyph} {state_text(state, picture.now)}", str(state.word)), (since, "dim"))
    return justified((*path, *words, *_age(picture)), clock, width)


def _clock(picture: Picture) -> Line:
    access = ("  RO", "warning") if picture.read_only else ("  RW", "dim")
    return (access, (f"  {picture.now:%H:%M}", "text"))


def _condition(picture: Picture) -> list[Piece]:
    pieces: list[Piece] = []
    if picture.snapshot is not None and picture.snapshot.manager != "systemd":
        pieces.append((f"  {picture.snapshot.manager}", "dim"))
    return [*pieces, *_age(picture)]


def _age(picture: Picture) -> list[Piece]:
    """Whether it stands still, and how old it is."""
    pieces: list[Piece] = []
    if picture.paused:
        pieces.append(("  paused", "warning"))
    if picture.stale_since is not None:
        pieces.append((f"  {age(picture.stale_since, picture.now)} old", "warning"))
    return pieces


def _counts(picture: Picture, width: int, *, total: bool) -> list[Piece]:
    """How many there are (where `total`), and of each state that has room, the worst before the others."""
    if picture.snapshot is None:
        return []
    microvms = picture.snapshot.microvms
    counts = Counter([microvm.state.word for microvm in microvms])
    words: dict[StateWord, Piece] = {
        word: (f"  {counts[word]} {word}", str(word)) for word in StateWord if counts[word]
    }
    count: Line = ((f"     {len(microvms)} VM{'' if len(microvms) == 1 else 's'}", "text"),) if total else ()
    for word in _DROPPED_FIRST:
        if width_of((*count, *words.values())) <= width:
            break
        if word is StateWord.RUNNING and len(words) > 1 and width_of(tuple(words.values())) <= width:
            return list(words.values())  # how many there are in all stands below the list too
        words.pop(word, None)
    return [*count, *words.values()]


class Header(PictureLine):
    """One line; `opened` is the microVM whose page is open, None above the list."""

    opened: str | None = None
    _listing = ""

    def show_list(self, microvms: MicroVMList) -> None:
        """What of the list is shown and marked."""
        parts = (
            [f"{microvms.listing.words} {len(microvms.shown)} of {microvms.count}"] if microvms.listing.filters else []
        )
        parts += [f"{len(microvms.marks)} marked"] if microvms.marks else []
        listing = "  ".join(parts)
        if listing != self._listing:
            self._listing = listing
            self.update()

    def line(self, picture: Picture, width: int) -> Line:
        """The line for this width."""
        if self.opened is not None:
            return page_line(picture, self.opened, in_ascii(self.app), width)
        return header_line(picture, width, self._listing)
