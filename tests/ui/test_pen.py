"""The pen: what it writes stands where it should, in the look it should have, whatever stood and was written before."""

import pyte
import pyte.screens
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyte import modes
from pyte.screens import Char

from mvtui.ui.pen import PLAIN, Look, Pen

WIDTH, HEIGHT = 40, 12

TEXTS = st.sampled_from(["a", "running", "   ", "●", "a▁", "仮", "10h  8.5 1.3G", "─" * 5])
ATTRIBUTES = st.lists(st.sampled_from("1234579"), unique=True).map(sorted).map(";".join)
COLOURS, GROUNDS = st.sampled_from(["39", "31", "38;5;114"]), st.sampled_from(["49", "44", "48;5;234"])
LOOKS = st.builds(Look, ATTRIBUTES, COLOURS, GROUNDS)
PLACES = st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1))


@st.composite
def parts(draw: st.DrawFn) -> list[tuple[int, int, str, Look]]:
    """Some pieces of text, each with its place and its look; none goes over the right margin, many end there."""
    found = []
    for (y, x), text, look in draw(st.lists(st.tuples(PLACES, TEXTS, LOOKS), min_size=1, max_size=12)):
        room = WIDTH - width_of(text)
        found.append((y, room if draw(st.booleans()) else min(x, room), text, look))
    return found


def width_of(text: str) -> int:
    return len(text) + text.count("仮")


class Terminal:
    """Shows what it is sent."""

    def __init__(self, *, wraps: bool = False) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        if not wraps:
            self.screen.reset_mode(modes.DECAWM >> 5, private=True)
        self._stream = pyte.Stream(self.screen)

    def show(self, text: str) -> list[list[Char]]:
        self._stream.feed(text)
        return [[self.screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


def in_full(y: int, x: int, text: str, look: Look) -> str:
    """The same as the pen writes, without a thought for bytes."""
    codes = ";".join(["0", *([look.attributes] if look.attributes else []), look.colour, look.background])
    return f"\x1b[{y + 1};{x + 1}H\x1b[{codes}m{text}\x1b[m"


def written(pieces: list[tuple[int, int, str, Look]]) -> str:
    pen = Pen()
    for y, x, text, look in pieces:
        pen.take(look)
        pen.write(y, x, text, to_margin=x + width_of(text) == WIDTH)
    return pen.lifted()


@given(parts(), PLACES, st.booleans())
def test_it_writes_what_was_meant(pieces: list[tuple[int, int, str, Look]], at: tuple[int, int], wraps: bool) -> None:
    """Also where a terminal puts off going to the next line behind the last column, as it does that wraps."""
    ours, plain = Terminal(wraps=wraps), Terminal()
    start = f"\x1b[{at[0] + 1};{at[1] + 1}H"
    assert ours.show(start + written(pieces)) == plain.show("".join([in_full(*piece) for piece in pieces]))
    assert ours.screen.cursor.attrs == Char(" ")


@given(parts())
def test_it_takes_no_more_bytes_than_without_a_thought(pieces: list[tuple[int, int, str, Look]]) -> None:
    assert len(written(pieces)) <= len("".join([in_full(*piece) for piece in pieces]))


@given(parts())
def test_a_sign_that_is_wider_on_some_terminals_moves_nothing_but_itself(
    pieces: list[tuple[int, int, str, Look]],
) -> None:
    """Terminals set up for Chinese show ● in two cells."""
    with pytest.MonkeyPatch.context() as patch:
        width = pyte.screens.wcwidth
        patch.setattr(pyte.screens, "wcwidth", lambda char: 2 if char == "●" else width(char))
        ours, plain = Terminal(), Terminal()
        assert ours.show(written(pieces)) == plain.show("".join([in_full(*piece) for piece in pieces]))


@pytest.mark.parametrize(
    ("first", "then", "way"),
    [
        ((3, 5, "ab"), (3, 7), ""),
        ((3, 5, "ab"), (3, 8), "\x1b[C"),
        ((3, 5, "ab"), (3, 20), "\x1b[13C"),
        ((3, 5, "ab"), (3, 5), "\b\b"),
        ((3, 5, "ab"), (4, 7), "\v"),
        ((3, 5, "ab"), (6, 7), "\v\v\v"),
        ((3, 5, "ab"), (9, 7), "\x1b[6B"),
        ((3, 5, "ab"), (2, 7), "\x1b[A"),
        ((3, 5, "ab"), (4, 0), "\r\v"),
        ((3, 5, "ab"), (0, 0), "\x1b[H"),
        ((3, 5, "ab"), (9, 30), "\x1b[10;31H"),
        ((3, 20, "a" * 10), (4, 20), "\x1b[10D\v"),
        ((3, 5, "●"), (3, 20), "\x1b[21G"),  # not by so many cells
        ((3, 38, "ab"), (3, 20), "\r\x1b[20C"),  # nor from behind the last
    ],
)
def test_the_shortest_way(first: tuple[int, int, str], then: tuple[int, int], way: str) -> None:
    y, x, text = first
    pen, other = Pen(), Pen()
    for one in (pen, other):
        one.write(y, x, text, to_margin=x + len(text) == WIDTH)
    pen.write(*then, "!", to_margin=False)
    assert pen.lifted() == f"{other.lifted()}{way}!"


def test_what_blanks_do_not_show_stays() -> None:
    pen = Pen()
    pen.take(Look("1", "31", "44"))
    pen.take(Look("", "", "44"))
    assert pen.bytes_to(Look("1", "31", "44")) == 0
    pen.take(Look("4", "31", "44"))
    pen.take(Look("", "", "44"))
    assert pen.lifted() == "\x1b[1;31;44m\x1b[22;4m\x1b[24m\x1b[m"
    assert pen.bytes_to(PLAIN) == 0
