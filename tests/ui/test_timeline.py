"""The tab of the timeline: what it shows, when it is read, that nothing in it acts."""

from mvtui.model.settings import DEFAULTS
from mvtui.model.timeline import Event, EventKind, Timeline
from mvtui.ui.run import seams_of
from mvtui.ui.seams import look, only_look
from tests.ui.conftest import Open
from tests.ui.full_samples import DEGRADED
from tests.ui.samples import WEB, ago, snapshot
from tests.ui.timeline_samples import PAST

ONE = snapshot(DEGRADED)


async def test_the_newest_first_and_each_day_named(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("6")
        shown = [line for line in panel.lines[2:] if line[:2].isdigit() or line.startswith("─ ")]
        assert "mended" in shown[0]
        assert "virtiofsd of share home ended" in shown[1]
        days = [line for line in shown if line.startswith("─ ")]
        assert days
        assert days[0].startswith(f"─ {ago(days=1):%a %d %b}")


async def test_the_event_under_the_cursor_tells_all(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("6", *["j"] * 5)
        assert "by ada, took 1.2 s" in panel.text
        assert "mvtui start" in panel.text


async def test_a_key_shows_some_of_it_alone(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("6", "f")
        assert "failures" in panel.text
        await panel.press("i")
        kinds = {line[9:18].strip() for line in panel.lines[2:] if line[:2].isdigit()}
        assert kinds == {"finding", "mended"}
        assert f" of {len(PAST.events)} events" in panel.text
        await panel.press("f", "o")
        assert "images alone: " in panel.text
        await panel.press("f", "a")
        assert " alone: " not in panel.text
        assert "virtiofsd of share home ended" in panel.text


async def test_the_palette_has_its_key_too(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("6", "colon", *"events", "enter")
        await panel.press("i")
        assert "findings alone: " in panel.text


async def test_what_the_host_says_is_text(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("6", "G")
        assert "[b]bold[/b] \\x1b]0;title\\x07\\n" in panel.text
        assert "\\u202e[@click=app.quit]x[/]" in panel.text


async def test_it_is_read_again_while_it_is_in_sight(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("6")
        event = Event(ago(seconds=1), EventKind.STOP, "the hypervisor was stopped just now")
        panel.host.timeline = PAST._replace(events=(event, *PAST.events))
        panel.host.passes(seconds=3)
        await panel.tell(ONE)
        assert "stopped just now" in panel.text


def test_a_read_only_panel_puts_nothing_on_record() -> None:
    assert seams_of(DEFAULTS._replace(read_only=True)).source is only_look
    assert seams_of(DEFAULTS).source is look


async def test_of_another_it_is_another(open_panel: Open) -> None:
    async with open_panel(snapshot(DEGRADED, WEB)) as panel:
        await panel.press("6")
        assert "virtiofsd of share home ended" in panel.text
        panel.host.timeline = Timeline(troubles=("the journal may not be read",))
        await panel.press("q", "G", "6")
        assert "virtiofsd of share home ended" not in panel.text
        assert "the journal may not be read" in panel.text
        assert "Nothing is known to have happened to it." in panel.text


async def test_what_is_on_its_way_when_the_page_is_left_harms_nothing(open_panel: Open) -> None:
    async with open_panel(snapshot(DEGRADED, WEB)) as panel:
        await panel.pilot.press("6", "q", "G", "6", "1", "q")
        await panel.pilot.pause()
        assert panel.app.panel.opened is None
