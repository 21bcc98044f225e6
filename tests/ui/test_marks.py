"""Marks, and acting on several at once."""

from mvtui.model.unit import UnitVerb
from mvtui.ui.widgets.microvm_list import MicroVMList
from tests.ui.conftest import Open, Panel
from tests.ui.samples import CI, DB, GIT, LAB, PRODUCT, WEB, microvm, snapshot


def marks(panel: Panel) -> set[str]:
    return set(panel.app.panel.query_one(MicroVMList).marks)


async def test_marks_are_kept_over_looks_and_dropped_for_what_goes(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("space", "j", "space")
        assert panel.lines[2].startswith("●+ci")
        assert panel.lines[3].startswith("● db")
        assert panel.lines[4].startswith("▲+git")
        await panel.tell(snapshot(*PRODUCT.microvms, microvm("aa")))
        assert marks(panel) == {"ci", "git"}
        await panel.tell(snapshot(DB, GIT, LAB))
        assert marks(panel) == {"git"}
        assert "1 marked" in panel.lines[0]
        await panel.tell(PRODUCT)
        assert marks(panel) == {"git"}
        await panel.press("asterisk")
        assert len(marks(panel)) == 7
        await panel.press("asterisk")
        assert marks(panel) == set()


async def test_all_that_are_shown_are_marked(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("slash", *"f", "enter", "asterisk", "escape")
        assert marks(panel) == {"git", "lab", "mail"}
        await panel.press("slash", *"lab", "enter", "asterisk")
        assert marks(panel) == {"git", "mail"}


async def test_several_are_acted_on_after_their_count(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("asterisk", "T")
        assert "─ stop 6 microVMs on hv01? ─" in panel.text
        assert "✓ git: degraded, up 11h" in panel.text
        assert "× left out: lab is stopped already" in panel.text
        assert "Type how many, then Enter; Esc leaves." in panel.text
        await panel.press("enter", "5", "enter", "y")
        assert panel.host.asked == []
        await panel.press("backspace", "backspace", "6", "enter")
        assert panel.host.asked == [(UnitVerb.STOP, name) for name in ("ci", "db", "git", "mail", "proxy", "web")]
        assert marks(panel) == set()


async def test_a_start_of_several_asks_too(open_panel: Open) -> None:
    stopped = [microvm(f"vm{number:02}") for number in range(12)]
    async with open_panel(snapshot(*stopped, WEB)) as panel:
        await panel.press("asterisk", "S")
        assert "─ start 12 microVMs on hv01? ─" in panel.text
        assert "and 5 more" in panel.text
        assert "left out: web runs already" in panel.text
        await panel.press("1", "2", "enter")
        assert panel.host.asked == [(UnitVerb.START, one.name) for one in stopped]


async def test_one_that_is_marked_is_meant_instead_of_the_selected_one(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB, WEB)) as panel:
        await panel.press("j", "space", "k")
        assert panel.selected == "lab"
        assert "S start" not in "\n".join(panel.lines[-8:-2])  # the why-line of lab: S means web
        await panel.press("T")
        assert panel.foot.startswith("stop web on hv01?")
        await panel.press("y")
        assert panel.host.asked == [(UnitVerb.STOP, "web")]
        assert marks(panel) == set()


async def test_none_of_several_can_be_acted_on(open_panel: Open) -> None:
    async with open_panel(snapshot(CI, DB)) as panel:
        await panel.press("asterisk", "S")
        assert "ci runs already" in panel.text
        assert "? help" in panel.foot
        assert marks(panel) == {"ci", "db"}


async def test_read_only_refuses_several_and_everything_of_the_palette(open_panel: Open) -> None:
    async with open_panel(read_only=True, size=(80, 60)) as panel:
        await panel.press("asterisk")
        for key in "STrKCOuxA":
            await panel.press(key)
            assert "read-only from the start" in panel.text
        await panel.press("colon")
        refused = set[str]()
        for _ in range(9):
            refused |= {line for line in panel.lines if "read-only from the start" in line and "  " in line}
            await panel.press("pagedown")
        assert {line.split()[0] for line in refused} >= {*"STrKCOuxAW"}
        await panel.press("enter", "escape", "enter", *"STrKCOuxA")
        assert panel.host.asked == []
        assert panel.host.cancelled == []
