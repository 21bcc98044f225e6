"""Overlays in the panel: planned beside the event loop, asked with the plan, done, told, undone, freed, armed."""

import pytest
from textual.events import Paste

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.model.definition import Definition, Runner, Share, ShareProto
from mvtui.model.microvm import MicroVM, ShareHealth, ShareStatus
from mvtui.model.overlay import Armed, ResetPlan
from mvtui.model.state import StateWord
from mvtui.ui import sudo
from mvtui.ui.command import OverlayVerb
from tests.ui.conftest import Open, Panel
from tests.ui.overlay_samples import KEEPING, KEPT, LINKED, OLDER, RUNNING, UNKNOWN, UNSEEN, plan_of, with_kept
from tests.ui.samples import DB, GIT, LAB, PRODUCT, microvm, snapshot

RESET, FRESH, STOP_FRESH = OverlayVerb.RESET, OverlayVerb.FRESH, OverlayVerb.STOP_FRESH
RESTORE, FREE = OverlayVerb.RESTORE, OverlayVerb.FREE
OLD = with_kept(LAB._replace(name="old"))


def built(overlay: str | None, *shares: Share) -> MicroVM:
    """A stopped one whose runner's fstab could be read."""
    definition = Definition(writable_store_overlay=overlay, shares=shares, fstab_read=True)
    return LAB._replace(volumes=(), built=Runner("/nix/store/runner", definition))


async def until(panel: Panel, text: str) -> None:
    """It stands there."""
    while text not in panel.text:
        await panel.pilot.pause()


# Asking


async def test_the_question_has_the_plan(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("O")
        assert "─ reset the overlay of lab on hv01? ─" in panel.text
        assert "    Image     /var/lib/microvms/lab/nix-rw.img" in panel.lines
        assert "              984M allocated of 1.0G, 9d old, ext4, no label" in panel.lines
        assert "    Lost      What was built or installed in the guest's overlay, 984M." in panel.lines
        assert "    Set aside The old one (984M) goes to .mvtui/overlay/ beside it, until the" in panel.lines
        assert "  ✓ Checked   its units are stopped; no start or restart is pending; its" in panel.lines
        assert panel.foot == "  o resets, s resets and starts, Esc leaves"


@pytest.mark.parametrize(("key", "verb"), [("o", RESET), ("s", FRESH)])
async def test_one_letter_acts(open_panel: Open, key: str, verb: OverlayVerb) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("O", "enter", "y", "O", "S", "f", "n", "j")
        assert panel.host.overlays == []
        await panel.press(key)
        assert panel.host.overlays == [(verb, "lab")]
        assert panel.host.agreed == plan_of(LAB), "what was in sight is what is done"
        assert not panel.app.panel.asks


async def test_escape_leaves_the_question(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("O", "escape", "o", "s")
        assert panel.host.overlays == []


@pytest.mark.parametrize(("asked", "key"), [("O", "o"), ("O", "s"), ("u", "u"), ("x", "x"), ("A", "o"), ("A", "a")])
async def test_keys_are_ignored_for_the_first_300_ms(open_panel: Open, asked: str, key: str) -> None:
    async with open_panel(snapshot(KEEPING)) as panel:
        await panel.pilot.press(asked)
        while not panel.app.panel.asks:
            await panel.pilot.pause()
        panel.host.seconds += 0.29
        await panel.pilot.press(key)
        assert panel.host.overlays == []
        panel.host.seconds += 0.02
        await panel.pilot.press(key)
        assert len(panel.host.overlays) == 1


async def test_a_plan_that_is_refused_says_why_and_no_key_acts(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        panel.host.plans["lab"] = LINKED
        await panel.press("O")
        assert "─ reset the overlay of lab on hv01? Not now ─" in panel.text
        assert "  × Refused   it is a regular file of its user, one link, no link to follow:" in panel.lines
        assert "nix-rw.img is a symbolic link" in panel.text
        assert panel.foot == "  Esc leaves"
        await panel.press("o", "s", "f", "n", "y", "enter")
        assert panel.host.overlays == []
        await panel.press("escape")
        assert not panel.app.panel.asks


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (built(None), "lab has no writable store overlay"),
        (built("/nix/.rw-store"), "lab has its overlay in the guest's memory (tmpfs): every start begins with an"),
        (LAB._replace(entry=None), "lab has no state directory: no overlay of it is known"),
    ],
)
@pytest.mark.parametrize("key", "OuxA")
async def test_without_an_overlay_it_says_so_at_once(open_panel: Open, one: MicroVM, why: str, key: str) -> None:
    async with open_panel(snapshot(one)) as panel:
        panel.host.planning.clear()
        await panel.press(key)
        assert why in panel.text
        assert not panel.app.panel.asks


async def test_where_the_plan_finds_nothing_to_reset_it_says_so(open_panel: Open) -> None:
    async with open_panel(snapshot(DB)) as panel:
        await panel.press("O")
        assert "db: it has no writable store overlay" in panel.text
        assert not panel.app.panel.asks


async def test_read_only_refuses_all_of_it(open_panel: Open) -> None:
    async with open_panel(snapshot(KEEPING, RUNNING), read_only=True) as panel:
        for key in "OuxA":
            await panel.press(key)
            assert "read-only from the start" in panel.text
            assert not panel.app.panel.asks
        assert "O reset" not in panel.foot


async def test_read_only_since_the_question_refuses_the_answer(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press("O")
        panel.app.update(read_only=True)
        await panel.press("o")
        assert panel.host.overlays == []
        assert "read-only: W switches it off" in panel.text


# Planning


async def test_a_plan_that_takes_long_is_announced_and_can_be_left(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        panel.host.planning.clear()
        await panel.press("O")
        await until(panel, "looking at the overlay of lab …")
        assert not panel.app.panel.asks
        await panel.press("escape")
        panel.host.planning.set()
        await panel.pilot.pause()
        assert not panel.app.panel.asks


async def test_the_announcement_goes_when_the_plan_is_there(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        panel.host.planning.clear()
        await panel.press("O")
        await until(panel, "looking at the overlay of lab …")
        panel.host.planning.set()
        await until(panel, "o resets, s resets and starts")
        await panel.press("escape")
        assert "looking at" not in panel.text


@pytest.mark.parametrize("away", ["j", "1", "asterisk", "T"])
async def test_who_went_elsewhere_is_not_asked(open_panel: Open, away: str) -> None:
    async with open_panel(snapshot(KEEPING, RUNNING)) as panel:
        panel.host.planning.clear()
        await panel.press("G", "k", "O", *(["j"] if away == "T" else []), away)
        asked = panel.app.panel._question.question
        panel.host.planning.set()
        await panel.pilot.pause()
        await panel.pilot.pause()
        assert panel.app.panel._question.question is asked


async def test_a_plan_that_fails_says_why(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        panel.host.plans["lab"] = MvtuiError("/var/lib/microvms is \x1b[1mgone", "mount it")
        await panel.press("O")
        assert "/var/lib/microvms is \\x1b[1mgone (mount it)" in panel.text
        assert not panel.app.panel.asks


# Doing


async def test_what_is_done_now_stands_on_the_status_line_and_what_came_of_it(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB), size=(120, 36)) as panel:
        await panel.press("O", "o")
        panel.host.steps["lab"]("Making the new image: mkfs.ext4 \x1b[1m")
        panel.host.passes(seconds=2)
        await panel.pilot.pause()
        assert "resetting lab 0s  Making the new image: mkfs.ext4 \\x1b[1m" in panel.text
        await panel.press("O")
        assert "lab: reset is under way, wait for its end" in panel.text
        words = "lab: the overlay is reset, 984M are set aside"
        panel.host.finish_overlay(RESET, "lab", words, hint="mvtui restore lab brings it back")
        await until(panel, f"{words}  u brings the old one back")
        assert panel.host.looks > 1


async def test_a_reset_that_is_refused_or_fails_says_why(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB), size=(120, 36)) as panel:
        await panel.press("O", "o")
        panel.host.finish_overlay(
            RESET, "lab", "lab: no reset: it was started meanwhile", ok=False, hint="mvtui stop lab"
        )
        await until(panel, "lab: no reset: it was started meanwhile  mvtui stop lab")
        await panel.press("O", "o")
        panel.host.fail_overlay(RESET, "lab", MvtuiError("systemd does not answer"))
        await until(panel, "systemd does not answer")


async def test_one_that_runs_can_be_stopped_first_when_its_name_is_typed(open_panel: Open) -> None:
    async with open_panel(snapshot(RUNNING)) as panel:
        await panel.press("O")
        assert "─ reset the overlay of web on hv01? It runs ─" in panel.text
        assert "  × It runs   microvm@web.service is active" in panel.lines
        await panel.press("o", "s", "y", "enter")
        assert panel.host.overlays == []
        await panel.press("f")
        assert "─ stop, reset, start web on hv01? ─" in panel.text
        await panel.press("w", "e", "enter")
        assert panel.host.overlays == []
        await panel.press("b", "enter")
        assert panel.host.overlays == [(STOP_FRESH, "web")]
        assert "stopping, resetting, starting web" in panel.text


async def test_one_that_runs_can_be_armed_for_its_next_start(open_panel: Open) -> None:
    async with open_panel(snapshot(RUNNING)) as panel:
        await panel.press("O", "n")
        assert panel.host.overlays == [(OverlayVerb.ARM_ONCE, "web")]


async def test_one_that_runs_and_could_not_be_reset_stopped_either_is_refused(open_panel: Open) -> None:
    async with open_panel(snapshot(RUNNING)) as panel:
        panel.host.plans["web stopped"] = LINKED
        await panel.press("O")
        assert "─ reset the overlay of web on hv01? Not now ─" in panel.text
        await panel.press("f", "n")
        assert panel.host.overlays == []


async def test_where_nothing_tells_which_image_it_is_a_person_chooses(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        panel.host.plans["lab"] = UNKNOWN
        await panel.press("O")
        assert "─ which image is the overlay of lab on hv01? ─" in panel.text
        assert "  · 1 nix-rw.img: 984M of 1.0G, ext4" in panel.lines
        assert panel.foot == "  1 nix-rw.img, Esc leaves"
        await panel.press("1")
        assert panel.host.chosen == {"lab": "nix-rw.img"}
        await until(panel, "it is the overlay as a person chose it")
        await panel.press("o")
        assert panel.host.overlays == [(RESET, "lab")]


async def test_without_any_image_there_is_nothing_to_choose(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB._replace(volumes=()))) as panel:
        panel.host.plans["lab"] = UNKNOWN
        await panel.press("O")
        assert "lab: neither what is built nor a definition file tells where" in panel.text
        assert not panel.app.panel.asks


# What is kept


async def test_undo_brings_the_newest_back(open_panel: Open) -> None:
    async with open_panel(snapshot(with_kept(LAB, KEPT, OLDER))) as panel:
        await panel.press("u")
        assert "─ bring back the old overlay of lab on hv01? ─" in panel.text
        assert "Back 310M of 1.0G, set aside 3d ago:" in panel.text
        await panel.press("x", "o", "y", "enter")
        assert panel.host.overlays == []
        await panel.press("u")
        assert panel.host.overlays == [(RESTORE, "lab")]
        assert "restoring the overlay of lab" in panel.text


async def test_undo_of_one_that_runs_is_refused(open_panel: Open) -> None:
    async with open_panel(snapshot(with_kept(RUNNING))) as panel:
        await panel.press("u")
        assert "  ×      it is running: stop it first" in panel.lines
        await panel.press("u", "y")
        assert panel.host.overlays == []


async def test_what_is_kept_is_freed_after_its_question_also_while_it_runs(open_panel: Open) -> None:
    async with open_panel(snapshot(with_kept(RUNNING, KEPT, OLDER))) as panel:
        await panel.press("x")
        assert "─ free the old overlay of web on hv01? ─" in panel.text
        assert "it is gone for good: nothing undoes this" in panel.text
        assert panel.text.count("310M of 1.0G, set aside 3d ago") == 2
        await panel.press("u", "y", "enter")
        assert panel.host.overlays == []
        await panel.press("x")
        assert panel.host.overlays == [(FREE, "web")]


@pytest.mark.parametrize("key", ["u", "x"])
async def test_where_nothing_is_kept_it_says_so(open_panel: Open, key: str) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        await panel.press(key)
        assert "lab: no overlay of it is kept" in panel.text
        assert not panel.app.panel.asks


# Armed


@pytest.mark.parametrize(
    ("key", "verb"), [("o", OverlayVerb.ARM_ONCE), ("a", OverlayVerb.ARM_ALWAYS), ("n", OverlayVerb.DISARM)]
)
async def test_arming(open_panel: Open, key: str, verb: OverlayVerb) -> None:
    async with open_panel(snapshot(RUNNING._replace(armed=Armed.ALWAYS))) as panel:
        await panel.press("A")
        assert "─ reset the overlay of web on hv01 by itself? ─" in panel.text
        assert "  · now: at every start" in panel.lines
        await panel.press("y", "enter", "A")
        assert panel.host.overlays == []
        await panel.press(key)
        assert panel.host.overlays == [(verb, "web")]


async def test_what_is_armed_and_kept_is_seen(open_panel: Open) -> None:
    one = with_kept(LAB, KEPT, OLDER)._replace(armed=Armed.ONCE)
    async with open_panel(snapshot(one)) as panel:
        assert "stopped since 14 Nov 12:04 (9d)   its overlay is reset before its next start " in panel.text
        await panel.press("1")
        kept = "Overlay     kept  310M of 1.0G, set aside 3d ago  u brings it back  x frees all"
        assert kept in panel.lines
        assert "            armed its overlay is reset before its next start  A changes that" in panel.lines
        await panel.click("x frees all")
        assert "free the old overlay of lab on hv01?" in panel.text
        await panel.press("escape", "3")
        assert panel.text.count("310M of 1.0G, set aside 3d ago:") == 2
        assert "u brings the newest back  x frees all" in panel.text
        await panel.press("2")
        assert "set aside" not in panel.text


async def test_of_an_overlay_on_a_share_it_stands_on_the_shares_tab(open_panel: Open) -> None:
    share = Share("rw", ShareProto.VIRTIOFS, "/srv/rw", "/nix/.rw-store")
    kept = KEPT._replace(path="/srv/rw/.mvtui/overlay/20251120T101500Z", size=None, allocated=None)
    one = built("/nix/.rw-store", share)._replace(shares=(ShareStatus(share, ShareHealth.OFF),), kept=(kept,))
    async with open_panel(snapshot(one), size=(100, 30)) as panel:
        await panel.press("2")
        assert "/srv/rw → /nix/.rw-store   writable store overlay" in panel.text
        assert "    kept     set aside 3d ago: /srv/rw/.mvtui/overlay/20251120T101500Z" in panel.lines
        assert "u brings the newest back  x frees it" in panel.text


# Several


async def test_several_are_planned_together_and_done_one_after_the_other(open_panel: Open) -> None:
    async with open_panel(snapshot(GIT, KEEPING, OLD)) as panel:
        await panel.press("asterisk", "O")
        assert "─ reset the overlays of 2 microVMs on hv01? ─" in panel.text
        assert "  ✓ lab: 984M of 1.0G is set aside: /var/lib/microvms/lab/nix-rw.img" in panel.lines
        assert "  × left out: git: microvm@git.service is active" in panel.lines
        await panel.press("3", "enter", "backspace")
        assert panel.host.overlays == []
        await panel.press("2", "enter")
        assert panel.host.overlays == [(RESET, "lab")]
        assert "marked" not in panel.lines[0]
        panel.host.finish_overlay(RESET, "lab", "lab: no reset: ENOSPC", ok=False)
        await until(panel, "resetting old")
        assert panel.host.overlays == [(RESET, "lab"), (RESET, "old")]
        panel.host.finish_overlay(RESET, "old", "old: the overlay is reset")
        await until(panel, "─ reset on hv01: 1 of 2 done ─")
        assert "  × lab: no reset: ENOSPC" in panel.lines
        assert "  ✓ old: the overlay is reset" in panel.lines
        await panel.press("o", "escape")
        assert "reset: 1 of 2 done" in panel.text
        assert len(panel.host.overlays) == 2


async def test_of_several_that_can_not_be_reset_the_first_says_why(open_panel: Open) -> None:
    async with open_panel(snapshot(GIT, RUNNING)) as panel:
        await panel.press("asterisk", "O")
        assert "git: microvm@git.service is active" in panel.text
        assert not panel.app.panel.asks


@pytest.mark.parametrize(
    ("keys", "asked", "verb"),
    [
        ("u", "bring back the old overlays of 2 microVMs on hv01?", RESTORE),
        ("x", "free the old overlays of 2 microVMs on hv01?", FREE),
        ("A a", "at every start, reset the overlays of 2 microVMs on hv01?", OverlayVerb.ARM_ALWAYS),
        ("A n", "at no start, reset the overlays of 2 microVMs on hv01?", OverlayVerb.DISARM),
    ],
)
async def test_the_count_of_several_is_typed(open_panel: Open, keys: str, asked: str, verb: OverlayVerb) -> None:
    async with open_panel(snapshot(KEEPING, OLD)) as panel:
        await panel.press("asterisk", *keys.split())
        assert f"─ {asked} ─" in panel.text
        field = panel.app.focused
        assert field is not None
        field.post_message(Paste("2"))
        await panel.press("enter")
        assert panel.host.overlays == [(verb, "lab")]
        panel.host.finish_overlay(verb, "lab")
        await until(panel, " old 0s")
        assert panel.host.overlays == [(verb, "lab"), (verb, "old")]


async def test_one_of_several_that_has_changed_meanwhile_is_left_out(open_panel: Open) -> None:
    async with open_panel(snapshot(KEEPING, OLD)) as panel:
        await panel.press("asterisk", "O", "2", "enter")
        await panel.tell(snapshot(KEEPING))
        panel.host.finish_overlay(RESET, "lab")
        await until(panel, "─ reset on hv01: 1 of 2 done ─")
        assert "  × old is gone" in panel.lines
        assert panel.host.overlays == [(RESET, "lab")]


# Rights


@pytest.fixture
def behind_sudo(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was run behind sudo; a second one of the same fails."""
    argvs: list[list[str]] = []

    async def run(argv: list[str], *_: object) -> tuple[bool, str]:
        argvs.append([word for word in argv[1:] if word not in ("-P", "-m", "mvtui")])
        return True, "sudo did it"

    monkeypatch.setattr(sudo, "run", run)
    return argvs


WHERE = ["--state-dir", "/var/lib/microvms", "--manager", "systemd", "--", "lab"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("O o", ["reset", "--yes"]),
        ("O s", ["start", "--fresh"]),
        ("u u", ["restore"]),
        ("x x", ["reset", "--discard", "--yes"]),
    ],
)
async def test_what_only_root_can_look_at_is_offered_with_sudo(
    open_panel: Open, behind_sudo: list[list[str]], keys: str, words: list[str]
) -> None:
    async with open_panel(snapshot(KEEPING)) as panel:
        panel.host.plans["lab"] = UNSEEN
        first, second = keys.split()
        await panel.press(first)
        assert "with sudo?" in panel.text
        assert "the files of lab belong to uid 990" in panel.text
        await panel.press(second)
        await until(panel, "sudo did it")
        assert behind_sudo == [[*words, *WHERE]]
        assert panel.host.overlays == []


@pytest.mark.usefixtures("behind_sudo")
async def test_what_was_agreed_to_with_sudo_is_no_plan_of_a_later_reset(open_panel: Open) -> None:
    async with open_panel(snapshot(KEEPING, OLD)) as panel:
        panel.host.plans["lab"] = UNSEEN
        await panel.press("O", "o")
        await until(panel, "sudo did it")
        del panel.host.plans["lab"]
        await panel.press("asterisk", "O", "2", "enter")
        assert panel.host.overlays == [(RESET, "lab")]
        assert panel.host.agreed is None


async def test_of_one_that_runs_the_name_is_typed_before_sudo_stops_it(
    open_panel: Open, behind_sudo: list[list[str]]
) -> None:
    async with open_panel(snapshot(RUNNING._replace(name="lab"))) as panel:
        panel.host.plans["lab"] = UNSEEN
        await panel.press("O")
        assert panel.foot == "  f stop, reset, start, n at its next start, Esc leaves"
        await panel.press("o", "s", "f")
        assert behind_sudo == []
        assert "─ stop, reset, start lab on hv01? ─" in panel.text
        await panel.press(*"lab", "enter")
        await until(panel, "sudo did it")
        assert behind_sudo == [["stop", *WHERE], ["start", "--fresh", *WHERE]]


async def test_where_rights_do_not_lack_sudo_is_not_offered(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        panel.host.plans["lab"] = UNSEEN._replace(rights_missing=False)
        await panel.press("O")
        assert "sudo" not in panel.text
        assert "─ reset the overlay of lab on hv01? Not now ─" in panel.text


@pytest.mark.parametrize(
    ("keys", "verb", "argvs"),
    [
        ("A o", OverlayVerb.ARM_ONCE, [["arm", "--once", *WHERE]]),
        ("A a", OverlayVerb.ARM_ALWAYS, [["arm", "--always", *WHERE]]),
        ("A n", OverlayVerb.DISARM, [["arm", "--off", *WHERE]]),
        ("O f l a b enter", STOP_FRESH, [["stop", *WHERE], ["start", "--fresh", *WHERE]]),
    ],
)
async def test_what_is_refused_for_want_of_rights_is_offered_with_sudo(
    open_panel: Open, behind_sudo: list[list[str]], keys: str, verb: OverlayVerb, argvs: list[list[str]]
) -> None:
    up = RUNNING._replace(name="lab") if verb is STOP_FRESH else LAB
    async with open_panel(snapshot(up)) as panel:
        await panel.press(*keys.split())
        panel.host.fail_overlay(verb, "lab", RightsMissingError("polkit refused it", "be root"))
        await until(panel, "y does it")
        panel.host.passes(seconds=1)
        await panel.press("y")
        await until(panel, "sudo did it")
        assert behind_sudo == argvs


# Names


async def test_names_that_would_do_harm_are_only_shown(open_panel: Open) -> None:
    one = microvm("[/red]\x1b[31m", StateWord.STOPPED, volumes=LAB.volumes)
    async with open_panel(snapshot(with_kept(one))) as panel:
        for keys in (["O"], ["u"], ["x"], ["A"]):
            await panel.press(*keys)
            assert "[/red]\\x1b[31m on hv01" in panel.text
            await panel.press("escape")
        plan = plan_of(one)
        panel.host.plans[one.name] = ResetPlan(one.name, plan.target, plan.facts, nothing="\x1b[2J")
        await panel.press("O")
        assert "\\x1b[2J" in panel.text


async def test_all_of_it_is_in_the_palette(open_panel: Open) -> None:
    async with open_panel(PRODUCT) as panel:
        await panel.press("j", "j", "j", "colon", *"reset", "enter")
        assert "reset the overlay of lab on hv01?" in panel.text
