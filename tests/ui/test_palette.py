"""The palette: what it offers, what it finds, and what becomes of it."""

from dataclasses import replace

import pytest

from mvtui.model.unit import UnitVerb
from mvtui.ui.command import Command, Situation
from mvtui.ui.commands import COMMANDS
from mvtui.ui.lines import width_of
from mvtui.ui.palette import Offer, matching, offers
from tests.ui.conftest import Open
from tests.ui.full_samples import HEALTHY
from tests.ui.samples import CI, DB, EMPTY, HOSTILE, LAB, PRODUCT, WEB, microvm, snapshot

KEYS = {one.id: one.keys for one in COMMANDS}


def words(found: list[Offer]) -> list[str]:
    return [offer.words for offer in found]


def offered(*targets: object, keys: dict[str, tuple[str, ...]] = KEYS, read_only: bool = False) -> dict[str, Offer]:
    chosen = tuple(one for one in PRODUCT.microvms if one in targets)
    situations = [Situation(one, read_only) for one in chosen] or [Situation(None, read_only)]
    found = offers(PRODUCT.microvms, chosen, chosen[0] if chosen else None, situations, keys)
    return {offer.command.id if offer.command is not None else offer.words: offer for offer in found}


def test_every_action_and_every_microvm_is_offered() -> None:
    assert offered(LAB).keys() == {one.id for one in COMMANDS if one.in_palette} - {"palette", "leave"} | {
        one.name for one in PRODUCT.microvms
    }
    assert len({offer.key for offer in offered(LAB).values()}) == len(offered(LAB))


def test_what_can_not_be_done_says_why() -> None:
    assert offered(WEB)["start"].refusal == "web runs already"
    assert offered(WEB)["stop"].refusal == ""
    assert offered()["stop"].refusal == "no microVM is selected"
    assert offered(WEB, read_only=True)["kill"].refusal == "read-only: W switches it off"
    keys = {one: found for one, found in KEYS.items() if one != "mark"}
    assert offered(WEB, keys=keys)["mark"].refusal == "not here"


@pytest.mark.parametrize(
    ("id", "line"),
    [
        ("start", "  S        start lab"),
        ("stop", "  T        stop lab                  asks"),
        ("kill", "  K        kill lab                  type its name"),
        ("cancel", "  C        cancel lab                what is under way; asks"),
        ("mark", "  space    mark                      mark, for S T r K C O u x A"),
    ],
)
def test_no_word_is_said_twice(id: str, line: str) -> None:  # noqa: A002
    offer = replace(offered(LAB)[id], refusal="")
    assert "".join(text for text, _ in offer.line(KEYS, 80, False)).rstrip() == line


def test_marked_ones_are_meant_where_one_of_them_can() -> None:
    assert offered(LAB, WEB)["start"] == Offer("start 2 marked", offered(LAB, WEB)["start"].command)
    assert offered(CI, WEB)["start"].refusal == "ci runs already"
    assert offered(LAB, WEB)["open"].words == "open lab"
    assert offered(LAB, WEB)["cancel"].words == "cancel 2 marked"


def test_finds_by_words_in_any_case_and_what_begins_so_first() -> None:
    found = [Offer(text) for text in ("stop web", "start web", "restart web", "webcam", "lab")]
    assert words(matching(found, "")) == words(found)
    assert words(matching(found, "WEB")) == ["webcam", "stop web", "start web", "restart web"]
    assert words(matching(found, "we st")) == ["stop web", "start web", "restart web"]
    assert words(matching(found, "start")) == ["start web", "restart web"]
    assert words(matching(found, "  ")) == words(found)
    assert matching(found, "nothing so") == []
    refused = Offer("web first", refusal="not now")
    assert matching([refused, *found], "web")[-1] is refused
    assert matching([refused, *found], "")[-1] is refused


def test_a_name_that_would_do_harm_is_only_shown() -> None:
    found = offers(HOSTILE.microvms, (), None, [Situation(None)], KEYS)
    assert all(offer.words.isprintable() for offer in found)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_offers_fit(width: int) -> None:
    for offer in (*offered(LAB, WEB).values(), *offered().values()):
        if offer.command is not None:
            assert width_of(offer.line(KEYS, width, False)) == width


def test_a_command_without_keys_can_be_offered() -> None:
    silent: Command = replace(COMMANDS[0], id="silent", keys=(), words="silent")
    assert "silent" in "".join(text for text, _ in Offer("silent", silent).line({}, 60, True))


async def test_finds_by_letters_and_does_it(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("j", "j", "j", "colon")
        assert "start lab" in panel.text
        await panel.press(*"start lab")
        assert "Enter does it, Esc leaves" in panel.text
        await panel.press("enter")
        assert panel.host.asked == [(UnitVerb.START, "lab")]
        assert not panel.app.panel.asks


async def test_what_is_refused_stays_with_why(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("ctrl+p", *"start web")
        assert [line.split()[0] for line in panel.lines if "start web" in line][:2] == ["r", "S"]
        await panel.press("down", "enter", "enter")
        assert "start web: web runs already" in panel.text
        assert panel.host.asked == []
        await panel.press("up", "enter")
        assert panel.foot.startswith("restart web on hv01?")


async def test_a_microvm_opens_its_page(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("colon", *"prox", "enter")
        assert panel.lines[0].startswith("hv01 > proxy")
        await panel.press("colon", *"open db")
        assert "0 ─" in panel.text
        await panel.press("enter", "escape", "colon", *"db", "enter")
        assert panel.lines[0].startswith("hv01 > db")


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_says_that_nothing_has_what_was_typed(open_panel: Open, size: tuple[int, int]) -> None:
    async with open_panel(size=size) as panel:
        await panel.press("colon", *"xyz")
        at = next(number for number, line in enumerate(panel.lines) if "0 ─" in line)
        assert panel.lines[at + 1] == '  nothing has "xyz"'
        await panel.press("down", "up", "pagedown", "pageup", "enter")
        await panel.click('nothing has "xyz"')
        await panel.click('nothing has "xyz"')
        assert panel.lines[at + 1 : at + 3] == ['  nothing has "xyz"', ""]
        assert panel.host.asked == []
        await panel.press(*"y" * 90)
        assert panel.lines[at + 1].startswith('  nothing has "xyzyyy')
        assert panel.lines[at + 1].endswith("y…")
        await panel.press("ctrl+u", *"prox", "enter")
        assert panel.lines[0].startswith("hv01 > proxy")


async def test_commands_of_a_level_work_from_the_palette(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY)) as panel:
        await panel.press("colon", *"mark all", "enter")
        assert "1 marked" in panel.lines[0]
        await panel.press("colon", *"open", "enter", "colon", *"tab right", "enter")
        assert "▌2 Shares▐" in panel.lines[1]
        await panel.press("colon", *"mark all", "enter")
        assert "mark all: not here" in panel.text
        await panel.press("escape", "colon", *"calls", "enter")
        assert "What mvtui called" in panel.text
        await panel.press("escape", "colon", *"processes", "enter")
        assert "▌4 Processes▐" in panel.lines[1]


async def test_what_is_gone_meanwhile_hurts_nothing(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB, DB)) as panel:
        await panel.press("G", "colon", *"start lab")
        await panel.tell(EMPTY)
        await panel.press("enter")
        assert panel.host.asked == []
        assert "no microVM is selected" in panel.text
        await panel.tell(snapshot(LAB, DB))
        await panel.press("colon", *"db")
        await panel.tell(snapshot(microvm("other")))
        await panel.press("enter")
        assert "db is no longer on this host. Esc goes back." in panel.text


async def test_quits_from_the_palette(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("colon", *"quit", "enter")
        assert not panel.app.is_running
