"""`mvtui list` for people: the panel's list as plain lines."""

from collections.abc import Sequence
from datetime import datetime

from mvtui.cli.columns import aligned, cut, width
from mvtui.cli.glyphs import Glyphs
from mvtui.model.microvm import Snapshot
from mvtui.model.row import row, short_state_text
from mvtui.model.text import clean

_Cells = tuple[str, ...]

_HEADINGS = ("NAME", "STATE", "AGE", "CPU%", "MEM used/max", "FSD", "OVERLAY", "NOTE")
# So many are named; --json has them all.
_STRAYS = 8
_FLUSH_RIGHT = frozenset((2, 3, 4, 5, 6))
# A name has up to 255 bytes. In a pipe it is whole, and moves its own line alone where it is longer than this.
_NAME_CELLS = 40
# On a terminal so much is left of it while there is anything else that can be shorter.
_LEAST_NAME_CELLS = 12
# With room for `failed exit 127`.
_STATE_CELLS = 15
# A note with less room is left out, and before it the numbers.
_LEAST_NOTE_CELLS = 12
_NAME, _STATE, _NOTE = 0, 1, 7
_NOT_ASKED = "guests were not asked; mvtui list --closer asks"
_NO_NUMBERS = frozenset((_NAME, _STATE, _NOTE))
_NO_NOTE = frozenset((_NAME, _STATE))


def list_lines(snapshot: Snapshot, glyphs: Glyphs, now: datetime, columns: int | None = None) -> list[str]:
    """A heading and a line for each microVM; what else lies in the state directory is named below them.

    `columns` is the width of the terminal that shows them, where no line is wider; None where programs read them."""
    rows = [row(microvm, now) for microvm in snapshot.microvms]
    cells: list[_Cells] = [_HEADINGS]
    cells += [(r.name, r.state, r.age, r.cpu, r.mem, r.fsd, r.overlay, r.note) for r in rows]
    if not rows:
        lines = []
    elif columns is None:
        lines = aligned(cells, _FLUSH_RIGHT, {_NAME: _NAME_CELLS})
    else:
        lines = _fitted(cells, columns - len("  ") if glyphs.marks else columns, glyphs.ellipsis)
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
    if columns is not None and any(one.state.word.is_up and one.closer is None for one in snapshot.microvms):
        listed.append(cut(_NOT_ASKED, columns, glyphs.ellipsis))
    return glyphs.lines(listed)


def _fitted(cells: list[_Cells], room: int, ellipsis: str) -> list[str]:
    """The lines in `room` cells. What gives way, in this order: names, states, the blanks between columns, notes, then
    the numbers, the notes, and what is left of the names."""
    for rows in (cells, short := [(name, short_state_text(s, _STATE_CELLS), *more) for name, s, *more in cells]):
        lines = aligned(_cut_column(rows, _NAME, room, _LEAST_NAME_CELLS, ellipsis), _FLUSH_RIGHT)
        if max(map(width, lines)) <= room:
            return lines
    for shown, column, least in (
        (frozenset(range(len(_HEADINGS))), _NOTE, _LEAST_NOTE_CELLS),
        (_NO_NUMBERS, _NOTE, _LEAST_NOTE_CELLS),
        (_NO_NOTE, _NAME, 1),
    ):
        rows = [tuple(text if each in shown else "" for each, text in enumerate(row)) for row in short]
        rows = _cut_column(rows, _NAME, room, _LEAST_NAME_CELLS, ellipsis, gap=1)
        lines = aligned(_cut_column(rows, column, room, least, ellipsis, gap=1), _FLUSH_RIGHT, gap=1)
        if max(map(width, lines)) <= room:
            return lines
    return [cut(line, max(1, room), ellipsis) for line in lines]


def _cut_column(
    rows: Sequence[_Cells], column: int, room: int, least: int, ellipsis: str, *, gap: int = 2
) -> list[_Cells]:
    """The rows with the texts of `column` cut so that their lines have room, but to no less than `least` cells."""
    widest = max(width(row[column]) for row in rows)
    over = max(map(width, aligned(rows, _FLUSH_RIGHT, gap=gap))) - room
    cells = max(widest - over, least)
    return [(*row[:column], cut(row[column], cells, ellipsis), *row[column + 1 :]) for row in rows]
