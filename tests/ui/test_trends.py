"""The last minutes: kept for each process, bounded, drawn in bars."""

import math
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from mvtui.ui.sparkline import gauge, sparkline
from mvtui.ui.trends import SLOT_SECONDS, SLOTS, Series, Trends
from tests.ui.full_samples import HEALTHY
from tests.ui.samples import WEB

NAN = math.nan
PROCESS = HEALTHY.processes[0]


def test_bars_are_of_the_highest() -> None:
    assert sparkline([0, 1, 2, 4, 8], 5) == "▁▂▃▅█"
    assert sparkline([0, 1, 2, 4, 8], 3) == "▃▅█"
    assert sparkline([4], 4) == "   █"
    assert sparkline([50], 1, most=100) == "▅"
    assert sparkline([200], 1, most=100) == "█"
    assert sparkline([0, 0], 2) == "▁▁"
    assert sparkline([-3], 1) == "▁"
    assert sparkline([0, 1, 2, 3], 4, ascii_only=True) == "_.-="


def test_nobody_looked_is_a_gap() -> None:
    assert sparkline([1, NAN, 1], 3) == "█ █"
    assert sparkline([NAN, NAN], 3) == "   "
    assert sparkline([], 3) == "   "
    assert sparkline([1, 2], 0) == ""
    assert sparkline([1, 2], -1) == ""


@given(st.lists(st.floats(0, 1e15) | st.just(NAN)), st.integers(0, 80), st.booleans())
def test_bars_fill_their_width(values: list[float], width: int, ascii_only: bool) -> None:
    text = sparkline(values, width, ascii_only=ascii_only)
    assert len(text) == width
    assert text.isascii() or not ascii_only
    last = values[-width:] if width else []
    assert [char == " " for char in text[width - len(last) :]] == [math.isnan(value) for value in last]


@given(st.floats(-2, 2), st.integers(0, 40))
def test_a_gauge_fills_its_width(share: float, width: int) -> None:
    assert len(gauge(share, width)) == width
    assert gauge(share, width, ascii_only=True).count("#") == gauge(share, width).count("█")
    assert gauge(0.5, 10) == "█████░░░░░"


@given(st.lists(st.tuples(st.integers(1, 90), st.floats(0, 1000, width=32) | st.none()), max_size=200))
def test_a_series_is_bounded_and_has_gaps_where_nobody_looked(steps: list[tuple[int, float | None]]) -> None:
    series, slot, told = Series(), 0, dict[int, float | None]()
    for step, value in steps:
        slot += step
        series.add(slot, value)
        told[slot] = value
    kept = list(series.last(1000))
    assert len(kept) <= SLOTS
    for back, value in enumerate(reversed(kept)):
        wanted = told.get(slot - back)
        assert math.isnan(value) if wanted is None else value == wanted
    assert list(series.last(0)) == []
    assert list(series.last(1)) == kept[-1:] or math.isnan(kept[-1])


def test_one_value_for_each_slot() -> None:
    trends = Trends()
    for seconds in (0, 1, 4.9, 5, 9.9, 10):
        trends.take([HEALTHY], seconds)
    assert len(trends.of(PROCESS).cpu.last(99)) == 3


def test_a_pid_that_is_given_again_is_another_process() -> None:
    trends = Trends()
    trends.take([HEALTHY], 0)
    heir = PROCESS._replace(started=PROCESS.started + timedelta(seconds=30), cpu_percent=1.0)
    trends.take([HEALTHY._replace(processes=(heir,))], SLOT_SECONDS)
    assert list(trends.of(heir).cpu.last(9)) == [1.0]
    assert list(trends.of(PROCESS).cpu.last(9)) == []


def test_what_has_ended_is_forgotten() -> None:
    trends = Trends()
    for slot in range(500):
        born = PROCESS._replace(pid=slot + 1)
        trends.take([HEALTHY._replace(processes=(born,)), WEB], slot * SLOT_SECONDS)
    assert len(trends._processes) == 2
    assert len(trends.of(WEB.processes[0]).memory.last(1000)) == SLOTS


def test_a_process_that_nobody_knows_has_no_trend() -> None:
    assert list(Trends().of(PROCESS).cpu.last(60)) == []
