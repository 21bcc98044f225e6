"""What a log's window keeps, which of its rows are in sight, and how an entry reads."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.log import DEBUG, ERROR, WARNING, LogEntry, LogSource
from mvtui.ui.lines import Line, width_of
from mvtui.ui.logs.rows import Look, Times, has, rows
from mvtui.ui.logs.search import find
from mvtui.ui.logs.viewport import Top, Viewport
from mvtui.ui.logs.window import LogWindow
from tests.ui.fake_logs import STORY, FakeLogs, said

AT = datetime(2025, 11, 23, 10, 4, 30, 123456, tzinfo=UTC)


def entry(message: str, *, start: int = 0, level: int = 6, at: datetime | None = AT) -> LogEntry:
    return LogEntry(at, level, LogSource.VIRTIOFSD, message, "git", "home", start=start)


def text(line: Line) -> str:
    return "".join(piece for piece, _ in line)


def test_a_window_keeps_numbers_and_bounds() -> None:
    window = LogWindow(most=5, most_bytes=100)
    window.append([b"a", b"b", b"c"])
    window.prepend([b"1", b"2"])
    assert (window.first, window.end, window[0], window[-2]) == (-2, 3, b"a", b"1")
    window.append([b"d"])
    assert (window.first, len(window), window[3]) == (-1, 5, b"d")
    window.prepend([b"0"])
    assert (window.first, window.end, window[-2]) == (-2, 3, b"0")
    window.append([b"x" * 99])
    assert window.end - window.first == 2
    window.append([b"y" * 1000])  # one always has room
    assert (len(window), window[window.first]) == (1, b"y" * 1000)


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=12), st.lists(st.integers(-9, 9), max_size=12), st.integers(1, 6)
)
def test_scrolling_is_walking_through_all_rows(heights: list[int], steps: list[int], height: int) -> None:
    """Whatever the rows of each record and the steps: what is in sight is a piece of all rows, where it has to be."""
    window = LogWindow()
    window.append([bytes([number]) for number in range(len(heights))])
    view = Viewport(window, lambda number: [((f"{number}.{row}", "text"),) for row in range(heights[number])])
    every = [f"{number}.{row}" for number, count in enumerate(heights) for row in range(count)]
    last = max(0, len(every) - height)
    at = last
    for step in steps:
        left = view.scroll(step, height)
        wanted = at + step
        at = max(0, min(last, wanted))
        assert [text(row) for _, row in view.visible(height)] == every[at : at + height]
        if step < 0:
            assert left == wanted - at
        elif step > 0:
            assert (left > 0) == (wanted > at), (left, wanted, at)


def test_what_is_in_sight_stays_when_others_come() -> None:
    window = LogWindow(most=10)
    window.append([bytes([number]) for number in range(8)])
    view = Viewport(window, lambda number: [((str(window[number][0]), "text"),)])
    assert [number for number, _ in view.visible(3)] == [5, 6, 7]
    view.scroll(-2, 3)
    window.append([b"\x08"])
    window.prepend([b"\x63"])
    assert [text(row) for _, row in view.visible(3)] == ["3", "4", "5"]
    window.append([bytes([number]) for number in range(20, 26)])  # what is in sight goes: the nearest
    assert [text(row) for _, row in view.visible(3)] == ["5", "6", "7"]
    view.top = None
    assert [text(row) for _, row in view.visible(2)] == ["24", "25"]
    view.show(window.first, 3)
    assert view.top == Top(window.first)


def test_a_cut_row() -> None:
    look = Look(40, zone=UTC)
    (row,) = rows(entry("2025 INFO a\tb \x1b[31mred\x1b[0m \x1b]0;t\x07 and much more than that", start=10), look)
    assert text(row) == "10:04:30 fsd home   a  b red \\x1b]0;t\\x…"
    assert width_of(row) == 40
    assert text(rows(entry("x"), look._replace(times=Times.FULL))[0]) == "2025-11-23 10:04:30.123 fsd home   x"
    assert text(rows(entry("x"), look._replace(times=Times.NONE))[0]) == "fsd home   x"
    assert text(rows(entry("x", at=None), look)[0]) == "         fsd home   x"
    assert [role for _, role in rows(entry("x", level=ERROR), look)[0]][-1] == "error"
    assert [role for _, role in rows(entry("x", level=DEBUG), look)[0]][-1] == "dim"


def test_errors_and_warnings_are_told_without_colours() -> None:
    for wrap in (False, True):
        look = Look(40, wrap=wrap, zone=UTC)
        shown = [text(rows(entry("x", level=level), look)[0]) for level in (ERROR, WARNING, WARNING + 1)]
        assert shown == ["10:04:30 fsd home   × x", "10:04:30 fsd home   ! x", "10:04:30 fsd home   x"]


def test_a_wrapped_entry_is_whole() -> None:
    look = Look(40, wrap=True, zone=UTC)
    message = "2025 INFO \x1b[31m" + "".join(chr(97 + number % 26) for number in range(100))
    shown = rows(entry(message, start=10), look)
    assert "".join(text(row)[20:] for row in shown) == message.replace("\x1b", "\\x1b")
    assert all(width_of(row) <= 40 for row in shown)
    wide = rows(entry("漢字" * 30), look)
    assert "".join(text(row)[20:] for row in wide) == "漢字" * 30
    assert all(width_of(row) <= 40 for row in wide)
    assert [text(row)[20:] for row in rows(entry(""), look)] == [""]


@pytest.mark.parametrize("wrap", [False, True])
def test_a_message_of_megabytes_is_shown(wrap: bool) -> None:
    shown = rows(entry("é\x1b" * 1_000_000), Look(80, wrap=wrap))
    assert text(shown[0]).startswith(" " * 0 + "10:04:30")
    assert ("mvtui logs --json" in "".join(text(row)[20:] for row in shown[-3:])) is wrap


@given(st.text(), st.booleans())
def test_any_text_fits_and_says_nothing_that_acts(message: str, wrap: bool) -> None:
    for row in rows(entry(message), Look(60, wrap=wrap, found="a")):
        assert width_of(row) <= 60
        assert text(row).isprintable()


def test_matches_stand_out() -> None:
    (row,) = rows(entry("Mount of mount failed"), Look(80, found="mount"))
    assert [piece for piece, role in row if role == "caret"] == ["Mount", "mount"]
    (row,) = rows(entry("Mount of mount failed"), Look(80, found="Mount"))
    assert [piece for piece, role in row if role == "caret"] == ["Mount"]


@pytest.mark.parametrize(
    ("found", "index"),
    [
        ("kernel line 7", 7),
        ("KERNEL", None),
        ("multi-user", 60),
        ("\\x1b]0;title", 61),
        ("\\udcff", 62),
        ("_BOOT", None),
    ],
)
def test_find(found: str, index: int | None) -> None:
    """What is found is what is shown, also where the record has it in other words."""
    logs = FakeLogs()
    assert find(logs, STORY, found, up=True) == index
    assert find(logs, STORY, found, up=False) == index


def test_find_upwards_and_downwards() -> None:
    logs = FakeLogs()
    records = [said(number, "yes" if number in (2, 7) else "no") for number in range(10)]
    assert find(logs, records, "yes", up=True) == 7
    assert find(logs, records, "yes", up=False) == 2
    assert has(logs.entry(records[2]), "YES") is False
