"""Everything by mouse alone."""

import pytest

from mvtui.model.unit import UnitVerb
from mvtui.ui.commands import COMMANDS, TABS
from mvtui.ui.keys import key_label, key_of_label
from mvtui.ui.widgets.microvm_list import MicroVMList
from mvtui.ui.widgets.sheet import Sheet
from tests.ui.conftest import Open, Panel
from tests.ui.full_samples import DEGRADED, HEALTHY
from tests.ui.samples import LAB, WEB, microvm, snapshot

FULL = snapshot(HEALTHY)
MANY = snapshot(*(microvm(f"vm{number:03}") for number in range(100)))


def names(panel: Panel) -> list[str]:
    return [one.name for one in panel.app.panel.query_one(MicroVMList).shown]


async def test_a_click_selects_and_another_one_opens(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.click("mail ")
        assert panel.selected == "mail"
        assert not panel.lines[0].startswith("hv01 > ")
        await panel.click("mail ")
        assert panel.lines[0].startswith("hv01 > mail")


@pytest.mark.parametrize(
    ("head", "first", "reversed_first"),
    [
        ("NAME", "web", "ci"),  # by name is how they come
        ("STATE", "mail", "ci"),
        ("AGE", "mail", "proxy"),
        ("CPU%", "ci", "proxy"),
        ("MEM", "ci", "proxy"),
        ("FSD", "git", "db"),
        ("OVERLAY", "lab", "mail"),
        ("NOTE", "git", "db"),
    ],
)
async def test_a_click_on_a_head_sorts(open_panel: Open, head: str, first: str, reversed_first: str) -> None:
    async with open_panel() as panel:
        await panel.click(head)
        listing = panel.app.panel.query_one(MicroVMList).listing
        assert listing.sort == head
        assert panel.lines[1].count("↓") + panel.lines[1].count("↑") == 1
        once = names(panel)
        await panel.click(head)
        assert {once[0], names(panel)[0]} == {first, reversed_first}


async def test_a_click_on_nothing_does_nothing(open_panel: Open) -> None:
    async with open_panel() as panel:
        before = panel.lines
        for at in ((79, 0), (40, 12), (79, 23), (70, 17), (0, 1)):
            await panel.pilot.click(offset=at)
            await panel.pilot.pause()
        assert panel.lines == before


@pytest.mark.parametrize("tab", TABS)
async def test_a_click_opens_a_tab(open_panel: Open, tab: str) -> None:
    async with open_panel(FULL) as panel:
        await panel.press("2" if tab != "shares" else "1")
        await panel.click(tab.capitalize())
        assert f"▌{TABS.index(tab) + 1} {tab.capitalize()}▐" in panel.lines[1]
        await panel.press("j")
        assert len(panel.app.panel.query(Sheet)) == (1 if tab == "logs" else 2)


@pytest.mark.parametrize("tab", ["Shares", "Volumes", "Processes"])
async def test_brackets_round_the_open_tab_are_no_keys(open_panel: Open, tab: str) -> None:
    async with open_panel(FULL, ascii_only=True) as panel:
        await panel.press("3")
        await panel.click(tab)
        assert f"[{TABS.index(tab.lower()) + 1} {tab}]" in panel.lines[1]


async def test_a_click_finds_a_tab_whose_key_is_long(open_panel: Open) -> None:
    async with open_panel(FULL) as panel:
        panel.app.set_keymap({"tab_overview": "f11", "tab_shares": "ctrl+s"})
        await panel.press("f11")
        assert panel.lines[1].startswith("▌F11 Overview▐  ^s Shares")
        await panel.click("Processes")
        assert "▌4 Processes▐" in panel.lines[1]


async def test_keys_of_the_footer(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB), size=(160, 30)) as panel:
        await panel.click("T stop")
        assert panel.foot.startswith("stop web on hv01?")
        await panel.click("Esc leaves")
        await panel.click("? help")
        assert "The keys that work here" in panel.text
        await panel.press("escape")
        await panel.click("Enter open")
        assert panel.app.panel.opened == "web"
        await panel.click("q back")
        assert panel.lines[0].startswith("mvtui")


async def test_a_dimmed_key_says_why_and_is_no_other_key(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.click("T stop")
        assert "lab is stopped already" in panel.text
        await panel.click("T stop", 0)
        assert panel.host.asked == []
        await panel.pilot.click(offset=(panel.place("T stop")[0] + 3, 23))
        await panel.pilot.pause()
        assert panel.host.asked == []
        await panel.click("start", -1)
        assert panel.host.asked == [(UnitVerb.START, "lab")]


async def test_keys_of_the_why_line(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.click("S start")
        assert panel.host.asked == [(UnitVerb.START, "lab")]


async def test_answers(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("T")
        await panel.click("y stops")
        assert panel.host.asked == [(UnitVerb.STOP, "web")]
        await panel.press("r")
        await panel.click("web: stop is under way")
        assert "? help" in panel.foot


async def test_a_click_in_the_deaf_time_is_no_answer(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.pilot.press("T")
        await panel.pilot.pause()
        await panel.pilot.click(offset=panel.place("y stops"))
        await panel.pilot.pause()
        assert panel.host.asked == []
        await panel.click("y stops")
        assert panel.host.asked == []
        await panel.click("y stops")
        assert panel.host.asked == [(UnitVerb.STOP, "web")]


async def test_what_must_be_typed_is_typed_whatever_is_clicked(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("K")
        await panel.click("kill web on hv01?")
        await panel.press(*"web")
        await panel.click("the guest has not written")
        assert panel.host.asked == []
        await panel.click("Enter")
        assert panel.host.asked == [(UnitVerb.KILL, "web")]


async def test_escape_of_a_kill_is_clicked(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("K", *"web")
        await panel.click("Esc leaves")
        assert panel.host.asked == []
        assert "kill web" not in panel.text


async def test_state_is_clicked(open_panel: Open) -> None:
    async with open_panel(size=(120, 30)) as panel:
        await panel.press("f")
        await panel.click("l 1 looping")
        assert names(panel) == ["mail"]


async def test_the_palette(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("colon", *"start")
        await panel.click("start ci: ci runs already")
        await panel.click("start ci: ci runs already")
        assert panel.host.asked == []
        await panel.click("restart ci")
        await panel.click("restart ci")
        assert panel.foot.startswith("restart ci on hv01?")
        await panel.press("escape", "colon", *"web")
        await panel.click("● web", 1)
        assert panel.app.panel.opened == "web"


async def test_the_filter(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("slash", *"git")
        await panel.click("Enter keeps")
        assert names(panel) == ["git"]
        assert "/git 1 of 7" in panel.lines[0]
        await panel.press("slash")
        await panel.click("Esc drops")
        assert len(names(panel)) == 7


@pytest.mark.parametrize("keys", ["colon", "question_mark", "at", "slash g"])
async def test_a_click_elsewhere_leaves_a_panel(open_panel: Open, keys: str) -> None:
    async with open_panel(size=(80, 60)) as panel:
        await panel.press(*keys.split())
        await panel.click("git ")
        assert not panel.app.panel.asks
        assert "? help" in panel.foot
        await panel.press("S")
        assert "git runs already" in panel.text


async def test_the_wheel_scrolls_and_the_cursor_stays(open_panel: Open) -> None:
    async with open_panel(MANY) as panel:
        await panel.wheel(5, 3)
        assert "vm000 " not in "\n".join(panel.lines[2:16])
        assert panel.selected == "vm000"
        await panel.tell(MANY._replace(microvms=MANY.microvms[:-1]))
        assert "vm000 " not in "\n".join(panel.lines[2:16])
        await panel.wheel(5, -3)
        assert panel.lines[2].startswith("○ vm000")


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "question_mark", "at", "colon"])
async def test_the_wheel_scrolls_everywhere(open_panel: Open, key: str) -> None:
    async with open_panel(snapshot(DEGRADED), size=(60, 12)) as panel:
        panel.host.calls.told *= 5
        await panel.press(key)
        before = panel.lines
        await panel.wheel(8, 2)
        assert panel.lines != before
        await panel.wheel(8, -2)
        assert panel.lines == before


async def test_entries_of_a_page_are_clicked(open_panel: Open) -> None:
    async with open_panel(FULL, size=(120, 40)) as panel:
        await panel.press("4")
        assert "supervisord" in panel.text
        await panel.click("2200 ")
        assert "-c conf" in panel.text
        await panel.click("2210 ")
        assert "--thread-pool-size=4" in panel.text
        await panel.click("2210 ")
        assert panel.app.panel.opened == "wiki"


def test_every_label_leads_back_to_its_key() -> None:
    for one in COMMANDS:
        for key in one.keys:
            assert key_of_label(key_label(key)) == key
