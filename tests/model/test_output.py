"""What a command writes, as it is shown."""

from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.output import MOST_CHARACTERS, MOST_LINES, OutputLines


def lines_of(*chunks: bytes) -> list[str]:
    output = OutputLines()
    for chunk in chunks:
        output.feed(chunk)
    return output.lines


def test_lines_as_they_come() -> None:
    assert lines_of(b"one\ntw", b"o\nthr") == ["one", "two", "thr"]
    assert lines_of(b"a\r\nb\r\n") == ["a", "b"]
    assert lines_of(b"10%\r20%\r", b"30%") == ["30%"]
    assert lines_of("ä".encode()[:1], "ä".encode()[1:]) == ["ä"]
    assert lines_of(b"\xff\n") == ["\ufffd"]
    assert lines_of(b"a\tb") == ["a    b"]


def test_nothing_acts_on_the_terminal() -> None:
    assert lines_of(b"\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;http://x\x1b\\link\n") == ["red link"]
    assert lines_of(b"\x1b[3", b"1mred\n") == ["red"]
    assert lines_of(b"\x1bc\x1b(Bx\x1bP1;2q...\x1b\\y\n") == ["xy"]
    assert lines_of(b"a\x07\x08b\n") == ["a\\x07\\x08b"]
    assert lines_of("\u202eback\n".encode()) == ["\\u202eback"]


def test_the_last_lines_are_kept() -> None:
    output = OutputLines()
    output.feed(b"".join(b"%d\n" % number for number in range(MOST_LINES + 5)))
    assert output.lines == [str(number) for number in range(5, MOST_LINES + 5)]
    assert output.gone == 5


def test_long_lines_are_cut() -> None:
    (line,) = lines_of(b"x" * 10_000 + b"\n")
    assert line == "x" * (MOST_CHARACTERS - 1) + "…"
    endless = lines_of(*[b"y" * 5000] * 100, b"\nnext\n")
    assert endless == ["y" * (MOST_CHARACTERS - 1) + "…", "next"]


def test_what_is_left_out_is_said() -> None:
    output = OutputLines()
    output.feed(b"begin")
    output.skip(7000)
    output.feed(b"rest of a line\nend\n")
    assert output.lines == ["… 7000 bytes left out", "end"]
    assert output.last == "end"


@given(st.lists(st.binary()))
def test_whatever_comes_is_lines_that_can_be_shown(chunks: list[bytes]) -> None:
    lines = lines_of(*chunks)
    assert all(line.isprintable() and len(line) <= MOST_CHARACTERS for line in lines)
    assert lines == lines_of(b"".join(chunks))
