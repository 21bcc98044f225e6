"""What can be asked for, when."""

import pytest

from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitVerb
from mvtui.ui.command import Place, Situation, Tier
from mvtui.ui.commands import COMMANDS, bindings, command, menders
from tests.ui.samples import DB, GIT, LAB, MAIL, ORPHAN, STOPPING


def test_nothing_that_changes_anything_is_on_enter_or_ctrl() -> None:
    for one in COMMANDS:
        if one.group == "Act":
            assert all(key.isalpha() and len(key) == 1 for key in one.keys)
            assert one.tier is Tier.FREE if one.id == "start" else one.tier >= Tier.ASK


def test_no_key_is_bound_twice() -> None:
    everywhere = {Place.PANEL, Place.MOVE}
    tabs = {Place.PROCESSES, Place.LOGS, Place.TIMELINE}
    for there in ({Place.LIST}, *[{Place.PAGE, tab} for tab in tabs]):
        keys = [binding.key for place in everywhere | there for binding in bindings(place)]
        assert len(keys) == len(set(keys))
    assert everywhere | tabs | {Place.LIST, Place.PAGE, Place.DEFINITION} == set(Place)
    assert len({one.id for one in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize(
    "verb", ["start", "stop", "restart", "kill", "reset", "undo", "free", "arm", "grow", "rebuild", "edit_file"]
)
def test_read_only_and_nothing_selected_refuse_every_change(verb: str) -> None:
    for one in (DB, LAB, STOPPING, ORPHAN):
        assert "read-only" in command(verb).refusal(Situation(one, read_only=True))
        assert "--no-read-only" in command(verb).refusal(Situation(one, read_only=True, locked=True))
    assert command(verb).refusal(Situation(None)) == "no microVM is selected"


def test_where_no_process_runs_none_is_unfolded() -> None:
    refusals = [command("unfold").refusal(Situation(one)) for one in (DB, LAB, None)]
    assert refusals == ["", "no process of it runs", "no microVM is selected"]


@pytest.mark.parametrize(
    ("one", "ids"),
    [(LAB, ["start"]), (DB, ["restart"]), (GIT, ["restart"]), (MAIL, ["stop", "restart"]), (STOPPING, ["stop"])],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_may_help(one: MicroVM, ids: list[str]) -> None:
    assert [helping.id for helping in menders(Situation(one))] == ids
    assert list(menders(Situation(one, read_only=True))) == []
    assert one.state.word in StateWord


def test_what_ends_it_where_nobody_can_cancel() -> None:
    """A stop that takes long is not ended by one more."""
    refusal = command("cancel").refusal
    assert refusal(Situation(LAB, busy=frozenset({UnitVerb.START}))) == "only systemd can cancel: T stops lab"
    assert refusal(Situation(GIT, busy=frozenset({UnitVerb.STOP}))) == "only systemd can cancel: K kills git"
