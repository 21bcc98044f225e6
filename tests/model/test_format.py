from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.format import AGE_WIDTH, PERCENT_WIDTH, SIZE_WIDTH, age, duration, percent, size

NOW = datetime(2025, 11, 23, 12, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (4.9, "4s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (12 * 3600, "12h"),
        (2 * 86400 - 1, "47h"),
        (2 * 86400, "2d"),
        (9 * 86400, "9d"),
        (99 * 86400, "99d"),
        (100 * 86400, "14w"),
        (700 * 86400, "1y"),
        (200 * 31557600, "99y"),
        (-5, "0s"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_age_counts_from_since_to_now() -> None:
    assert age(NOW - timedelta(hours=12, minutes=3), NOW) == "12h"


def test_age_of_what_nobody_knows() -> None:
    assert age(None, NOW) == "-"


def test_age_after_the_clock_was_set_back() -> None:
    assert age(NOW + timedelta(days=3), NOW) == "0s"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "-"),
        (0, "0B"),
        (999, "999B"),
        (1000, "1.0K"),
        (1023, "1.0K"),
        (300 << 20, "300M"),
        (1000 << 20, "1.0G"),
        (1 << 30, "1.0G"),
        (1.8 * (1 << 30), "1.8G"),
        (9.96 * (1 << 30), "10G"),
        (12 << 40, "12T"),
        (2**64, "16E"),
    ],
)
def test_size(count: float | None, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "-"), (0.0, "0.0"), (0.44, "0.4"), (14.7, "14.7"), (99.96, "100"), (1600.4, "1600"), (1e6, "9999")],
)
def test_percent(value: float | None, words: str) -> None:
    assert percent(value) == words


@given(st.floats(min_value=-1e12, max_value=1e12))
def test_a_duration_fits_its_column(seconds: float) -> None:
    assert len(duration(seconds)) <= AGE_WIDTH


@given(st.integers(min_value=0, max_value=2**70))
def test_a_size_fits_its_column(count: int) -> None:
    assert len(size(count)) <= SIZE_WIDTH


@given(st.floats(min_value=0, max_value=1e9))
def test_a_percentage_fits_its_column(value: float) -> None:
    assert len(percent(value)) <= PERCENT_WIDTH


def test_a_superblock_may_claim_any_size() -> None:
    assert size(2**96) == "999Y"
    assert len(size(10**400)) <= SIZE_WIDTH
