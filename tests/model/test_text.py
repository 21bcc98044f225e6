import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.text import clean


@pytest.mark.parametrize("text", ["", "web", "db[prod]", "[/red]", "Büro ☕ 日本", "a b", "e\u0301"])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\tb", r"a\r\tb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("\x7f\x00", r"\x7f\x00"),
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
        ("abc\u202etxt", r"abc\u202etxt"),
        ("\u2066a\u2069\u200f", r"\u2066a\u2069\u200f"),
        ("a\u200b\ufeffb", r"a\u200b\ufeffb"),
        ("\U000e0041", r"\U000e0041"),
        (b"a\xff\x80".decode("utf-8", "surrogateescape"), r"a\udcff\udc80"),
        ("a\xa0b\u3000c", "a b c"),
        ("web\u3164", r"web\u3164"),
        ("web\ufe0f\u034f\U000e0100", r"web\ufe0f\u034f\U000e0100"),
    ],
)
def test_what_acts_becomes_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_one_printable_line_that_can_be_encoded(text: str) -> None:
    shown = clean(text)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert clean(shown) == shown
