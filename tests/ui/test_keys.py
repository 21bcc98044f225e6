"""Every key, in every place."""

import pytest

from mvtui.model.unit import UnitVerb
from tests.ui.conftest import Open
from tests.ui.samples import EMPTY, LAB, WEB, ago, microvm, snapshot

MANY = snapshot(*(microvm(f"vm{number:03}", since=ago(hours=1)) for number in range(100)))


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("j", "db"),
        ("down", "db"),
        ("j j k", "db"),
        ("j up", "ci"),
        ("k", "ci"),
        ("G", "web"),
        ("end", "web"),
        ("G j", "web"),
        ("G g", "ci"),
        ("G home", "ci"),
        ("pagedown", "web"),
        ("pagedown pageup", "ci"),
    ],
)
async def test_moves(open_panel: Open, keys: str, name: str) -> None:
    async with open_panel() as panel:
        await panel.press(*keys.split())
        assert panel.selected == name
        assert f"─ {name} ─" in panel.text


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("pagedown", "vm014"),
        ("pagedown pagedown", "vm028"),
        ("ctrl+d", "vm007"),
        ("ctrl+d ctrl+d ctrl+u", "vm007"),
        ("G pageup", "vm085"),
        ("G", "vm099"),
    ],
)
async def test_moves_by_pages_with_the_cursor_in_sight(open_panel: Open, keys: str, name: str) -> None:
    async with open_panel(MANY) as panel:
        await panel.press(*keys.split())
        assert panel.selected == name
        assert any(line.startswith(f"○ {name}") for line in panel.lines)


async def test_start_asks_nothing(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("S")
        assert panel.host.asked == [(UnitVerb.START, "lab")]
        assert "starting lab" in panel.text


@pytest.mark.parametrize(("key", "verb"), [("T", UnitVerb.STOP), ("r", UnitVerb.RESTART)])
async def test_stop_and_restart_act_on_y_alone(open_panel: Open, key: str, verb: UnitVerb) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press(key)
        assert panel.foot == f"{verb} web on hv01? up 3d — y {verb}s, Esc leaves"
        await panel.press("enter", "Y", "space", "S", "T", "r", "q", "j")
        assert panel.host.asked == []
        await panel.press("y")
        assert panel.host.asked == [(verb, "web")]


@pytest.mark.parametrize("key", ["T", "r"])
async def test_escape_leaves_a_question(open_panel: Open, key: str) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press(key, "escape")
        assert "? help" in panel.foot
        await panel.press("y")
        assert panel.host.asked == []


@pytest.mark.parametrize("key", ["ctrl+s", "ctrl+t", "ctrl+y", "escape", "tab", "o", "["])
async def test_keys_that_change_nothing(open_panel: Open, key: str) -> None:
    async with open_panel() as panel:
        before = panel.lines
        await panel.press(key)
        assert panel.host.asked == []
        assert panel.lines == before


async def test_read_only_goes_on_and_off(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        assert panel.lines[0].endswith("RW  12:04")
        await panel.press("W")
        assert panel.lines[0].endswith("RO  12:04")
        assert "start" not in panel.foot
        await panel.press("S", "T", "r")
        assert "read-only: W switches it off" in panel.text
        assert panel.host.asked == []
        await panel.press("W", "S")
        assert panel.host.asked == [(UnitVerb.START, "lab")]


async def test_read_only_on_the_command_line_is_locked(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB), read_only=True) as panel:
        await panel.press("W", "S")
        assert panel.lines[0].endswith("RO  12:04")
        assert "read-only from the start" in panel.text
        assert panel.host.asked == []


async def test_a_pause_stands_still_until_it_ends(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("p")
        assert "paused" in panel.lines[0]
        await panel.tell(snapshot(WEB))
        assert any(line.startswith("● db") for line in panel.lines)
        await panel.press("p")
        assert "paused" not in panel.text
        assert not any(line.startswith("● db") for line in panel.lines)


async def test_refresh_looks_at_once_also_in_a_pause(open_panel: Open) -> None:
    async with open_panel() as panel:
        looks = panel.host.looks
        await panel.press("ctrl+r")
        assert panel.host.looks == looks + 1
        await panel.press("p")
        await panel.tell(snapshot(WEB))
        await panel.press("ctrl+r")
        assert not any(line.startswith("● db") for line in panel.lines)


@pytest.mark.parametrize("key", ["question_mark", "f1"])
@pytest.mark.parametrize("leave", ["question_mark", "f1", "escape", "q"])
async def test_help_opens_and_closes(open_panel: Open, key: str, leave: str) -> None:
    async with open_panel() as panel:
        before = panel.lines
        await panel.press(key)
        assert "T        stop; asks" in panel.text
        await panel.press("T", "S", "y", "r")
        assert panel.host.asked == []
        await panel.press(leave)
        assert panel.lines == before
        await panel.press("j")
        assert panel.selected == "db"


async def test_help_scrolls_where_there_is_no_room(open_panel: Open) -> None:
    async with open_panel(size=(60, 15)) as panel:
        await panel.press("question_mark")
        assert panel.lines[0].startswith("─ The keys that work here")
        await panel.press("j")
        assert panel.lines[0].startswith("Act")
        await panel.press("G")
        assert "FSD" in panel.foot
        assert "looping   restarted again and again" in panel.text
        await panel.press("k", "pageup", "pageup", "pageup", "g")
        assert panel.lines[0].startswith("─ The keys that work here")


@pytest.mark.parametrize("key", ["q", "Q", "ctrl+c"])
async def test_quits_from_the_list(open_panel: Open, key: str) -> None:
    async with open_panel() as panel:
        await panel.press(key)
        assert panel.app.return_code == 0
        assert not panel.app.is_running


@pytest.mark.parametrize("opened", ["T", "question_mark"])
async def test_control_c_quits_over_a_dialog(open_panel: Open, opened: str) -> None:
    async with open_panel() as panel:
        await panel.press(opened, "ctrl+c")
        assert not panel.app.is_running


async def test_no_key_does_anything_to_a_host_without_microvms(open_panel: Open) -> None:
    async with open_panel(EMPTY) as panel:
        await panel.press("S", "T", "r", "j", "k", "G", "g", "pagedown", "ctrl+d")
        assert panel.host.asked == []
        assert "no microVM is selected" in panel.text


async def test_a_click_selects(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.pilot.click(offset=(10, 6))
        await panel.pilot.pause()
        assert panel.selected == "mail"
        await panel.pilot.click(offset=(10, 14))
        assert panel.selected == "mail"


async def test_enter_alone_does_nothing_in_the_palette(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("colon", "enter")
        assert panel.host.asked == []
        assert "Type an action or a name" in panel.text
        await panel.press("down", "up", "enter")
        assert panel.host.asked == [(UnitVerb.START, "lab")]
