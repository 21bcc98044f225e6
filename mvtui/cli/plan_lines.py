"""A reset's plan as text: titles in one column, a mark before every precondition, lines that have room."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from mvtui.cli.glyphs import Glyphs
from mvtui.model.overlay import ResetPlan
from mvtui.model.overlay_words import TITLE_WIDTH, Role, Told, may_reset, told_plan
from mvtui.model.state import StateWord

_COLOURS = {Role.OK: StateWord.RUNNING, Role.BAD: StateWord.FAILED}
_MARGIN = 2
_GAP = "  "
# Narrower than this a line is not broken: more than one word must have room.
_LEAST_CELLS = 20
# Of a step: what goes on below it stands behind it.
_NUMBER = re.compile(r" *\d+ ")


def plan_lines(plan: ResetPlan, host: str, glyphs: Glyphs, now: datetime, columns: int | None = None) -> list[str]:
    """What `mvtui reset` shows before it asks. `columns` is the width of the terminal, None where programs read it."""
    heading = may_reset([plan.microvm], host).removesuffix("?")
    return [heading, *told_lines(told_plan(plan, now), glyphs, columns)]


def told_lines(told: Sequence[Told], glyphs: Glyphs, columns: int | None = None) -> list[str]:
    """Told lines, each in as many lines as it needs."""
    return [text for each in told for text in _lines(each, glyphs, columns)]


def _lines(told: Told, glyphs: Glyphs, columns: int | None) -> Iterator[str]:
    title = f"{'':{_MARGIN}}{told.title:<{TITLE_WIDTH}}{_GAP}"
    mark = told.role.mark(ascii_only=not glyphs.unicode)
    indent = len(title) + (len("ok ") if mark else 0)
    first, *more = _broken(told.text, columns - indent if columns is not None else None)
    painted = glyphs.painted(_COLOURS[told.role], f"{mark:<2}") + " " if mark else ""
    yield f"{title}{painted}{first}".rstrip()
    for line in more:
        yield f"{'':{indent}}{line}"


def _broken(text: str, cells: int | None) -> list[str]:
    if cells is None or cells < _LEAST_CELLS:
        return [text]
    number = _NUMBER.match(text)
    hanging = " " * number.end() if number is not None else ""
    wrapper = textwrap.TextWrapper(
        cells, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return wrapper.wrap(text) or [""]
