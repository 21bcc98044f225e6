"""The four tiers of questions: what they say, and which keys reach them."""

import re
from datetime import timedelta

import pytest
from rich.cells import cell_len
from textual.events import Paste

from mvtui.model.state import State, StateWord
from mvtui.model.unit import Job, UnitVerb
from mvtui.ui import overlay_questions, questions
from mvtui.ui.command import OverlayVerb
from mvtui.ui.questions import Answer, Fact, Question
from mvtui.ui.widgets.question import question_lines
from tests.ui.conftest import Open
from tests.ui.full_samples import HEALTHY, STARTING
from tests.ui.overlay_samples import KEEPING, LINKED, RUNNING, UNSEEN, plan_of, with_kept
from tests.ui.samples import HOSTILE, LAB, NOW, PRODUCT, STOPPING, WEB, ago, microvm, snapshot


def nothing() -> None:
    """What an answer does here."""


def nothing_of(_: object) -> None:
    """The same of an answer that says which."""


WITH_OVERLAY = [with_kept(one._replace(volumes=LAB.volumes)) for one in HOSTILE.microvms]
MANY = [microvm(f"vm{number}", StateWord.RUNNING, memory=1) for number in range(20)]
ALL = (
    questions.may_act(UnitVerb.STOP, WEB, "hv01", NOW, nothing),
    questions.may_kill(HEALTHY, "hv01", NOW, nothing),
    questions.may_act_on_several("stop", MANY, [f"vm{n} is stopped" for n in range(20)], "hv01", NOW, nothing),
    questions.may_cancel(STARTING, "hv01", nothing),
    questions.takes_long(STOPPING, "hv01", NOW, nothing),
    questions.may_sudo(UnitVerb.START, "lab", "hv01", nothing),
    *(questions.may_act(UnitVerb.RESTART, one, "h\x1b[2J", NOW, nothing) for one in HOSTILE.microvms),
    *(questions.may_kill(one, "h\n", NOW, nothing) for one in HOSTILE.microvms),
    overlay_questions.may_reset(plan_of(LAB), None, "hv01", NOW, nothing_of),
    overlay_questions.may_reset(LINKED, None, "hv01", NOW, nothing_of),
    overlay_questions.may_reset(plan_of(RUNNING), plan_of(RUNNING, after_stop=True), "hv01", NOW, nothing_of),
    overlay_questions.may_stop_and_reset(plan_of(RUNNING), RUNNING, "hv01", "up 3d", nothing_of),
    overlay_questions.may_with_sudo([OverlayVerb.RESET, OverlayVerb.FRESH], UNSEEN, "hv01", nothing_of),
    overlay_questions.may_try_sudo(OverlayVerb.ARM_ONCE, "lab", "hv01", nothing_of),
    overlay_questions.may_choose(HEALTHY, "nobody knows", "hv01", nothing_of) or Question(""),
    overlay_questions.may_restore(plan_of(KEEPING), KEEPING, "hv01", NOW, nothing_of),
    overlay_questions.may_free(plan_of(KEEPING), KEEPING, "hv01", NOW, nothing_of),
    overlay_questions.may_arm(LAB, "hv01", nothing_of),
    overlay_questions.may_arm_several(3, "hv01", nothing_of),
    overlay_questions.may_on_several(OverlayVerb.RESET, [plan_of(LAB)] * 20, ["no"] * 20, "hv01", nothing),
    overlay_questions.results(OverlayVerb.RESET, [(f"vm{n}", n % 2 == 0, f"vm{n} is done") for n in range(20)], "hv01"),
    *(overlay_questions.may_reset(plan_of(bad), None, "h\x1b[2J", NOW, nothing_of) for bad in WITH_OVERLAY),
    *(overlay_questions.may_free(plan_of(bad), bad, "h\x1b[2J", NOW, nothing_of) for bad in WITH_OVERLAY),
    Question("show", tuple(Answer(key, f"{key} is long", nothing) for key in "abcdefghij"), harmless=True),
    Question("", facts=(Fact("it is"),), answers=(Answer("y", "does", nothing),)),
)


def texts(question: Question, width: int = 100) -> list[str]:
    return ["".join(text for text, _ in line) for line in question_lines(question, width, 99, False)]


@pytest.mark.parametrize("question", ALL, ids=lambda question: question.text[:20].encode("unicode_escape").decode())
def test_questions_fit_and_can_be_left(question: Question) -> None:
    for width in range(40 if question.typed else 20, 201, 9):
        for ascii_only in (False, True):
            lines = question_lines(question, width, 99, ascii_only)
            assert all(sum(cell_len(text) for text, _ in line) <= width for line in lines)
            assert ("Esc", "key") in [piece for line in lines for piece in line]
            assert all(text.isprintable() for line in lines for text, _ in line)
            keys = [text for line in lines for text, role in line if role == "key"]
            assert {answer.key for answer in question.answers} <= set(keys)


@pytest.mark.parametrize("most", [3, 5, 12])
def test_a_question_is_no_higher_than_its_room_and_counts_what_it_leaves_out(most: int) -> None:
    for question in ALL:
        lines = question_lines(question, 100, most, False)
        assert len(lines) <= most
        if not lines:
            assert most == 3
            continue
        told = "\n".join("".join(text for text, _ in line) for line in lines)
        facts = (*([Fact(question.more)] if question.more else []), *question.facts)
        left_out = re.search(r"^ +(?:· )?and (\d+) more$", told, re.MULTILINE)
        count = int(left_out[1]) if left_out is not None else 0
        assert all(fact.words[:5] in told for fact in facts[: len(facts) - count])
        assert count == 0 or len(lines) == most


def test_they_say_host_uptime_and_what_goes_with_it() -> None:
    assert texts(questions.may_act(UnitVerb.RESTART, HEALTHY, "hv01", NOW, nothing)) == [
        "restart wiki on hv01? up 2d, with 2 virtiofsd — y restarts, Esc leaves"
    ]
    kill = texts(questions.may_kill(HEALTHY, "hv01", NOW, nothing))
    assert kill[0].startswith("─ kill wiki on hv01? ─")
    assert kill[1:] == [
        "  × up 2d: what the guest has not written to disk is lost",
        "  · T stops it gently: the guest shuts down by itself",
        "  · microvm-virtiofsd@wiki.service ends with it",
        "Type its name, then Enter; Esc leaves.",
    ]
    assert texts(questions.may_cancel(STARTING, "hv01", nothing), 120) == [
        "cancel what is under way on wiki on hv01? start of microvm-virtiofsd and 1 more — y cancels, Esc leaves"
    ]
    assert texts(questions.may_sudo(UnitVerb.START, "lab", "hv01", nothing)) == [
        "start lab on hv01 with sudo? The host refused it — y starts, Esc leaves"
    ]


def test_several_are_named_and_counted() -> None:
    told = texts(ALL[2])
    assert told[0].startswith("─ stop 20 microVMs on hv01? ─")
    assert told[1] == "  ✓ vm0: running, up 12h"
    assert "  ✓ and 13 more" in told
    assert told[-2:] == ["  × left out: 12 more", "Type how many, then Enter; Esc leaves."]
    assert ALL[2].typed == "20"
    one = questions.may_act_on_several("stop", MANY[:1], (), "hv01", NOW, nothing)
    assert texts(one)[0].startswith("─ stop 1 microVM on hv01? ─")


def test_a_long_stop_tells_whether_the_guest_is_asked() -> None:
    state = State(StateWord.STOPPING, ago(seconds=50), "", deadline=NOW + timedelta(seconds=40))
    assert "  ✓ bin/microvm-shutdown asks the guest to end" in texts(
        questions.takes_long(HEALTHY._replace(state=state), "hv01", NOW, nothing)
    )


@pytest.mark.parametrize(("keys", "typed"), [("K", "web"), ("asterisk T", "6")])
async def test_what_is_typed_or_pasted_in_the_first_300_ms_is_ignored(open_panel: Open, keys: str, typed: str) -> None:
    async with open_panel(PRODUCT if "asterisk" in keys else snapshot(WEB)) as panel:
        *before, last = keys.split()
        await panel.press(*before)
        await panel.pilot.press(last)
        await panel.pilot.pause()
        panel.host.seconds += 0.29
        await panel.pilot.press(*typed, "enter", "escape")
        focused = panel.app.focused
        assert focused is not None
        focused.post_message(Paste(typed))
        await panel.pilot.pause()
        assert panel.lines[-1] == ""
        assert panel.app.panel.asks
        panel.host.seconds += 0.02
        await panel.pilot.press("enter")
        assert panel.host.asked == []
        focused.post_message(Paste(typed))
        await panel.pilot.pause()
        assert panel.lines[-1] == typed
        assert panel.host.asked == []
        await panel.press("enter")
        assert len(panel.host.asked) == (6 if typed == "6" else 1)


@pytest.mark.parametrize("typed", ["we", "webb", "WEB", " web", "web ", "6", ""])
async def test_only_the_very_name_acts(open_panel: Open, typed: str) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("K", *["space" if char == " " else char for char in typed], "enter", "enter")
        assert panel.host.asked == []
        assert "kill web on hv01?" in panel.text


async def test_a_name_that_can_not_be_typed_is_typed_as_it_is_shown(open_panel: Open) -> None:
    async with open_panel(snapshot(microvm("two\nlines", StateWord.RUNNING, memory=1))) as panel:
        await panel.press("K", *"two", "backslash", *"nlines", "enter")
        assert panel.host.asked == [(UnitVerb.KILL, "two\nlines")]


async def test_what_is_under_way_is_cancelled_after_its_question(open_panel: Open) -> None:
    async with open_panel(snapshot(STARTING)) as panel:
        await panel.press("C", "enter")
        assert panel.host.cancelled == []
        await panel.press("y")
        assert panel.host.cancelled == ["wiki"]
        assert "start of wiki is cancelled" in panel.text


async def test_a_stop_that_runs_is_not_offered_to_be_cancelled(open_panel: Open) -> None:
    unit = WEB.units[0]._replace(active_state="deactivating", job=Job(7, "stop", "running"))
    async with open_panel(snapshot(WEB._replace(units=(unit,)))) as panel:
        await panel.press("C")
        assert "systemd goes on with a stop whatever becomes of its job" in panel.text
        assert not panel.app.panel.asks


@pytest.mark.parametrize("keys", ["T", "K", "asterisk T", "f"])
@pytest.mark.parametrize("away", ["click", "tab", "shift+tab"])
async def test_without_the_focus_nothing_acts(open_panel: Open, keys: str, away: str) -> None:
    async with open_panel(snapshot(WEB, LAB), size=(80, 30)) as panel:
        await panel.press("j", *keys.split())
        if away == "click":
            await panel.click("lab ")
        else:
            await panel.press(away)
        if keys == "K":
            await panel.press(*"la", "enter", "y")
        else:
            await panel.press("9", "enter", *(["y"] if away == "click" else []))
        assert panel.host.asked == []


async def test_a_question_never_hides_its_answers_in_a_small_terminal(open_panel: Open) -> None:
    async with open_panel(snapshot(*MANY, *(microvm(f"off{n}") for n in range(20))), size=(60, 15)) as panel:
        await panel.press("asterisk", "T")
        assert "stop 20 microVMs on hv01?" in panel.text
        await panel.press("2", "0")
        assert panel.foot == "20"
        assert "Type how many, then Enter; Esc leaves." in panel.text
