"""`mvtui list` for people: the panel's list as plain lines."""

from datetime import datetime

from mvtui.cli.columns import aligned, cut, width
from mvtui.cli.glyphs import Glyphs
from mvtui.model.microvm import Snapshot
from mvtui.model.row import row
from mvtui.model.text import clean

_Cells = tuple[str, ...]

_HEADINGS = ("NAME", "STATE", "AGE", "CPU%", "MEM used/max", "FSD", "OVERLAY", "NOTE")
# So many are named; --json has them all.
_STRAYS = 8
_FLUSH_RIGHT = frozenset((2, 3, 4, 5, 6))
# A name has up to 255 bytes. In a pipe it is whole, and moves its own line alone where it is longer than this.
_NAME_CELLS = 40
# On a terminal so much is left of it, however little room there is.
_LEAST_NAME_CELLS = 12


def list_lines(snapshot: Snapshot, glyphs: Glyphs, now: datetime, columns: int | None = None) -> list[str]:
    """A heading and a line for each microVM; what else lies in the state directory is named below them.

    `columns` is the width of the terminal that shows them, where names are cut so that a line has room; None where
    programs read them."""
    rows = [row(microvm, now) for microvm in snapshot.microvms]
    cells: list[_Cells] = [(r.name, r.state, r.age, r.cpu, r.mem, r.fsd, r.overlay, r.note) for r in rows]
    if columns is not None:
        cells = _with_names_cut(cells, columns, glyphs.ellipsis)
    most = {0: _NAME_CELLS} if columns is None else {}
    lines = [] if not rows else aligned([_HEADINGS, *cells], _FLUSH_RIGHT, most)
    words = [microvm.state.word for microvm in snapshot.microvms]
    marks = ["  ", *(f"{glyphs.painted(word, glyphs.state(word))} " for word in words)]
    if not glyphs.marks:
        marks = [""] * len(marks)
    listed = [mark + line for mark, line in zip(marks, lines, strict=False)]
    if not rows and not snapshot.findings:
        listed.append(f"There are no microVMs in {clean(snapshot.state_dir)}. Try: mvtui demo")
    if snapshot.strays:
        named = [f"{clean(stray.name)} ({clean(stray.what)})" for stray in snapshot.strays[:_STRAYS]]
        more = len(snapshot.strays) - len(named)
        listed.append(f"no microVM: {', '.join(named)}{f' and {more} more' if more else ''}")
    return listed


def _with_names_cut(cells: list[_Cells], columns: int, ellipsis: str) -> list[_Cells]:
    nameless = aligned([("", *each[1:]) for each in (_HEADINGS, *cells)], _FLUSH_RIGHT)
    room = columns - max(map(width, nameless)) - len("  ") - len("  ")  # the mark and its blank; what is before STATE
    room = max(room, _LEAST_NAME_CELLS)
    return [(cut(name, room, ellipsis), *others) for name, *others in cells]
