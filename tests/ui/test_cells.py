"""Painting what changed: the terminal shows what Textual's own painting of every line would show."""

import re
from dataclasses import replace

import pyte
from hypothesis import given
from hypothesis import strategies as st
from pyte.screens import Char
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mvtui.ui.abilities import ALL
from mvtui.ui.cells import Screenful, cells_of

WIDTH, HEIGHT = 14, 8
NO_WRAP = "\x1b[?7l"  # as the panel has it; pyte wraps before a character without a width
COLOURS = ColorSystem.EIGHT_BIT
CONSOLE = Console(color_system="256", force_terminal=True)

STYLES = [None, *map(Style.parse, ("on blue", "bold red on blue", "dim green on blue", "red", "default on default"))]
STYLES += [*map(Style.parse, ("underline red on blue", "reverse red on blue", "strike italic #112233 on #445566"))]
TEXTS = st.lists(st.sampled_from(["a", "b", " ", "─", "仮", "한", "e\u0301"]), max_size=9).map("".join)
LINES = st.lists(st.tuples(TEXTS, st.sampled_from(STYLES)), max_size=4).map(
    lambda parts: Strip([Segment(*part) for part in parts]).adjust_cell_length(WIDTH, Style.parse("on blue"))
)
CHANGES = st.lists(st.dictionaries(st.integers(0, HEIGHT - 1), LINES, min_size=1), min_size=1, max_size=4)


@st.composite
def scrolling(draw: st.DrawFn) -> list[dict[int, Strip]]:
    """Lines that scroll between others that stay, and some that change."""
    lines = draw(st.lists(LINES, min_size=HEIGHT, max_size=2 * HEIGHT))
    top, bottom = draw(st.integers(0, 2)), draw(st.integers(HEIGHT - 2, HEIGHT))
    frames = []
    for first in draw(st.lists(st.integers(0, len(lines) - HEIGHT), min_size=2, max_size=4)):
        frames.append({y: lines[first + y] if top <= y < bottom else lines[y] for y in range(HEIGHT)})
        frames[-1] |= draw(st.dictionaries(st.integers(0, HEIGHT - 1), LINES, max_size=2))
    return frames


FRAMES = CHANGES | scrolling()


def shown(screen: pyte.Screen) -> list[list[Char]]:
    """The cells; of a blank, what can be seen of it."""
    rows = [[screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]
    return [[_seen(char) for char in row] for row in rows]


def _seen(char: Char) -> Char:
    unseen = char.data == " " and not (char.underscore or char.reverse or char.strikethrough)
    return char._replace(fg="default", bold=False, italics=False) if unseen else char


def move(y: int) -> str:
    return f"\x1b[{y + 1};1H"


class Bare(pyte.Screen):
    """Has no bce: what it erases is as it was at the beginning."""

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        look, self.cursor.attrs = self.cursor.attrs, self.default_char
        super().erase_in_line(how, private)
        self.cursor.attrs = look


@given(FRAMES, st.sampled_from([pyte.Screen, Bare]))
def test_it_shows_what_painting_all_would(frames: list[dict[int, Strip]], kind: type[pyte.Screen]) -> None:
    screenful = Screenful(replace(ALL, fills=kind is pyte.Screen))
    terminal, whole = kind(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
    ours, textuals = pyte.Stream(terminal), pyte.Stream(whole)
    for stream in (ours, textuals):
        stream.feed(NO_WRAP)
    for frame in frames:
        ours.feed(screenful.paint({y: cells_of(strip, COLOURS) for y, strip in frame.items()}))
        for y, strip in frame.items():
            textuals.feed(move(y) + strip.render(CONSOLE))
        assert shown(terminal) == shown(whole)
        assert terminal.cursor.attrs == Char(" ")


@given(FRAMES)
def test_what_stands_there_is_not_sent_again(frames: list[dict[int, Strip]]) -> None:
    screenful = Screenful()
    for frame in frames:
        cells = {y: cells_of(strip, COLOURS) for y, strip in frame.items()}
        screenful.paint(cells)
        assert screenful.paint(cells) == ""


def test_once_forgotten_all_is_sent() -> None:
    screenful, cells = Screenful(), {0: cells_of(Strip([Segment("one")]), COLOURS)}
    assert screenful.paint(cells) == "\x1b[Hone"
    screenful.forget()
    assert screenful.paint(cells) == "\x1b[Hone"


def painted(*texts: str, style: str = "none") -> str:
    """What painting the last one over the ones before it takes."""
    screenful, written = Screenful(), ""
    for text in texts:
        segments = Segment.apply_style([Segment(text)], Style.parse(style))
        written = screenful.paint({4: cells_of(Strip(segments), COLOURS)})
    return written


def test_a_short_gap_is_painted_over() -> None:
    assert painted("a 1 is 2", "a 3 is 4") == "\x1b[5;3H3 is 4"
    assert painted("1 the same 2", "3 the same 4") == "\x1b[5H3\x1b[10C4"


def test_a_gap_is_as_long_as_its_bytes() -> None:
    assert painted("1─2", "3─4") == "\x1b[5H3─4"
    assert painted("1──2", "3──4") == "\x1b[5H3\x1b[2C4"


def test_wide_characters_are_painted_whole() -> None:
    assert painted("仮 ab", "仮 ac") == "\x1b[5;5Hc"
    assert painted("仮想", "仮한") == "\x1b[5;3H한"
    assert painted("ab想", "仮想") == "\x1b[5H仮"
    assert painted("仮想", "a 想") == "\x1b[5Ha "


def test_only_what_changes_of_a_look_is_said() -> None:
    looks = [Segment("a", Style.parse("red on blue")), Segment(" ", Style.parse("green on blue"))]
    looks += [Segment("b", Style.parse("green on blue")), Segment("c", Style.parse("bold green on black"))]
    written = Screenful().paint({0: cells_of(Strip(looks), COLOURS)})
    assert written == "\x1b[31;44m\x1b[Ha \x1b[32mb\x1b[1;40mc\x1b[m"


def test_looks_come_in_an_order_of_few_changes() -> None:
    looks = ["red on blue", "green on black", "red on black", "green on blue"]
    segments = [Segment(look[0], Style.parse(look)) for look in looks]
    written = Screenful().paint({0: cells_of(Strip(segments), COLOURS)})
    assert [len(codes.split(";")) for codes in re.findall(r"\x1b\[([0-9;]+)m", written)] == [2, 1, 1, 1]


def test_blanks_go_with_any_colour_on_their_ground() -> None:
    lines = {0: [Segment("   ", Style.parse("on blue"))], 1: [Segment("a", Style.parse("red on blue"))]}
    written = Screenful().paint({y: cells_of(Strip(segments), COLOURS) for y, segments in lines.items()})
    assert written == "\x1b[31;44m\x1b[H   \r\va\x1b[m"


LIST = [letter * 30 for letter in "abcdefghi"]


def painted_lines(*frames: list[str]) -> str:
    """What painting the last frame over the ones before it takes."""
    screenful, written = Screenful(), ""
    for frame in frames:
        written = screenful.paint({y: cells_of(Strip([Segment(text)]), COLOURS) for y, text in enumerate(frame)})
    return written


def test_the_end_of_a_line_is_erased_where_that_takes_the_background() -> None:
    cells = cells_of(Strip([Segment("a" + " " * 5, Style.parse("on blue"))]), COLOURS)
    assert Screenful(replace(ALL, fills=True)).paint({0: cells}).endswith("a\x1b[K\x1b[m")
    assert Screenful().paint({0: cells}).endswith("a     \x1b[m")
    own = cells_of(Strip([Segment("a" + " " * 5)]), COLOURS)
    assert Screenful().paint({0: own}) == "\x1b[Ha\x1b[K"


def test_lines_that_came_up_are_moved() -> None:
    frames = ["head", *LIST[:6], "foot"], ["head", *LIST[1:7], "foot"]
    assert painted_lines(*frames) == f"\x1b[2;7r\x1b[7H\v\x1b[r\x1b[7H{LIST[6]}"


def test_lines_that_went_down_are_moved() -> None:
    frames = ["head", *LIST[2:8], "foot"], ["head", *LIST[:6], "foot"]
    written = f"\x1b[2;7r\x1b[2H\x1bM\x1bM\x1b[r\x1b[2H{LIST[0]}\r\v{LIST[1]}"
    assert painted_lines(*frames) == written


def test_nothing_is_moved_where_painting_is_shorter() -> None:
    assert painted_lines([*"abcdef"], [*"defdef"]) == "\x1b[Hd\r\ve\r\vf"


def test_one_line_is_moved() -> None:
    frames = ["head", LIST[8], "", "foot"], ["head", "a", LIST[8], "foot"]
    written = painted_lines(*[[line.ljust(32) for line in frame] for frame in frames])
    assert written == "\x1b[2;3r\x1b[2H\x1bM\x1b[r\x1b[2Ha\x1b[K"


def test_no_line_is_moved_over_one_that_is_not_known() -> None:
    screenful, line = Screenful(), cells_of(Strip([Segment(LIST[0])]), COLOURS)
    screenful.paint({0: line, 3: cells_of(Strip([Segment("")]), COLOURS)})
    assert screenful.paint({3: line}) == f"\x1b[4H{LIST[0]}"


def test_a_colour_of_the_256_is_sent_as_that_one() -> None:
    for number in range(16, 256):
        colour = Color.from_ansi(number).get_truecolor()
        line = Strip([Segment("a", Style(color=Color.from_triplet(colour)))])
        codes = cells_of(line, COLOURS)[0][1].colour.split(";")
        assert codes[:2] == ["38", "5"]
        assert Color.from_ansi(int(codes[2])).get_truecolor() == colour
