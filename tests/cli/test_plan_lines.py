"""A reset's plan as text: columns, marks, and what goes on below."""

import pytest

from mvtui.cli.glyphs import Glyphs
from mvtui.cli.plan_lines import plan_lines
from tests.cli.fake_overlay import PLAN, REFUSED
from tests.fakes import EPOCH


@pytest.mark.parametrize("columns", [50, 80])
def test_on_a_terminal_lines_have_room_and_stay_in_their_column(columns: int) -> None:
    plan = REFUSED._replace(lost=("what the guest built or wrote since then " * 5,))
    lines = plan_lines(plan, "hv01", Glyphs(unicode=True, colour=False), EPOCH, columns)
    assert max(map(len, lines[2:])) <= columns
    begins = {len(line) - len(line[2:].lstrip()) for line in lines[1:] if line.startswith("   ")}
    assert begins == {13, 16}


def test_a_step_that_goes_on_stands_behind_its_number() -> None:
    plan = PLAN._replace(steps=("one",) * 9 + ("make a new image of 2.0G beside it",))
    lines = plan_lines(plan, "hv01", Glyphs(unicode=True, colour=False), EPOCH, 40)
    at = next(number for number, line in enumerate(lines) if "10 make" in line)
    assert lines[at].index("make") == len(lines[at + 1]) - len(lines[at + 1].lstrip())


def test_marks_in_colour_and_in_ascii() -> None:
    coloured = plan_lines(REFUSED, "hv01", Glyphs(unicode=True, colour=True), EPOCH)
    assert sum("\x1b[31m× \x1b[0m" in line for line in coloured) == 2
    plain = plan_lines(REFUSED, "hv01", Glyphs(unicode=False, colour=False), EPOCH)
    assert all(line.isascii() for line in plain)
    assert sum(line[13:16] == "x  " for line in plain) == 2
