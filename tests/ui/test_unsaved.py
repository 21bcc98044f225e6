"""Nothing that was changed in a definition is lost by a key that quits."""

import pytest

from tests.ui.conftest import Open, Panel
from tests.ui.full_samples import HEALTHY
from tests.ui.samples import snapshot

ONE = snapshot(HEALTHY)
# The definition's panel, with its first share removed.
CHANGED = ("e", "j", "x")


def asks(panel: Panel) -> str:
    question = panel.app.panel.question
    return question.text if question is not None else ""


@pytest.mark.parametrize("key", ["q", "Q", "ctrl+c"])
async def test_what_was_kept_is_asked_about(open_panel: Open, key: str) -> None:
    async with open_panel(ONE) as panel:
        await panel.press(*CHANGED, "escape", "k", key)
        assert asks(panel) == "quit? The definition of wiki is not saved"
        assert "share home removed" in panel.text
        await panel.press("escape")
        assert panel.app.is_running
        await panel.press(key, "n", "enter")
        assert panel.app.is_running
        await panel.press("y")
        assert not panel.app.is_running


async def test_who_asks_once_more_means_it(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press(*CHANGED, "escape", "k", "ctrl+c", "ctrl+c")
        assert not panel.app.is_running


async def test_a_definition_that_is_open(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press(*CHANGED, "ctrl+c")
        assert panel.foot == "quit? It is not saved: y quits and drops it, other keys stay"
        await panel.press("n")
        assert panel.app.is_running
        assert "not saved" in panel.text  # it is still open
        await panel.press("ctrl+c", "y")
        assert not panel.app.is_running


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_what_saves_it_is_told_at_any_width(open_panel: Open, size: tuple[int, int]) -> None:
    async with open_panel(ONE, size=size) as panel:
        await panel.press("e", "j")
        assert panel.foot.startswith("e edit  s +share")
        await panel.press("x")
        assert panel.foot.startswith("r review, save  e edit")


async def test_a_form_that_is_being_typed(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("e", "j", "enter", "x", "ctrl+c")
        assert panel.foot == "quit? It is not saved: y quits and drops it, other keys stay"
        await panel.press("escape", "ctrl+c", "ctrl+c")
        assert not panel.app.is_running


async def test_nothing_is_asked_where_nothing_is_changed(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press("e", "j", "ctrl+c")
        assert not panel.app.is_running


async def test_what_was_dropped_is_not_asked_about(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press(*CHANGED, "escape", "d", "q")
        assert not panel.app.is_running


async def test_over_another_dialog(open_panel: Open) -> None:
    async with open_panel(ONE) as panel:
        await panel.press(*CHANGED, "escape", "k", "question_mark", "ctrl+c")
        assert asks(panel) == "quit? The definition of wiki is not saved"
        await panel.press("escape", "j")
        assert panel.app.is_running
        assert not panel.app.panel.asks
