"""No terminal is sent what it shows as text, or what it does not undo: by its terminfo, through a walk of the panel."""

import shutil

import pytest

from mvtui.model.locale import has_colours, moves_cursor
from mvtui.ui.abilities import abilities_of
from tests.ui.obeyed import capabilities, refused
from tests.ui.terminal import KITTY_KEYS, MARK, TerminalProgram

CHILD = ["-m", "tests.ui.terminal_child"]
NEWER = ("xterm-256color", "tmux-256color", "xterm")
OLDER = ("vt100", "vt102", "vt220", "linux", "screen", "screen-256color", "ansi")
# The list, marks and order, a question, each tab, help, palette, a form, the log's search, the end.
WALK = (
    *("j j k G g space greater_than less_than", "T", "escape", "f", "escape", "slash v m", "escape escape"),
    *("1 2 3 4 j j pagedown", "5 slash e r r enter n escape w t v", "escape", "6 j enter", "escape escape"),
    *("question_mark pagedown G g", "escape", "colon s t down", "escape", "e s a b down / tab", "escape d escape"),
    *("D j", "escape", "at j", "escape", "O", "escape", "ctrl+r"),
)


@pytest.fixture(autouse=True)
def _infocmp() -> None:
    if shutil.which("infocmp") is None:
        pytest.skip("infocmp (ncurses-bin) is missing")


def walked(environ: dict[str, str]) -> bytes:
    """All that is written from the first byte to the last."""
    with TerminalProgram(CHILD, environ=environ) as program:
        program.settle()
        for keys in WALK:
            program.command(f"press {keys}")
            program.settle()
        program.type("\x03")
        assert program.end() == 0
        return program.written.replace(MARK, b"")


@pytest.mark.parametrize("term", [*NEWER, *OLDER])
def test_what_is_written_is_obeyed(term: str) -> None:
    written = walked({"TERM": term})
    assert refused(written, term, newer=term in NEWER) == set()
    assert bool(KITTY_KEYS.search(written)) == (term in NEWER)


def test_the_walk_of_one_is_refused_by_another() -> None:
    """The judge is no rubber stamp."""
    written = walked({"TERM": "xterm-256color"})
    for term, more in {"linux": b"\x1b[?2026$p", "screen": b"\x1b[<u", "vt100": b"\x1b[>25u"}.items():
        wrong = refused(written, term, newer=False)
        assert more in wrong
        assert any(b"38;5" in one for one in wrong)


def test_terminfo_says_what_was_looked_up() -> None:
    assert capabilities("vt100").keys().isdisjoint({"colors", "dim", "hpa", "sitm"})
    assert capabilities("screen").keys().isdisjoint({"sitm"})


def test_a_background_is_erased_with_where_that_fills() -> None:
    for term in (*NEWER, *OLDER):
        assert abilities_of(term).fills == ("bce" in capabilities(term)), term


def test_the_list_has_colours_where_the_panel_has() -> None:
    for term in (*NEWER, *OLDER):
        assert has_colours(term) == abilities_of(term).colours
        assert has_colours(term) == ("colors" in capabilities(term)) or term == "ansi"
    assert not any(has_colours(term) or moves_cursor(term) for term in ("", "dumb", "unknown"))
