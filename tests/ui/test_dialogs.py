"""Nothing happens without its question, and no question is answered by a key that was meant for something else."""

import pytest
from textual.events import Key, MouseDown, Paste
from textual.widgets import Input

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.model.state import StateWord
from mvtui.model.unit import Job, UnitKind, UnitStatus, UnitVerb
from tests.ui.conftest import Open
from tests.ui.samples import DB, LAB, PRODUCT, STOPPING, WEB, microvm, snapshot

STOP, START, KILL, RESTART = UnitVerb.STOP, UnitVerb.START, UnitVerb.KILL, UnitVerb.RESTART


async def test_the_first_300_ms_are_deaf(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.pilot.press("T")
        panel.host.seconds += 0.29
        await panel.pilot.press("y", "escape")
        assert panel.host.asked == []
        assert panel.foot.startswith("stop web on hv01?")
        panel.host.seconds += 0.02
        await panel.pilot.press("y")
        await panel.pilot.pause()
        assert panel.host.asked == [(STOP, "web")]


async def test_a_question_without_the_focus_is_left(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("T")
        await panel.pilot.click(offset=(10, 4))
        assert "? help" in panel.foot
        await panel.press("y")  # copies
        assert panel.host.asked == []


async def test_a_question_means_the_microvm_that_it_named(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("j", "T")
        assert panel.foot.startswith("stop db on hv01? up 12h")
        await panel.tell(snapshot(microvm("aa"), microvm("ab"), DB, WEB))
        await panel.press("y")
        assert panel.host.asked == [(STOP, "db")]


async def test_what_is_gone_or_changed_meanwhile_is_refused(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("j", "T")
        await panel.tell(snapshot(WEB))
        await panel.press("y")
        assert "db is gone" in panel.text
        await panel.press("T")
        await panel.tell(snapshot(microvm("web")))
        await panel.press("y")
        assert "web is stopped already" in panel.text
        assert panel.host.asked == []


async def test_read_only_that_begins_under_a_question_holds(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("T")
        panel.app.action_toggle_read_only()
        await panel.press("y")
        assert panel.host.asked == []
        assert "read-only: W switches it off" in panel.text


async def test_a_long_name_is_asked_for_whole(open_panel: Open) -> None:
    name = "n" * 199 + "m"
    async with open_panel(snapshot(microvm(name, StateWord.RUNNING)), size=(60, 15)) as panel:
        await panel.press("T")
        top = next(y for y, line in enumerate(panel.lines) if line.startswith("─ stop"))
        words = "".join(line.strip(" ─") for line in panel.lines[top:])
        assert words == f"stop{name} onhv01?· runningy stops, Esc leaves"
        await panel.press("y")
        assert panel.host.asked == [(STOP, name)]


async def test_where_a_question_has_no_room_only_escape_works(open_panel: Open) -> None:
    async with open_panel(snapshot(STOPPING, WEB), size=(14, 3)) as panel:
        await panel.press("j", "T", "y")
        assert panel.host.asked == []
        await panel.pilot.resize_terminal(80, 24)
        await panel.pilot.pause()
        assert panel.foot.startswith("stop web on hv01?")
        await panel.pilot.press("y")
        assert panel.host.asked == []
        await panel.pilot.resize_terminal(14, 3)
        await panel.press("escape", "k", "K", "escape")
        await panel.pilot.resize_terminal(80, 24)
        await panel.pilot.pause()
        assert "? help" in panel.foot


async def test_a_marked_one_is_asked_for_where_the_cursor_is_elsewhere(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB, microvm("next"))) as panel:
        await panel.press("space", "S")
        assert panel.host.asked == []
        assert panel.foot == "start lab on hv01? stopped — y starts, Esc leaves"
        await panel.press("y")
        assert panel.host.asked == [(START, "lab")]


async def test_a_paste_is_shown_and_obeyed_nowhere(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("slash")
        panel.app.post_message(Paste("g\x1b[31mit\nS\ny"))
        await panel.pilot.pause()
        assert panel.foot.startswith("/g\\x1b[31mit ")


async def test_a_panel_that_is_left_before_it_stands_there_locks_no_key(open_panel: Open) -> None:
    async with open_panel() as panel:
        for key in ("at", "escape"):
            panel.app.post_message(Key(key, None))
        await panel.press("j")
        assert panel.selected == "db"
        assert "? help" in panel.foot


@pytest.mark.parametrize(("opener", "foot"), [("slash", "/SWq*r "), ("colon", "SWq*r"), ("K", "")])
async def test_what_is_typed_ahead_is_the_fields(open_panel: Open, opener: str, foot: str) -> None:
    async with open_panel(snapshot(LAB, WEB)) as panel:
        await panel.press("j")
        for key in (opener, "S", "W", "q", "asterisk", "r"):
            panel.app.post_message(Key(key, "*" if key == "asterisk" else key[0]))
        await panel.pilot.pause()
        await panel.pilot.pause()
        assert panel.foot.startswith(foot)
        assert panel.host.asked == []
        assert "RW" in panel.lines[0]
        assert "marked" not in panel.lines[0]


async def test_keys_right_after_enter_are_the_pages(open_panel: Open) -> None:
    async with open_panel() as panel:
        for key in ("enter", "q", "j"):
            panel.app.post_message(Key(key, None))
        await panel.pilot.pause()
        assert panel.app.is_running
        assert panel.selected == "db"


async def test_a_click_beside_the_screen_leaves_the_keys_where_they_are(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("question_mark")
        panel.app.post_message(MouseDown(None, 5, 40, 0, 0, 1, False, False, False))
        await panel.press("escape", "j")
        assert panel.selected == "db"


async def test_no_sudo_in_read_only_mode(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("S", "W")
        panel.host.fail(START, "lab", RightsMissingError("polkit refused it", "be root"))
        await panel.pilot.pause()
        assert "polkit refused it (be root)" in panel.text
        assert "with sudo?" not in panel.text


async def test_a_second_verb_on_the_same_microvm_is_refused_with_why(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("G", "T", "y", "r")
        assert "web: stop is under way, wait for its end" in panel.text
        await panel.press("S")
        assert panel.host.asked == [(STOP, "web")]


async def test_verbs_run_at_once_on_several(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("G", "T", "y", "g", "r", "y")
        assert panel.host.asked == [(STOP, "web"), (RESTART, "ci")]
        assert "restarting ci 0s   and 1 more" in panel.text
        panel.host.finish(STOP, "web", "web: stopped in 1.0 s")
        await panel.pilot.pause()
        assert "web: stopped in 1.0 s   restarting ci 0s" in panel.text
        panel.host.finish(RESTART, "ci", "microvm@ci.service failed: exit 1", ok=False, hint="why: mvtui show ci")
        await panel.pilot.pause()
        assert "microvm@ci.service failed: exit 1  why: mvtui show ci" in panel.text
        assert "restarting" not in panel.text


async def test_one_of_several_that_failed_is_not_hidden_by_the_next(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("G", "T", "y", "g", "r", "y")
        panel.host.finish(STOP, "web", "web: it hangs", ok=False)
        panel.host.finish(RESTART, "ci", "ci: started")
        await panel.pilot.pause()
        assert "web: it hangs   ci: started" in panel.text
        await panel.press("r", "y")
        assert "it hangs" not in panel.text, "what begins now is another matter"


async def test_progress_names_the_units(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("S")
        daemons = UnitStatus("microvm-virtiofsd@lab.service", UnitKind.VIRTIOFSD, "lab", "loaded", "active", "running")
        waits = Job(7, "start", "waiting")
        hypervisor = UnitStatus(
            "microvm@lab.service", UnitKind.HYPERVISOR, "lab", "loaded", "inactive", "dead", job=waits
        )
        panel.host.progress[START, "lab"]((daemons, hypervisor))
        await panel.pilot.pause()
        assert "starting lab 0s  microvm queued  1 unit done" in panel.text


async def test_an_end_makes_it_look_again(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("S")
        looks = panel.host.looks
        panel.host.finish(START, "lab")
        await panel.pilot.pause()
        assert panel.host.looks == looks + 1


async def test_an_error_is_said(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("S")
        panel.host.fail(START, "lab", MvtuiError("systemd does not answer", "is \x1b[31mdbus there?"))
        await panel.pilot.pause()
        assert "systemd does not answer (is \\x1b[31mdbus there?)" in panel.text


async def test_missing_rights_offer_sudo(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("S")
        panel.host.fail(START, "lab", RightsMissingError("polkit refused it", "be root"))
        await panel.pilot.pause()
        assert "polkit refused it (be root)" in panel.text
        assert panel.foot == "start lab on hv01 with sudo? The host refused it — y starts, Esc leaves"
        await panel.press("escape")
        assert panel.host.asked == [(START, "lab")]


async def test_missing_rights_do_not_take_another_question_away(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("j", "j", "j", "S", "j", "T")
        panel.host.fail(START, "lab", RightsMissingError("polkit refused it", "be root"))
        await panel.pilot.pause()
        assert panel.foot.startswith("stop mail on hv01?")
        assert "polkit refused it" in panel.text


async def test_a_stop_that_takes_long_can_be_killed(open_panel: Open) -> None:
    async with open_panel(snapshot(STOPPING, WEB)) as panel:
        await panel.press("T")
        assert "─ beta on hv01 is stopping ─" in panel.text
        assert "it has been stopping for 50s" in panel.text
        assert "it is killed in 40s, if it does not end by itself" in panel.text
        assert panel.foot == "  K kills it, Esc leaves"
        await panel.press("y", "k", "enter", "K")
        assert "─ kill beta on hv01? ─" in panel.text
        assert "up 12h" in panel.text
        await panel.press("b", "e", "t", "enter", "y")
        assert panel.host.asked == []
        await panel.press("backspace", "a", "enter")
        assert panel.host.asked == [(KILL, "beta")]
        assert "kill beta on hv01" not in panel.text


async def test_a_kill_is_offered_ten_seconds_into_a_stop(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("T", "y", "T")
        assert "web: stop is under way, wait for its end" in panel.text
        panel.host.passes(seconds=10)
        await panel.press("T")
        assert "K kills it" in panel.foot
        await panel.press("K", *"web", "enter")
        assert panel.host.asked == [(STOP, "web"), (KILL, "web")]


@pytest.mark.parametrize("leave", ["escape", "click"])
async def test_a_kill_panel_is_left(open_panel: Open, leave: str) -> None:
    async with open_panel(snapshot(STOPPING, WEB)) as panel:
        await panel.press("T", "K", "b")
        if leave == "click":
            await panel.pilot.click(offset=(10, 3))
            await panel.pilot.pause()
        else:
            await panel.press(leave)
        assert "kill beta" not in panel.text
        await panel.press("e", "t", "a", "enter")
        assert panel.host.asked == []


async def test_the_field_for_the_name_does_not_blink(open_panel: Open) -> None:
    async with open_panel(snapshot(STOPPING)) as panel:
        await panel.press("T", "K")
        assert panel.app.screen.query_one(Input).cursor_blink is False


async def test_read_only_refuses_a_kill(open_panel: Open) -> None:
    async with open_panel(snapshot(STOPPING), read_only=True) as panel:
        await panel.press("T")
        assert "read-only from the start" in panel.text
        assert "? help" in panel.foot


async def test_two_keys_at_once_open_one_dialog(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.pilot.press("question_mark", "question_mark", "T", "question_mark")
        await panel.press("escape", "escape")
        assert "? help" in panel.foot
        await panel.press("j")
        assert panel.selected == "db"


async def test_an_orphan_has_nothing_to_start(open_panel: Open) -> None:
    lost = microvm("lost", StateWord.ORPHAN)._replace(entry=None)
    async with open_panel(snapshot(lost)) as panel:
        await panel.press("S")
        assert "lost has no state directory: nothing to start" in panel.text
        await panel.press("r")
        assert panel.host.asked == []
        await panel.press("T", "y")
        assert panel.host.asked == [(STOP, "lost")]


async def test_what_runs_is_not_started(open_panel: Open) -> None:
    async with open_panel(PRODUCT) as panel:
        await panel.press("S")
        assert "ci runs already" in panel.text
        assert panel.host.asked == []
