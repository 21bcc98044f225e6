"""Keys that a person has chosen, in the panel: they work, the others do not, and whatever names a key names them."""

import pytest

from mvtui.model.finding import Finding, Severity
from mvtui.model.unit import UnitVerb
from mvtui.ui.key_words import with_keys
from mvtui.ui.keymap import checked_keys
from mvtui.ui.keys import Keys
from tests.ui.conftest import Open
from tests.ui.overlay_samples import KEEPING
from tests.ui.places import FULL
from tests.ui.samples import EMPTY, LAB, MAIL, WEB, snapshot

KEYS = checked_keys(
    {
        "stop": ("F5",),
        "start": ("T",),
        "help": ("h", "F2"),
        "leave": ("^g",),
        "cursor_down": ("space",),
        "mark": ("n",),
        "calls": ("o",),
        "palette": (";",),
        "toggle_pause": ("^b",),
        "toggle_read_only": ("^w",),
        "quit": ("X",),
        "look": ("L",),
    }
)
UNBOUND = checked_keys({"stop": (), "doctor": (), "toggle_read_only": (), "last": (), "help": ()})


async def test_chosen_keys_work_and_the_others_no_longer(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB, WEB), keys=KEYS, size=(120, 36)) as panel:
        before = panel.lines
        await panel.press("at", "question_mark", "colon", "S", "j")
        assert panel.lines == before
        await panel.press("T")
        assert panel.host.asked == [(UnitVerb.START, "lab")]
        await panel.press("space", "f5")
        assert panel.foot.startswith("stop web on hv01?")
        await panel.press("y")
        assert panel.host.asked[1:] == [(UnitVerb.STOP, "web")]
        looks = panel.host.looks
        await panel.press("L")
        assert panel.host.looks == looks + 1
        await panel.press("Q")
        assert panel.app.is_running
        await panel.press("X")
        assert not panel.app.is_running


async def test_control_c_quits_whatever_is_chosen(open_panel: Open) -> None:
    async with open_panel(keys=KEYS) as panel:
        await panel.press("semicolon", "ctrl+c")
        assert not panel.app.is_running


async def test_footer_and_help_name_the_chosen_keys(open_panel: Open) -> None:
    async with open_panel(keys=KEYS, size=(120, 60)) as panel:
        assert "T start  F5 stop" in panel.foot
        assert "h help" in panel.foot
        await panel.press("f2")
        assert "The keys that work here; ^g leaves" in panel.text
        for line in (
            "  F5       stop; asks",
            "  space    down",
            "  h F2     the keys that work here",
            "  X ^c     quit",
            "  n        mark, for T F5 r",
        ):
            assert line in panel.text, line
        await panel.press("space", "question_mark")
        assert "stop; asks" in panel.text
        await panel.press("ctrl+g")
        assert "stop; asks" not in panel.text


@pytest.mark.parametrize("opened", ["h", "o", "D", "semicolon", "f5", "K", "slash", "O", "u"])
@pytest.mark.parametrize("key", ["ctrl+g", "escape"])
async def test_the_chosen_key_and_esc_leave_whatever_is_open(open_panel: Open, opened: str, key: str) -> None:
    one = KEEPING if opened in "Ou" else WEB
    async with open_panel(snapshot(one), keys=KEYS) as panel:
        await panel.press(opened)
        assert panel.app.panel.asks
        assert "^g leaves" in panel.text or opened == "slash"
        await panel.press(key)
        assert panel.foot.endswith("h help  q quit")
        assert panel.host.asked == []


async def test_what_types_something_is_typed(open_panel: Open) -> None:
    keys = checked_keys({"look": ("L",), "leave": ("q",), "back": ("z",), "cursor_up": ("^y",)})
    async with open_panel(snapshot(WEB), keys=keys) as panel:
        await panel.press("colon", "w", "L", "q", "z")
        assert "Esc leaves" in panel.text
        assert panel.foot.strip() == "wLqz"
        await panel.press("escape", "K", "q", "L")
        assert panel.foot.strip() == "qL"
        await panel.press("escape", "T", "w", "q", "j")
        assert "? help" in panel.foot


async def test_messages_and_why_line_name_the_chosen_keys(open_panel: Open) -> None:
    async with open_panel(snapshot(MAIL), keys=KEYS, size=(120, 36)) as panel:
        assert "F5 stop  r restart" in panel.text
        await panel.press("ctrl+b")
        assert "paused: ^b goes on" in panel.text
        await panel.press("ctrl+w", "r")
        assert "read-only: ^w switches it off" in panel.text


async def test_a_click_on_a_chosen_key_presses_it(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB), keys=KEYS, size=(120, 36)) as panel:
        await panel.click("F5 stop")
        assert panel.foot.startswith("stop web on hv01?")
        await panel.click("^g leaves")
        await panel.click("; palette")
        assert "Type an action or a name; Enter does it, ^g leaves" in panel.text


async def test_a_command_without_a_key_is_in_the_palette_alone(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB), keys=UNBOUND, size=(120, 36)) as panel:
        assert "stop" not in panel.foot
        assert "help" not in panel.foot
        await panel.press("T", "D", "W", "G", "question_mark")
        assert not panel.app.panel.asks
        await panel.press("colon", "s", "t", "o", "p")
        assert "           stop web" in panel.text
        await panel.press("enter")
        assert panel.foot.startswith("stop web on hv01?")
        await panel.press("escape", "ctrl+p", *"read", "minus", "o", "enter")
        assert panel.app.shown.read_only
        await panel.press("r")
        assert "read-only: :read-only switches it off" in panel.text


async def test_the_why_line_leads_to_a_command_without_a_key_by_the_palette(open_panel: Open) -> None:
    async with open_panel(snapshot(MAIL), keys=UNBOUND, size=(120, 36)) as panel:
        assert ": stop  r restart" in panel.text
        await panel.click(": stop")
        assert "Type an action or a name" in panel.text


async def test_keys_on_a_page(open_panel: Open) -> None:
    keys: Keys = checked_keys(
        {"tab_logs": ("F5", "L"), "log_level": ("t",), "log_times": ("v",), "last": ("E", "^e")} | {"edit_file": ("G",)}
    )
    async with open_panel(snapshot(WEB), keys=keys, size=(120, 36)) as panel:
        await panel.press("1")
        assert "F5 Logs" in panel.text
        await panel.press("L")
        assert "t all levels" in panel.text
        assert "v time" in panel.text
        await panel.press("t")
        assert panel.foot.startswith("show")


@pytest.mark.parametrize("late", [False, True])
async def test_keys_can_be_set_while_it_runs(open_panel: Open, late: bool) -> None:
    async with open_panel(size=(120, 36)) as panel:
        if late:
            await panel.press("question_mark", "escape")
        panel.app.set_keymap({"stop": "x", "free": "f9"})
        await panel.pilot.pause()
        assert "x stop" in panel.foot


def test_words_of_operations_get_the_panels_keys() -> None:
    for told, wanted in {
        "reset its overlay: mvtui reset web, or more": "reset its overlay (O): mvtui reset web, or more",
        "stop web, reset its overlay (mvtui reset web)": "stop web, reset its overlay (O, mvtui reset web)",
        "`mvtui restore web` brings it back, `mvtui reset --discard web` frees it.": (
            "u or `mvtui restore web` brings it back, x or `mvtui reset --discard web` frees it."
        ),
        "kill it: mvtui kill web": "kill it (K): mvtui kill web",
        "save it, then grow it: mvtui grow web it.img --defined": (
            "save it, then grow it (Z): mvtui grow web it.img --defined"
        ),
        "why: mvtui show web": "why: mvtui show web",
        "see mvtui reset --dry-run web": "see mvtui reset --dry-run web",
    }.items():
        assert with_keys(told, {}) == wanted
    assert with_keys("empty it: mvtui reset web", {"reset": ("f9",)}) == "empty it (F9): mvtui reset web"
    assert with_keys("empty it: mvtui reset web", {"reset": ()}) == "empty it (:reset): mvtui reset web"


async def test_fixes_and_facts_name_the_chosen_keys(open_panel: Open) -> None:
    keys = checked_keys({"reset": ("F9",), "undo": ("U",), "free": ("^x",), "leave": ("^g",)})
    full = Finding(Severity.WARNING, "volume x", "ov full", "It is full.", "", "reset its overlay: mvtui reset lab")
    one = KEEPING._replace(findings=(full,))
    async with open_panel(snapshot(one), keys=keys, size=(120, 36)) as panel:
        assert "→ reset its overlay (F9): mvtui reset lab" in panel.text
        await panel.press("1")
        assert "→ reset its overlay (F9): mvtui reset lab" in panel.text
        await panel.press("D")
        assert "→ reset its overlay (F9): mvtui reset lab" in panel.text
        await panel.press("escape", "f9")
        assert "U or `mvtui restore lab`" in panel.text
        assert "^x or `mvtui reset --discard lab`" in panel.text


async def test_hints_of_the_list_and_of_a_page_name_the_chosen_key(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB, WEB), keys=KEYS, size=(120, 36)) as panel:
        await panel.press("asterisk", "B")
        assert "a rebuild is of one microVM: ^g drops the marks" in panel.text
        await panel.press("ctrl+g", "slash", *"zzz")
        assert "^g drops" in panel.foot
        await panel.press("enter")
        assert "^g shows all." in panel.text
        await panel.press("ctrl+g", "1")
        await panel.tell(EMPTY)
        assert "is no longer on this host. ^g goes back." in panel.text


async def test_the_keys_over_a_definition(open_panel: Open) -> None:
    keys = checked_keys(
        {
            "edit": ("^e",),
            "add_share": ("F6",),
            "add_volume": ("+",),
            "move_item_down": ("D",),
            "review": ("R",),
            "copy_item": (),
            "edit_file": ("F7",),
            "leave": ("^g",),
        }
    )
    async with open_panel(FULL, keys=keys, size=(120, 36)) as panel:
        await panel.press("ctrl+e")
        assert panel.foot.startswith("e edit  F6 +share  + +volume  x delete  D K move  R review  u undo")
        assert panel.foot.endswith("^g leaves")
        before = panel.lines
        await panel.press("s", "v", "c", "E", "r")
        assert panel.lines == before
        await panel.press("f6")
        assert "> share" in panel.text
        assert panel.foot.endswith("^g leaves")
        await panel.press(*"tag+RD")
        assert "tag+RD" in panel.text
        await panel.press("ctrl+g")
        assert panel.foot == "not taken: ^g drops it, other keys stay"
        await panel.press("ctrl+g", "R")
        assert "nothing is changed" in panel.text
        await panel.press("x", "ctrl+g")
        assert panel.foot == "not saved: d drops, ^g keeps for later, other keys stay"
        await panel.press("escape")
        assert not panel.app.panel.asks


async def test_a_long_key_is_told_whole_and_those_behind_it_as_far_as_there_is_room(open_panel: Open) -> None:
    keys = checked_keys({"help": ("h", "shift+Tab"), "stop": ("ctrl+shift+left", "F5")})
    async with open_panel(snapshot(WEB), keys=keys, size=(120, 60)) as panel:
        await panel.press("h")
        assert "  h        the keys that work here" in panel.text
        assert "  ^shift+← stop; asks" in panel.text
        await panel.press("escape", "colon", *"stop")
        assert "^shift+← stop web" in panel.text


async def test_an_answer_has_its_letter_also_where_that_leaves_elsewhere(open_panel: Open) -> None:
    keys = checked_keys({"leave": ("u", "^g"), "undo": ("U",), "undo_edit": ("backspace",)})
    async with open_panel(snapshot(KEEPING), keys=keys, size=(120, 36)) as panel:
        await panel.press("U")
        assert "u brings it back, ^g leaves" in panel.text
        await panel.press("u")
        assert panel.host.overlays
        await panel.press("at")
        assert "the newest first; u leaves" in panel.text
        await panel.press("u")
        assert not panel.app.panel.asks
