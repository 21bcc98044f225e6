"""The panel in every terminal that a person may come from: its screens, colours and attributes, as recorded in
`terminals/`. MVTUI_RENEW_SCREENS=1 in the environment records them anew."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyte
import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key

from tests.ui.obeyed import capabilities
from tests.ui.recorded import compare, recorded
from tests.ui.terminal import TerminalProgram

# What the environment says, and which recorded screens are its.
TERMINALS = {
    "xterm-256color": ({}, "256-colours"),
    "truecolor": ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "all-colours"),
    "tmux-256color": ({}, "256-colours"),
    "screen-256color": ({}, "256-colours"),
    "xterm": ({}, "16-colours"),
    "screen": ({}, "screen-and-console"),
    "linux": ({}, "screen-and-console"),
    "vt100": ({}, "vt100"),
    "no-color": ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "no-color"),
    "no-utf8": ({"TERM": "xterm-256color", "LC_ALL": "C", "LANG": ""}, "no-utf8"),
}
# One of each kind: list, question, plan, form, page, table, log, help, palette, diff, what was typed.
SCENES = (
    *("states", "filter-typed", "sorted-marked", "question", "reset", "help", "palette-refused", "stale"),
    *("degraded-overview", "degraded-shares", "logs-found", "timeline-event", "share-errors", "review"),
)
# A page that is read and scrolls as a whole, and a plan.
_NO_CURSOR = {"degraded-overview", "review"}


def played(
    scenes: Sequence[str], environ: dict[str, str], size: tuple[int, int] = (80, 24)
) -> Iterator[TerminalProgram]:
    """The panel in each of these scenes."""
    arguments = ["-m", "tests.ui.terminal_child", f"scenes:{','.join(scenes)}"]
    with TerminalProgram(arguments, environ=environ, size=size) as program:
        for _ in scenes:
            program.settle()
            program.command("play")
            program.settle()
            yield program
            program.command("end")


def has_cursor(screen: pyte.Screen) -> bool:
    """Whether some cells are in reverse, underlined, or on a ground that few are on: neither that nor what it is has to
    do with the colour of letters."""
    cells = [screen.buffer[y][x] for y in range(2, screen.lines) for x in range(screen.columns)]
    grounds = Counter(cell.bg for cell in cells)
    return any(cell.reverse or cell.underscore or grounds[cell.bg] <= 4 * screen.columns for cell in cells)


@pytest.mark.parametrize("name", TERMINALS)
def test_screens(name: str) -> None:
    environ, file = TERMINALS[name]
    screens = zip(SCENES, played(SCENES, {"TERM": name, **environ}), strict=True)
    text = ""
    for scene, program in screens:
        text += recorded(program.screen, scene)
        assert scene in _NO_CURSOR or has_cursor(program.screen), f"{scene}: where is the cursor?"
    compare(text, file)


@pytest.mark.parametrize(("term", "why"), [("dumb", "TERM is dumb"), ("", "TERM is not set")])
def test_no_panel_where_the_cursor_can_not_be_moved(tmp_path: Path, term: str, why: str) -> None:
    """The list instead, without one escape sequence, and why."""
    for name in ("db", "web"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "current").symlink_to("/nowhere")
    arguments = ["-m", "mvtui", "--state-dir", str(tmp_path), "--manager", "direct"]
    with TerminalProgram(arguments, environ={"TERM": term, "LC_ALL": "C"}, pipe=False) as program:
        assert program.end() == 0
        assert b"\x1b" not in program.written
        assert program.written.isascii()
        assert f"no panel, because {why}" in program.text
        if term:
            compare(recorded(program.screen, "mvtui"), term)


# A key of terminfo(5), and which of Textual's it is.
_KEYS = {
    "kcuu1": "up",
    "kcud1": "down",
    "kcub1": "left",
    "kcuf1": "right",
    "khome": "home",
    "kend": "end",
    "kpp": "pageup",
    "knp": "pagedown",
    "kdch1": "delete",
    "kbs": "backspace",
    "kf1": "f1",
    "kcbt": "shift+tab",
}


@pytest.mark.parametrize("term", ["xterm-256color", "tmux-256color", "screen", "screen-256color", "linux", "vt100"])
def test_the_keys_of_the_terminal_are_understood(term: str) -> None:
    known = capabilities(term)
    found = {key: _pressed(known[name]) for name, key in _KEYS.items() if name in known}
    assert found
    assert found == {key: [key] for key in found}


def _pressed(sequence: str) -> list[str]:
    typed = sequence.replace(r"\E", "\x1b").replace("^I", "\t").replace("^H", "\b").replace("^?", "\x7f")
    parser = XTermParser()
    return [message.key for message in parser.feed(typed.replace(r"\177", "\x7f")) if isinstance(message, Key)]
