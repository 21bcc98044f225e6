"""Lines of text, and the columns of the list."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mvtui.model.microvm import MicroVM, ShareHealth
from mvtui.ui.charset import fit, to_ascii
from mvtui.ui.lines import clipped, folded, justified, key_at, ruled, width_of, with_short_paths, wrapped
from mvtui.ui.rows import layout
from mvtui.ui.tabs import processes
from mvtui.ui.tabs.page import Page
from mvtui.ui.trends import Trends
from tests.ui.samples import DB, NOW, STATES, WEB, shares


@pytest.mark.parametrize("width", range(1, 220))
def test_columns_fill_the_width_and_do_not_overlap(width: int) -> None:
    columns = layout(width, False).columns
    for (column, x), (_, following) in pairwise(columns):
        assert x + column.width < following
    last, x = columns[-1]
    assert x + last.width == width or width < 40


@pytest.mark.parametrize("one", STATES.microvms, ids=lambda one: one.name)
def test_a_row_is_as_wide_as_its_columns(one: MicroVM) -> None:
    for width in (60, 80, 120):
        columns = layout(width, False)
        assert width_of(columns.line(columns.cells(one, NOW))) == width


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        ("abc", 5, "abc  "),
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("仮想", 4, "仮想"),
        ("仮想マ", 5, "仮想…"),
        ("仮想マ", 4, "仮 …"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_fit(text: str, width: int, fitted: str) -> None:
    assert fit(text, width) == fitted
    assert cell_len(fitted) == width


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("/srv/definitions/hosts/web.toml: no space", 41, "/srv/definitions/hosts/web.toml: no space"),
        ("/srv/definitions/hosts/web.toml: no space", 40, "…rv/definitions/hosts/web.toml: no space"),
        ("/srv/definitions/hosts/web.toml: no space", 9, "…ions/hosts/web.toml: no space"),
        (
            "in /a/long/enough/path/web.toml (/b/long/enough/path/web.toml)",
            60,
            "in …long/enough/path/web.toml (/b/long/enough/path/web.toml)",
        ),
        (
            "in /a/long/enough/path/web.toml (/b/long/enough/path/web.toml)",
            50,
            "in …nough/path/web.toml (…ng/enough/path/web.toml)",
        ),
        ("/short: is no directory", 9, "/short: is no directory"),
    ],
)
def test_of_a_path_the_start_makes_room_for_what_is_said_of_it(text: str, width: int, short: str) -> None:
    assert with_short_paths(((text, "error"), ("", "text")), width) == ((short, "error"), ("", "text"))


def test_ascii_has_the_same_width() -> None:
    text = "× ≠ restart … ─ ↑ ↓ 仮 é"
    assert to_ascii(text) == "x ! restart ~ - ^ v ?? ?"
    assert cell_len(to_ascii(text)) == cell_len(text)


def test_a_path_whose_start_is_left_out_is_nobodys_home() -> None:
    assert to_ascii("x home  …/srv/home → …a, failed depend… and so on …") == (
        "x home  */srv/home > *a, failed depend~ and so on ~"
    )


@pytest.mark.parametrize("width", range(12))
def test_clipped_is_never_wider(width: int) -> None:
    line = (("ab", "text"), ("cd", "key"), ("efgh", "text"))
    cut = clipped(line, width)
    assert width_of(cut) == min(width, 8)
    assert width >= 8 or width == 0 or "".join(text for text, _ in cut).endswith("…")


def test_justified_leaves_whole_pieces_out() -> None:
    left = (("mvtui", "key"), ("  4 running", "text"), ("  1 failed", "text"))
    assert justified(left, (("12:04", "text"),), 25) == (
        ("mvtui", "key"),
        ("  4 running", "text"),
        ("    ", "text"),
        ("12:04", "text"),
    )


def test_wrapped_ends_in_an_ellipsis() -> None:
    assert wrapped("one two three four", 9, 2) == ["one two", "three fo…"]
    assert wrapped("one two", 9, 2) == ["one two"]
    assert wrapped("one-long-word two", 6, 3) == ["one-l…", "two"]
    assert wrapped("", 9, 2) == [""]


@pytest.mark.parametrize("text", ["仮想マシン", "a 仮想 b", "abcdef", ""])
@pytest.mark.parametrize("width", range(1, 12))
def test_folded_comes_to_an_end_and_leaves_nothing_out(text: str, width: int) -> None:
    assert "".join(folded(text, width, 20)).replace(" ", "") == text.replace(" ", "")


def test_a_key_is_offered_by_itself_and_its_words() -> None:
    line = (("  S", "key"), (" start  ", "dim"), ("T", "dim"), (" stop  ", "dim"), ("r", "key"), (" restart", "dim"))
    offered = "".join(key_at(line, x) or "." for x in range(width_of(line) + 1))
    assert offered == "SSSSSSSSSSS" + "." * 8 + "rrrrrrrrr" + "."


@pytest.mark.parametrize(
    ("health", "role"),
    [
        ((ShareHealth.UP, ShareHealth.UP), "text"),
        ((ShareHealth.UP, ShareHealth.DOWN), "error"),
        ((ShareHealth.UNKNOWN, ShareHealth.UNKNOWN), "text"),
    ],
)
def test_shares_are_an_error_only_where_one_is_known_to_be_down(health: tuple[ShareHealth, ...], role: str) -> None:
    columns = layout(80, False)
    cells = columns.cells(WEB._replace(shares=shares("web", *health)), NOW)
    titles = [column.title for column, _ in columns.columns]
    assert cells[titles.index("FSD")][1] == role


def test_the_titles_of_processes_stand_over_their_columns() -> None:
    texts = ["".join([text for text, _ in entry.lines[0]]) for entry in processes.entries(Page(DB, NOW, Trends()), 80)]
    head, row = texts[0], next(text for text in texts if "hypervisor" in text)
    assert head.index("WHAT") == row.index("hypervisor")
    for title, value in (("PID", " 4121"), ("CPU%", "14.7"), ("MEM", "1.8G"), ("AGE", "12h")):
        assert head.index(title) + len(title) == row.index(value) + len(value)


WORDS = st.text(st.sampled_from("ab-/ \u0301仮é"), max_size=60)


@given(WORDS, st.integers(1, 30), st.integers(1, 9))
def test_folded_loses_nothing_but_blanks_and_has_room(text: str, width: int, count: int) -> None:
    lines = folded(text, width, count)
    assert len(lines) <= count
    wide = max([cell_len(char) for char in text], default=0)
    assert all(cell_len(line) <= max(width, wide) for line in lines)
    whole = "".join(lines).replace(" ", "")
    if len(lines) < count:
        assert whole == text.replace(" ", "")
    else:
        assert text.replace(" ", "").startswith(whole.rstrip("…")[: -width if width > 1 else None])


def test_folded_breaks_between_words_and_long_words_anywhere() -> None:
    assert folded("one two three", 8, 9) == ["one two", "three"]
    assert folded("one abcdefghijkl two", 8, 9) == ["one", "abcdefgh", "ijkl two"]
    assert folded("abcdefghijklmnopqrstuvwxyz", 8, 2) == ["abcdefgh", "ijklmno…"]
    assert folded("/nix/store/0c9x-microvm-qemu-wiki", 20, 9) == ["/nix/store/0c9x-", "microvm-qemu-wiki"]
    assert folded("/a/abcdefghijkl", 8, 9) == ["/a/abcde", "fghijkl"]  # not so far back
    assert folded("仮想仮想", 3, 9) == ["仮", "想", "仮", "想"]
    assert folded("仮仮", 1, 9) == ["仮", "仮"]
    assert folded("", 8, 2) == [""]


@given(WORDS, st.integers(0, 40), st.integers(1, 5))
def test_wrapped_has_room(text: str, width: int, count: int) -> None:
    lines = wrapped(text, width, count)
    assert 1 <= len(lines) <= count
    assert all(cell_len(line) <= width for line in lines)


@given(WORDS, st.integers(12, 60))
def test_a_rule_fills_its_width(title: str, width: int) -> None:
    assert width_of(ruled(title, width, " 3/12 ─")) == width or width < 16


LINES = st.lists(st.tuples(st.sampled_from(["S", " stop", "仮 ", " 仮仮"]), st.sampled_from(["key", "off", "dim"])))


@given(LINES)
def test_a_click_means_the_key_that_it_hits_or_whose_words(line: list[tuple[str, str]]) -> None:
    keys = [text.strip() if role in ("key", "off") else None for text, role in line]
    cells = [
        key or before
        for (text, _), key, before in zip(line, keys, [None, *keys], strict=False)
        for _ in range(cell_len(text))
    ]
    assert [key_at(tuple(line), x) for x in range(len(cells) + 3)] == [*cells, None, None, None]
