"""Which microVMs the list shows, in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.state import State, StateWord
from mvtui.ui.listing import COLUMNS, WORST_FIRST, Listing, is_wrong, state_counts
from mvtui.ui.rows import layout
from tests.ui.full_samples import HEALTHY
from tests.ui.samples import DB, EXIT, GIT, HOSTILE, MAIL, PRODUCT, STATES, STOPPING, WEB, microvm

ALL = STATES.microvms
PRODUCTS = PRODUCT.microvms


def names(listing: Listing) -> list[str]:
    return [one.name for one in listing.arranged(PRODUCTS)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ["ci", "db", "git", "lab", "mail", "proxy", "web"]),
        ("   ", ["ci", "db", "git", "lab", "mail", "proxy", "web"]),
        ("git", ["git"]),
        ("GIT", ["git"]),
        ("looping", ["mail"]),
        ("fsd home", ["git", "mail"]),
        ("home git", ["git"]),
        ("≠", ["db"]),
        ("ov full", ["lab"]),
        ("nothing", []),
        ("running b", ["db", "web"]),
    ],
)
def test_all_words_stand_in_name_state_or_note(text: str, shown: list[str]) -> None:
    assert names(Listing(text)) == shown
    assert Listing(text).filters is bool(text.strip())


def test_the_result_of_a_failure_is_found() -> None:
    assert Listing("127").arranged(ALL) == (EXIT,)


def test_a_state_alone_and_what_is_wrong() -> None:
    assert names(Listing(state=StateWord.RUNNING)) == ["ci", "db", "proxy", "web"]
    assert names(Listing("w", StateWord.RUNNING)) == ["web"]
    assert names(Listing(wrong=True)) == ["git", "lab", "mail"]
    assert names(Listing("lab", wrong=True)) == ["lab"]
    assert not is_wrong(DB)  # a remark is no trouble
    assert [one.name for one in Listing(wrong=True).arranged(ALL)] == [
        *("epsilon", "eta", "git", "iota", "lab", "mail", "theta", "zeta")
    ]


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        (Listing(), ""),
        (Listing(" git "), "/git"),
        (Listing("git", StateWord.DEGRADED), "degraded /git"),
        (Listing(wrong=True), "what is wrong"),
    ],
)
def test_a_filter_in_words(listing: Listing, words: str) -> None:
    assert listing.words == words


@pytest.mark.parametrize(
    ("column", "order", "reversed_order"),
    [
        ("NAME", "ci db git lab mail proxy web", "web proxy mail lab git db ci"),
        ("STATE", "mail git lab ci db proxy web", "ci db proxy web lab git mail"),
        ("AGE", "proxy lab web db git ci mail", "mail ci git db web lab proxy"),
        ("CPU%", "ci db web git proxy lab mail", "proxy git web db ci lab mail"),
        ("MEM", "ci db web git proxy lab mail", "proxy git web db ci lab mail"),
        ("FSD", "git mail db web ci lab proxy", "db web git mail ci lab proxy"),
        ("OVERLAY", "lab git mail ci db proxy web", "mail git lab ci db proxy web"),
        ("NOTE", "git mail lab db ci proxy web", "db lab git mail ci proxy web"),
    ],
)
def test_every_column_has_its_order_and_what_nobody_knows_comes_last(
    column: str, order: str, reversed_order: str
) -> None:
    shown, turned = names(Listing(sort=column)), names(Listing(sort=column, reverse=True))
    if column == "AGE":  # what is newest first
        order, reversed_order = reversed_order, order
    assert shown == order.split()
    assert turned == reversed_order.split()


def test_states_are_ordered_by_what_is_worst() -> None:
    assert set(WORST_FIRST) == set(StateWord)
    shown = Listing(sort="STATE").arranged(ALL)
    assert [one.state.word for one in shown] == sorted([one.state.word for one in ALL], key=WORST_FIRST.index)
    assert list(state_counts(PRODUCTS).items()) == [
        (StateWord.LOOPING, 1),
        (StateWord.DEGRADED, 1),
        (StateWord.STOPPED, 1),
        (StateWord.RUNNING, 4),
    ]


def test_columns_are_those_of_the_list() -> None:
    assert [column.name for column, _ in layout(80, False).columns if column.name] == list(COLUMNS)
    assert Listing().sorted_by(-1).sort == COLUMNS[-1]
    assert Listing(reverse=True, sort="NOTE").sorted_by(1) == Listing()


MICROVMS = st.lists(
    st.sampled_from((*ALL, *HOSTILE.microvms, HEALTHY, GIT, MAIL, STOPPING, WEB)), unique_by=lambda one: one.name
).map(lambda found: tuple(sorted(found, key=lambda one: one.name)))


@given(MICROVMS, st.sampled_from(COLUMNS), st.booleans())
def test_sorting_loses_nothing_and_keeps_the_names_order_of_ties(
    microvms: tuple[object, ...], column: str, reverse: bool
) -> None:
    shown = Listing(sort=column, reverse=reverse).arranged(microvms)  # type: ignore[arg-type]
    assert sorted(one.name for one in shown) == [one.name for one in microvms]  # type: ignore[attr-defined]
    again = Listing(sort=column, reverse=reverse).arranged(microvms)  # type: ignore[arg-type]
    assert shown == again


def test_equal_ones_stay_by_name_in_both_directions() -> None:
    same = tuple(microvm(name, state=State(StateWord.STOPPED, None, "")) for name in "abcd")
    for column in COLUMNS[1:]:
        for reverse in (False, True):
            assert Listing(sort=column, reverse=reverse).arranged(same) == same
