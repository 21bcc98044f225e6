"""List and pages: what is kept over looks, what Esc leaves first, what the tabs show of one microVM."""

from collections.abc import Sequence

import pytest

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.unit import UnitVerb
from mvtui.ui.listing import COLUMNS
from mvtui.ui.widgets.microvm_list import MicroVMList
from mvtui.ui.widgets.sheet import Sheet
from tests.ui.busy_host import with_cpu
from tests.ui.conftest import Open, Panel
from tests.ui.full_samples import DEGRADED, HEALTHY, LOOPING, STOPPED
from tests.ui.posting import key_event
from tests.ui.quiet import quiet
from tests.ui.samples import CI, EMPTY, LAB, MAIL, PRODUCT, PROXY, WEB, microvm, snapshot

FULL = snapshot(HEALTHY)


def names(panel: Panel) -> list[str]:
    return [one.name for one in panel.app.panel.query_one(MicroVMList).shown]


def marks(panel: Panel) -> set[str]:
    return set(panel.app.panel.query_one(MicroVMList).marks)


# The list


async def test_escape_leaves_panel_filter_marks_level_in_this_order(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("slash", *"fsd", "enter", "space", "question_mark")
        assert "The keys that work here" in panel.text
        await panel.press("escape")
        assert "/fsd 2 of 7  1 marked" in panel.lines[0]
        await panel.press("escape")
        assert "  1 marked" in panel.lines[0]
        assert "/fsd" not in panel.lines[0]
        await panel.press("escape")
        assert "marked" not in panel.lines[0]
        await panel.press("escape")
        assert panel.app.is_running
        await panel.press("enter", "escape")
        assert panel.lines[0].startswith("mvtui")


async def test_escape_on_a_page_leaves_filter_and_marks_of_the_list(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("slash", *"fsd", "enter", "space", "enter")
        assert panel.lines[0].startswith("hv01 > mail")
        await panel.press("escape")
        assert "/fsd 2 of 7  1 marked" in panel.lines[0]


async def test_a_filter_is_seen_and_kept_over_looks(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("slash", "f")
        assert "/f 3 of 7" in panel.lines[0]
        assert panel.foot.startswith("/f ")
        assert panel.foot.endswith("3 of 7   Enter keeps, Esc drops")
        await panel.press("backspace", *"git")
        assert names(panel) == ["git"]
        await panel.tell(snapshot(*PRODUCT.microvms, microvm("gitlab")))
        assert names(panel) == ["git", "gitlab"]
        await panel.press("enter")
        assert "/git 2 of 8" in panel.lines[0]
        await panel.tell(snapshot(CI, WEB))
        assert names(panel) == []
        assert "No microVM matches /git. Esc shows all." in panel.text
        await panel.press("j", "S", "T", "enter")
        assert panel.host.asked == []
        assert panel.lines[0].startswith("mvtui")
        await panel.tell(PRODUCT)
        assert names(panel) == ["git"]
        assert panel.selected == "git"


async def test_a_filter_is_typed_on_where_it_was_left(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("slash", "g", "down", "slash", "i")
        assert names(panel) == ["git"]
        await panel.press("escape")
        assert len(names(panel)) == 7


@pytest.mark.parametrize(("key", "shown"), [("d", ["git"]), ("x", ["git", "lab", "mail"]), ("s", ["lab"])])
async def test_a_state_alone(open_panel: Open, key: str, shown: list[str]) -> None:
    async with open_panel() as panel:
        await panel.press("f")
        assert "x 3 wrong, l 1 looping, d 1 degraded, s 1 stopped, r 4 running" in panel.text
        await panel.press(key)
        assert names(panel) == shown
        assert f"{len(shown)} of 7" in panel.lines[0]
        await panel.tell(snapshot(*PRODUCT.microvms, microvm("zz")))
        assert names(panel) == shown + (["zz"] if key == "s" else [])
        await panel.press("f", "a")
        assert len(names(panel)) == 8


async def test_the_filter_field_has_room_in_a_narrow_terminal(open_panel: Open) -> None:
    async with open_panel(size=(40, 12)) as panel:
        await panel.press("slash", *"looping")
        assert panel.foot.startswith("/looping")
        assert panel.foot.endswith("1 of 7")


def with_loads(loads: Sequence[float]) -> Snapshot:
    """Microvms under these loads, and one that does not run."""
    one = with_cpu(WEB, 0)
    return snapshot(*(with_cpu(one._replace(name=f"vm{n}"), load) for n, load in enumerate(loads)), LAB)


async def test_the_cursor_stays_on_its_microvm_when_the_order_changes_at_each_look(open_panel: Open) -> None:
    async with open_panel(with_loads((10, 20, 30))) as panel:
        await panel.press(*["greater_than_sign"] * COLUMNS.index("CPU%"))
        assert "CPU%↓" in panel.lines[1]
        assert names(panel) == ["vm2", "vm1", "vm0", "lab"]
        await panel.press("g", "j")
        assert panel.selected == "vm1"
        for loads in ((10, 99, 30), (10, 1, 2), (7, 7, 7), (1, 5, 3)):
            await panel.tell(with_loads(loads))
            order = sorted((0, 1, 2), key=lambda number: -loads[number])
            assert names(panel) == [f"vm{number}" for number in order] + ["lab"]
            assert panel.selected == "vm1"
            assert "─ vm1 ─" in panel.text
        await panel.press("I")
        assert names(panel) == ["vm0", "vm2", "vm1", "lab"]
        assert "CPU%↑" in panel.lines[1]


async def test_sorts_round_all_columns(open_panel: Open) -> None:
    async with open_panel() as panel:
        seen = []
        for _ in COLUMNS:
            await panel.press("greater_than_sign")
            seen.append(panel.app.panel.query_one(MicroVMList).listing.sort)
        assert seen == [*COLUMNS[1:], COLUMNS[0]]
        await panel.press("less_than_sign")
        assert panel.app.panel.query_one(MicroVMList).listing.sort == COLUMNS[-1]


async def test_an_order_is_said_where_its_column_has_no_room(open_panel: Open) -> None:
    async with open_panel(size=(60, 15)) as panel:
        await panel.press(*["greater_than_sign"] * COLUMNS.index("CPU%"))
        assert panel.lines[1].split() == ["NAME", "STATE", "NOTE", "by", "CPU%↓"]


# Pages


async def test_tabs_are_built_at_their_first_visit(open_panel: Open) -> None:
    async with open_panel(FULL) as panel:
        assert len(panel.app.panel.query("TabBar")) == 0
        await panel.press("enter")
        for count, key in ((1, "1"), (2, "3"), (2, "1"), (2, "3"), (3, "2"), (4, "4"), (4, "2")):
            await panel.press(key)
            assert len(panel.app.panel.query(Sheet)) == count
            assert len([sheet for sheet in panel.app.panel.query(Sheet) if sheet.display]) == 1
        await panel.press("right_square_bracket")
        assert "▌3 Volumes▐" in panel.lines[1]
        await panel.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert "▌6 Timeline▐" in panel.lines[1]
        await panel.press("right_square_bracket")
        assert "▌1 Overview▐" in panel.lines[1]


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
async def test_what_is_open_goes_away_and_comes_back(open_panel: Open, key: str) -> None:
    async with open_panel(snapshot(HEALTHY, WEB), size=(100, 40)) as panel:
        await panel.press("j", key)
        assert panel.lines[0].startswith("hv01 > wiki   ● running")
        before = panel.lines
        await panel.press("j")
        await panel.tell(snapshot(WEB))
        assert panel.lines[0].startswith("hv01 > wiki  gone")
        assert "wiki is no longer on this host. Esc goes back." in panel.text
        await panel.press("S", "T", "r", "K", "y")
        assert panel.host.asked == []
        assert "no microVM is selected" in panel.text
        await panel.tell(snapshot(HEALTHY, WEB))
        await panel.press("k")
        assert panel.lines[:-3] == before[:-3]
        await panel.tell(snapshot(WEB))
        await panel.press("escape")
        assert panel.selected == "web"


async def test_a_page_follows_its_microvm_and_acts_on_it_alone(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY, WEB, LAB)) as panel:
        await panel.press("asterisk", "G", "enter", "2")
        for one, word in ((DEGRADED, "▲ degraded"), (LOOPING, "↻ looping ×12"), (STOPPED, "○ stopped")):
            await panel.tell(snapshot(one, WEB, LAB))
            assert word in panel.lines[0]
        await panel.press("S")
        assert panel.host.asked == [(UnitVerb.START, "wiki")]
        await panel.press("escape")
        assert len(marks(panel)) == 3


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
async def test_another_page_shows_the_other_one_at_once(open_panel: Open, key: str) -> None:
    async with open_panel(snapshot(STOPPED, HEALTHY._replace(name="wiki2")), size=(100, 50)) as panel:
        await panel.press("j", key)
        second = panel.lines
        await panel.press("escape", "k", key)
        first = panel.lines
        assert first[2:-2] != second[2:-2]
        await panel.press("escape", "j", key)
        assert panel.lines == second
        await panel.press("escape", "k", key)
        assert panel.lines == first


async def test_list_and_side_show_at_once_what_came_while_a_page_was_open(open_panel: Open) -> None:
    async with open_panel(FULL, size=(120, 36)) as panel:
        assert "│ Hypervisor  qemu   pid 2100" in panel.text
        await panel.press("enter")
        await panel.tell(snapshot(STOPPED, WEB))
        await panel.press("escape")
        assert panel.lines[2].startswith("● web")
        assert panel.lines[3].startswith("○ wiki")
        assert panel.selected == "wiki"
        assert "pid 2100" not in panel.text
        assert "│ ─ wiki ─" in panel.text


async def test_another_page_begins_at_its_top(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY, HEALTHY._replace(name="wiki2")), size=(60, 15)) as panel:
        await panel.press("4", "G")
        assert "2100 " not in panel.text
        await panel.press("escape", "j", "4")
        assert panel.lines[0].startswith("hv01 > wiki2")
        assert "2100 " in panel.text


@pytest.mark.parametrize("keys", ["4 G", "4 j j", "4 G k j", "1 4 pagedown pagedown pagedown"])
async def test_keys_that_come_before_a_tab_is_built_move_in_it(open_panel: Open, keys: str) -> None:
    async with open_panel(FULL) as panel:
        for key in keys.split():
            panel.app.post_message(key_event(key))
        await quiet(panel.app)
        at_once = panel.app.focused
        assert isinstance(at_once, Sheet)
        async with open_panel(FULL) as other:
            await other.press(*keys.split())
            one_by_one = other.app.focused
            assert isinstance(one_by_one, Sheet)
            assert one_by_one.cursor > 0
            assert (at_once.cursor, at_once.scroll_offset) == (one_by_one.cursor, one_by_one.scroll_offset)


async def test_the_process_under_the_cursor_says_more_of_its_command_and_all_of_it_when_asked(open_panel: Open) -> None:
    long = HEALTHY.processes[0]._replace(argv=("qemu", *(f"arg-{number:02}" for number in range(40)), "the end"))
    one: MicroVM = HEALTHY._replace(processes=(long, *HEALTHY.processes[1:]), hypervisor=long)
    async with open_panel(snapshot(one), size=(80, 40)) as panel:
        await panel.press("4")
        assert "arg-12" in panel.text
        assert "arg-39" not in panel.text
        assert "Enter shows all 5 lines" in panel.text
        await panel.press("enter")
        assert "arg-39 'the end'" in panel.text
        assert "Enter folds it" in panel.text
        assert "memory  " in panel.text
        await panel.press("enter")
        assert "arg-39" not in panel.text
        await panel.press("enter", "j", "k")
        assert "arg-39" not in panel.text, "folded when the cursor left it"
        for click in ("hypervisor", "Enter folds it", "Enter shows all", "Enter folds it"):
            await panel.click(click)
            assert ("arg-39" in panel.text) is (click in ("hypervisor", "Enter shows all"))


async def test_what_is_unfolded_comes_into_sight_and_goes_back_when_it_is_folded(open_panel: Open) -> None:
    long = HEALTHY.processes[0]._replace(argv=("qemu", *(f"arg-{number:02}" for number in range(200)), "the end"))
    one: MicroVM = HEALTHY._replace(processes=(long, *HEALTHY.processes[1:]), hypervisor=long)
    async with open_panel(snapshot(one), size=(80, 24)) as panel:
        await panel.press("4")
        before = panel.lines
        await panel.press("enter")
        assert "hypervisor" in panel.lines[2], "from its first line on"
        await panel.press("pagedown", "ctrl+d")
        assert "the end" in panel.text
        await panel.press("enter")
        assert panel.lines == before
        await panel.press("5", "4", "j")
        assert "supervisord" in panel.text


async def test_the_side_shows_the_selected_one_in_a_wide_terminal(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY, PROXY), size=(120, 36)) as panel:
        await panel.press("j")
        assert "│ ─ wiki ─" in panel.text
        assert "│ Hypervisor  qemu" in panel.text
        await panel.press("k")
        assert "│ ─ proxy ─" in panel.text
        await panel.tell(EMPTY)
        assert "proxy" not in panel.text
    async with open_panel(snapshot(HEALTHY, PROXY), size=(120, 36), ascii_only=True) as panel:
        assert "| - proxy -" in panel.text


async def test_the_names_before_the_first_look_have_no_pages(open_panel: Open) -> None:
    async with open_panel(None, names=["db", "web"]) as panel:
        await panel.press("enter", "1", "space", "asterisk", "f", "escape", "slash", "d", "enter", "escape")
        assert panel.lines[2:4] == ["  db", "  web"]
        assert MAIL.name not in panel.text
