"""What a command says, scrolled: who looks at something goes on seeing it while more comes."""

from mvtui.model.output import MOST_LINES, OutputLines
from mvtui.ui.widgets.output_panel import OutputPanel, Told
from tests.ui.conftest import Open, Panel
from tests.ui.samples import snapshot


def say(output: OutputLines, first: int, count: int) -> None:
    """Each line takes several of the screen's."""
    for number in range(first, first + count):
        output.feed(f"line {number:05} {'x' * 120}\n".encode())


def first_in_sight(panel: Panel) -> str:
    return next(line for line in panel.lines if "line " in line).strip()


async def test_what_is_looked_at_stays_in_sight_while_older_lines_go(open_panel: Open) -> None:
    output = OutputLines()
    say(output, 0, MOST_LINES)
    async with open_panel(snapshot(), size=(60, 15)) as panel:
        panel.app.panel.show_output(output, lambda: Told("it runs", "text", ()), "rebuild")
        await panel.press("pageup", "pageup", "pageup", "pageup")
        before = first_in_sight(panel)
        say(output, MOST_LINES, 30)
        panel.app.panel.query_one(OutputPanel)._renew()
        await panel.pilot.pause()
        assert first_in_sight(panel) == before
