"""The list's columns: which there are at a width, and in which role each cell stands. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from mvtui.model.format import AGE_WIDTH, PERCENT_WIDTH, SIZE_WIDTH
from mvtui.model.microvm import MicroVM, ShareHealth
from mvtui.model.row import Row, overlay_percent, row, short_state_text
from mvtui.ui.charset import fit
from mvtui.ui.glyphs import state_glyph
from mvtui.ui.lines import Line, Piece
from mvtui.ui.roles import SEVERITY_ROLES

# Below this many columns, the numbers are left out; below the second, the note as well.
FULL_WIDTH = 80
NARROW_WIDTH = 40
# From here on an overlay is nearly full, and stands out; a finding comes later.
WARNING_PERCENT = 80.0
# Behind the glyph of a row that is marked.
MARK = "+"


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells, the gap behind it not counted; `cell` gives text and role."""

    title: str
    width: int
    cell: Callable[[MicroVM, Row], Piece]
    gap: int = 1
    right: bool = False

    @property
    def name(self) -> str:
        """What the list is sorted by when it is sorted by this column (`listing.COLUMNS`)."""
        return self.title.partition(" ")[0]

    def head(self, mark: str = "") -> str:
        """The title; `mark` stands right behind it, if need be in the gap."""
        width, gap = self.width, self.gap
        title = fit(self.title, min(width, len(self.title)))
        if self.right:
            return fit(title, width, right=True) + (mark or " " * gap)
        return fit(title + mark, width + gap)


def _fsd(microvm: MicroVM, texts: Row) -> Piece:
    up = microvm.state.word.is_up
    down = up and any(share.health is ShareHealth.DOWN for share in microvm.shares)
    return texts.fsd, "error" if down else "text"


def _overlay(microvm: MicroVM, texts: Row) -> Piece:
    return texts.overlay, "warning" if (overlay_percent(microvm) or 0.0) >= WARNING_PERCENT else "text"


def _note(microvm: MicroVM, texts: Row) -> Piece:
    return texts.note, SEVERITY_ROLES[microvm.findings[0].severity] if microvm.findings else "text"


_GLYPH = Column("", 1, lambda microvm, _: state_glyph(microvm.state.word, ascii_only=False))
_ASCII_GLYPH = Column("", 1, lambda microvm, _: state_glyph(microvm.state.word, ascii_only=True))
_NAME = Column("NAME", 11, lambda _, texts: (texts.name, "strong"))


def _state(width: int) -> Column:
    return Column(
        "STATE", width, lambda microvm, texts: (short_state_text(texts.state, width), str(microvm.state.word))
    )


# With room for `failed exit 127`; the wide one, for `failed dependency`.
_STATE, _WIDE_STATE = _state(15), _state(17)
_NOTE = Column("NOTE", 0, _note, gap=0)
_NUMBERS = (
    Column("AGE", AGE_WIDTH, lambda _, texts: (texts.age, "text"), right=True),
    Column("CPU%", PERCENT_WIDTH, lambda _, texts: (texts.cpu, "text"), right=True),
    Column("MEM used/max", 12, lambda _, texts: (texts.mem, "text")),
    Column("FSD", 3, _fsd, gap=2, right=True),
    Column("OVERLAY", SIZE_WIDTH + len(" 100%"), _overlay),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns with their first cell. `columns` fill the width exactly."""

    columns: tuple[tuple[Column, int], ...]

    def cells(self, microvm: MicroVM, now: datetime) -> Line:
        """What the microVM says in each column."""
        texts = row(microvm, now)
        return tuple([column.cell(microvm, texts) for column, _ in self.columns])

    def line(self, cells: Line, *, marked: bool = False) -> Line:
        """The cells, each in the width of its column; a marked row has a sign behind its glyph."""
        line = [
            (fit(text, column.width, right=column.right) + " " * column.gap, role)
            for (column, _), (text, role) in zip(self.columns, cells, strict=True)
        ]
        if marked:
            return (cells[0], (MARK, "warning"), *line[1:])
        return tuple(line)

    def heads(self, sort: str, mark: str) -> Line:
        """The titles, with `mark` behind that of the column named `sort`; where that is not shown, the last says it."""
        titles: list[Piece] = []
        for column, _ in self.columns:
            chosen = bool(mark) and column.name == sort
            titles.append((column.head(mark if chosen else ""), "strong" if chosen else "dim"))
        if mark and all(column.name != sort for column, _ in self.columns):
            last, _ = self.columns[-1]
            titles[-1] = (fit(f"{last.title}  by {sort}{mark}", last.width), "strong")
        return tuple(titles)


@lru_cache(16)
def layout(width: int, ascii_only: bool) -> Layout:
    """The columns that `width` has room for. Names get half of what 80 columns leave over, notes the other half."""
    glyph = _ASCII_GLYPH if ascii_only else _GLYPH
    if width >= FULL_WIDTH:
        state = _WIDE_STATE if width >= FULL_WIDTH + 10 else _STATE
        name = replace(_NAME, width=_NAME.width + min((width - FULL_WIDTH) // 2, 30))
        chosen = [glyph, name, state, *_NUMBERS, _NOTE]
    elif width >= NARROW_WIDTH:
        name = replace(_NAME, width=_NAME.width + (width - NARROW_WIDTH) // 2)
        chosen = [glyph, name, _WIDE_STATE, _NOTE]
    else:
        chosen = [glyph, replace(_NAME, width=max(4, width - 18)), _STATE]
    columns, x = [], 0
    for column in chosen:
        own = column if column.width else replace(column, width=max(0, width - x))
        columns.append((own, x))
        x += own.width + own.gap
    return Layout(tuple(columns))
