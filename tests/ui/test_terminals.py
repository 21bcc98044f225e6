"""The panel in every terminal that a person may come from: its screens, colours and attributes, as recorded in
`terminals/`. MVTUI_RENEW_SCREENS=1 in the environment records them anew."""

from collections.abc import Iterator, Sequence

import pytest

from tests.ui.recorded import compare, recorded
from tests.ui.terminal import TerminalProgram

# What the environment says, and which recorded screens are its.
TERMINALS = {
    "xterm-256color": ({}, "256-colours"),
    "truecolor": ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "256-colours"),
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


@pytest.mark.parametrize("name", TERMINALS)
def test_screens(name: str) -> None:
    environ, file = TERMINALS[name]
    screens = zip(SCENES, played(SCENES, {"TERM": name, **environ}), strict=True)
    compare("".join([recorded(program.screen, scene) for scene, program in screens]), file)
