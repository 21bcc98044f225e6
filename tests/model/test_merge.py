"""Two texts from one: both changes, or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvtui.model.merge import merged

BASE = "a\nb\nc\nd\ne\n"


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ("a\nB\nc\nd\ne\n", "a\nb\nc\nD\ne\n", "a\nB\nc\nD\ne\n"),
        ("b\nc\nd\ne\n", "a\nb\nc\nd\ne\nf\n", "b\nc\nd\ne\nf\n"),
        ("a\nB\nc\nd\ne\n", "a\nB\nc\nd\nE\n", "a\nB\nc\nd\nE\n"),
        ("a\nB\nc\nd\ne\n", "a\nX\nc\nd\ne\n", None),
        ("a\nB\nc\nd\ne\n", "a\nb\nC\nd\ne\n", None),
        ("a\nc\nd\ne\n", "a\nb\nnew\nc\nd\ne\n", None),
        (BASE + "mine\n", BASE + "theirs\n", None),
    ],
)
def test_changes_that_touch_and_that_do_not(mine: str, theirs: str, both: str | None) -> None:
    assert merged(BASE, mine, theirs) == both
    assert merged(BASE, theirs, mine) == both


TEXTS = st.lists(st.sampled_from(["", "a", "b", "# c", "d"]), max_size=8).map("\n".join)


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_who_changes_nothing_gets_the_others(base: str, text: str) -> None:
    assert merged(base, base, text) == text
    assert merged(base, text, base) == text
    assert merged(base, text, text) == text


@given(TEXTS, TEXTS, TEXTS)
@settings(deadline=None)
def test_no_line_of_either_is_lost(base: str, mine: str, theirs: str) -> None:
    both = merged(base, mine, theirs)
    if both is None:
        return
    lines = both.splitlines()
    for text in (mine, theirs):
        new = [line for line in text.splitlines() if line not in base.splitlines()]
        assert all(line in lines for line in new)
