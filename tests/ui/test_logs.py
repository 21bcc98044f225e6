"""The tab of logs: what it shows, how one walks through it, when it reads and when it does not."""

import re
import time
from collections.abc import Callable

import pytest

from mvtui.errors import MvtuiError
from mvtui.ui.logs import reading
from mvtui.ui.logs.reading import PAGE
from mvtui.ui.widgets.log_view import LogView
from tests.ui.conftest import Open, Panel
from tests.ui.fake_logs import FakeLogs, said
from tests.ui.full_samples import DEGRADED
from tests.ui.samples import WEB, snapshot

GIT = snapshot(DEGRADED, WEB)
LINES, TALL = 19, 70


async def wait(panel: Panel, holds: Callable[[], bool]) -> None:
    """Until it does."""
    for _ in range(2000):
        if holds():
            return
        await panel.pilot.pause()
    raise AssertionError(panel.text)


async def see(panel: Panel, text: str) -> None:
    """Until it stands on the screen, and nothing is read any more that was asked for."""
    await wait(panel, lambda: text in panel.text and not view(panel).walk.is_busy)


def view(panel: Panel) -> LogView:
    return panel.app.screen.query_one(LogView)


def numbers(panel: Panel) -> list[int]:
    """Those that the lines in sight have."""
    return [int(line.rsplit(" ", 1)[1]) for line in panel.lines[3:-2] if line]


async def opened(panel: Panel, count: int = 3000) -> FakeLogs:
    """The tab, with so many lines in the log."""
    logs = panel.host.logs
    logs.records = [said(number, f"line {number}") for number in range(count)]
    await panel.press("l")
    await see(panel, f"line {count - 1}")
    return logs


async def test_it_follows(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel, 5)
        assert "─ follows" in panel.lines[2]
        assert "▌5 Logs▐" in panel.lines[1]
        for number in range(5, 40):
            logs.say(said(number, f"line {number}"))
        await see(panel, "line 39")
        assert numbers(panel) == [*range(40 - LINES, 40)]


async def test_scrolling_up_stops_it_and_the_end_goes_on(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        await panel.press("k")
        assert "stands still, G goes on" in panel.lines[2]
        assert logs.streams == []
        assert numbers(panel) == [*range(2999 - LINES, 2999)]
        logs.say(said(3000, "line 3000"))
        await panel.press("k", "j")
        assert numbers(panel) == [*range(2999 - LINES, 2999)]
        await panel.press("G")
        await see(panel, "line 3000")
        assert "─ follows" in panel.lines[2]
        assert len(logs.streams) == 1


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is found at once, looked at again and again, and lasts for minutes."""
    monkeypatch.setattr(reading, "_COUNTS", 0.0)
    monkeypatch.setattr(reading, "_CALM", 1)
    monkeypatch.setattr(reading, "_SKIM", 0.0)


def flood(logs: FakeLogs, count: int = 600) -> int:
    """So many lines more, logged just now; the number of the last one."""
    first = len(logs.records)
    now = str(time.time_ns() // 1000)
    logs.say(*[said(number, f"line {number}", __REALTIME_TIMESTAMP=now) for number in range(first, first + count)])
    return len(logs.records) - 1


@pytest.mark.usefixtures("hurried")
async def test_only_the_end_of_a_flood_is_read(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        for _ in range(3):
            last = flood(logs)
            await see(panel, f"line {last}")
            assert numbers(panel) == [*range(last + 1 - LINES, last + 1)]
            assert re.search(r"─ skims [\d,]+ lines/s  ", panel.lines[2])
            assert logs.streams == []
        # All that was not read is there for who leafs up.
        await panel.press("k")
        assert "─ stands still" in panel.lines[2]
        assert "lines/s" not in panel.lines[2]
        while numbers(panel)[-1] > 2900:
            shown = numbers(panel)
            await panel.press("pageup")
            await wait(panel, lambda shown=shown: numbers(panel)[-1] in range(shown[0] - 1, shown[0] + 2))  # type: ignore[misc]
            assert numbers(panel) == [*range(numbers(panel)[0], numbers(panel)[0] + LINES)]


@pytest.mark.usefixtures("hurried")
async def test_behind_a_flood_each_line_is_read_again(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        last = flood(logs)
        await see(panel, f"line {last}")
        assert logs.streams == []
        for number in range(last + 1, last + 2001):  # they came while nobody looked, and slowly
            logs.records.append(said(number, f"line {number}"))
        await see(panel, f"line {last + 2000}")
        await wait(panel, lambda: len(logs.streams) == 1)
        assert "lines/s" not in panel.lines[2]
        logs.say(said(last + 2001, f"line {last + 2001}"))
        await see(panel, f"line {last + 2001}")
        await panel.press("pageup")
        assert "─ stands still" in panel.lines[2]
        assert numbers(panel) == [*range(numbers(panel)[0], numbers(panel)[0] + LINES)]


@pytest.mark.usefixtures("hurried")
async def test_a_flood_that_can_be_read_no_more_says_why(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)

        def refuse(*_: object, **__: object) -> list[bytes]:
            raise MvtuiError("journalctl has not answered within 10 s", "try again")

        monkeypatch.setattr(logs, "page", refuse)
        flood(logs)
        await see(panel, "has not answered")
        assert "─ stands still" in panel.lines[2]
        assert logs.streams == []


async def test_scrolling_down_to_the_end_goes_on(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        await panel.press("pageup")
        logs.say(*[said(number, f"line {number}") for number in range(3000, 3010)])
        await panel.press("pagedown")
        await wait(panel, lambda: not view(panel).walk.is_busy)
        assert "stands still" in panel.lines[2], "there is more below"
        await panel.press("pagedown")
        await wait(panel, lambda: "─ follows" in panel.lines[2])
        assert numbers(panel)[-1] == 3009
        logs.say(said(3010, "line 3010"))
        await see(panel, "line 3010")


async def test_history_has_no_end_but_memory_has_bounds(open_panel: Open) -> None:
    async with open_panel(GIT, size=(80, 5 + TALL)) as panel:
        await opened(panel, 1_345)
        walk = view(panel).walk
        assert len(walk.window) == PAGE
        seen = numbers(panel)
        while seen[0] != 0:
            before = seen[0]
            await panel.press("pageup")
            await wait(panel, lambda: not walk.is_busy)
            seen = numbers(panel)
            assert seen == [*range(seen[0], seen[0] + TALL)]
            assert seen[0] == max(0, before - TALL + 1), "none is left out"
            assert len(walk.window) <= 10_000
        while seen[-1] != 1_344:
            before = seen[-1]
            await panel.press("pagedown")
            await wait(panel, lambda: not walk.is_busy)
            seen = numbers(panel)
            assert seen == [*range(seen[0], seen[0] + TALL)]
            assert before < seen[-1] <= before + TALL
        await panel.press("g")
        await see(panel, "line 0")
        assert numbers(panel) == [*range(TALL)]


async def test_a_search_goes_as_far_as_it_takes(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel, 12_000)
        logs.records[77] = said(77, "the Needle 77")
        logs.records[99] = said(99, "the Needle 99")
        await panel.press("slash", *"needle", "enter")
        await see(panel, "the Needle 99")
        assert "/needle" in panel.lines[2]
        await panel.press("N")
        await see(panel, "the Needle 77")
        await panel.press("N")
        await see(panel, "it stands nowhere above")
        assert "the Needle 77" in panel.text
        await panel.press("n", "n")
        await see(panel, "it stands nowhere below")
        assert "the Needle 99" in panel.text
        await panel.press("slash", "escape", "n")
        assert "nothing is searched for" in panel.lines[2]


async def test_a_level_and_a_source_are_shown_where_one_is(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        logs.records[1500] = said(1500, "an error at 1500", priority=3)
        await panel.press("v", "e")
        await see(panel, "an error at 1500")
        assert "follows" in panel.lines[2]
        assert "v err and worse" in panel.lines[2]
        await panel.press("slash", *"error", "enter")
        await see(panel, "stands still")
        await panel.press("v", "a")
        await see(panel, "line 1501")
        assert panel.lines[3].endswith("an error at 1500"), "what stands round it"
        await panel.press("k")
        assert panel.lines[3].endswith("line 1499")
        await panel.press("G", "f", "v")
        await see(panel, "Nothing has been logged that is wanted here.")
        assert "f virtiofsd" in panel.lines[2]


@pytest.mark.parametrize("leave", ["1", "escape", "q", "bracketright"])
async def test_who_leaves_reads_no_more(open_panel: Open, leave: str) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        await panel.press("right_square_bracket" if leave == "bracketright" else leave)
        assert logs.streams == []
        await panel.press("l")
        await see(panel, "line 2999")
        assert len(logs.streams) == 1
    assert logs.streams == []


async def test_another_microvm_is_another_log(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        await panel.press("escape", "G", "5")
        await see(panel, "line 2999")
        assert view(panel).microvm == "wiki"
        assert len(logs.streams) == 1


async def test_a_paused_picture_stands_still(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        logs = await opened(panel)
        await panel.press("p")
        before = panel.lines[3:22]
        logs.say(said(3000, "line 3000"))
        await wait(panel, lambda: view(panel).walk.window.end == PAGE + 1)
        assert panel.lines[3:22] == before
        await panel.press("p")
        await see(panel, "line 3000")


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("Hint: You are currently not seeing messages from other users and the system.", "usermod -aG systemd-journal"),
        ("journalctl: unrecognized option '--follow'", "unrecognized option"),
        ("gone", "can't be run: No such file or directory (it is part of systemd)"),
    ],
)
async def test_what_keeps_it_from_reading_is_said(open_panel: Open, complaint: str, words: str) -> None:
    async with open_panel(GIT) as panel:
        panel.host.logs.refuses = complaint
        await panel.press("l")
        await see(panel, words)
        assert "stands still" in panel.lines[2]
        panel.host.logs.refuses = ""
        await panel.press("G")
        await see(panel, "restart of git: done")


async def test_nothing_is_logged(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        panel.host.logs.records = []
        await panel.press("l")
        await see(panel, "Nothing has been logged.")
        await panel.press("k", "pageup", "g", "G", "pagedown", "n", "w")
        await see(panel, "Nothing has been logged.")
        panel.host.logs.say(said(1, "at last"))
        await panel.press("G")
        await see(panel, "at last")


async def test_hostile_text_is_text(open_panel: Open) -> None:
    async with open_panel(GIT) as panel:
        await panel.press("l")
        await see(panel, "no UTF-8: \\udcff\\udcfe")
        assert "[b]bold[/b], and [@click=app.quit]this[/]" in panel.text
        await panel.press("w", "pageup")
        await see(panel, "\\x1b]0;title\\x07\\x1b[2J")
        await panel.press("k", "pageup", "t", "w")
        assert "\x1b" not in panel.text
