"""Many keys in any order, at any size: no traceback, nothing done without its question, read-only never broken."""

import random
from collections.abc import Sequence

import pytest
from textual.events import Key

from mvtui.model.text import clean
from mvtui.model.unit import UnitVerb
from tests.ui.conftest import Open, Panel
from tests.ui.samples import EMPTY, HOSTILE, NO_BUS, PRODUCT, STATES, UNREADABLE, WEB, snapshot

KEYS = (
    *"jkgGSTrWpyKqxweb/",
    *("down", "up", "pagedown", "pageup", "home", "end", "enter", "escape", "question_mark", "f1", "space", "tab"),
    *("ctrl+d", "ctrl+u", "ctrl+r", "ctrl+s", "ctrl+t", "backspace", "left", "right", "shift+tab", "f5"),
)
VERBS = "STry"
SIZES = ((80, 24), (120, 36), (60, 15), (40, 10), (10, 3), (200, 5), (79, 50))
SNAPSHOTS = (PRODUCT, STATES, HOSTILE, EMPTY, UNREADABLE, NO_BUS, snapshot(WEB))
# `q` leaves from the list: the walk would end there.
STEPS = 500


def must_have_asked(before: Sequence[str], asked: tuple[UnitVerb, str]) -> bool:
    """Whether what stood on the screen before the key was a question for exactly this."""
    verb, name = asked
    if verb is UnitVerb.START:
        return True
    if verb is UnitVerb.KILL:
        return any(f"kill {clean(name)} on hv01" in line for line in before)
    return before[-1].startswith(f"{verb} {clean(name)[:9]}") and before[-1].endswith(f"— y {verb}s, Esc leaves")


async def press_quickly(panel: Panel, key: str) -> None:
    """As `Panel.press`, without the pilot's waits for an idle processor."""
    name = "slash" if key == "/" else key
    panel.app.post_message(Key(name, key if len(key) == 1 else None))
    for _ in range(4):
        await panel.pilot._wait_for_screen()
    panel.host.passes(seconds=0.4)


async def walk(panel: Panel, seed: int, *, read_only: bool) -> int:
    """Walk at random; how many verbs were run."""
    dice = random.Random(seed)
    done = 0
    for _ in range(STEPS):
        what = dice.random()
        if panel.app.panel.asks:
            await panel.pilot.pause()  # painted
        before = panel.lines
        wide = panel.app.size.width >= 60
        if what < 0.04:
            await panel.pilot.resize_terminal(*dice.choice(SIZES))
        elif what < 0.10:
            panel.host.tell(dice.choice(SNAPSHOTS))
            await panel.pilot._wait_for_screen()
        elif what < 0.14 and panel.host.running:
            panel.host.finish(*dice.choice(panel.host.running))
        elif what < 0.18:
            panel.host.passes(seconds=dice.choice((0.1, 5, 60)))
            panel.app._tick()
        else:
            key = dice.choice(KEYS if dice.random() < 0.6 else VERBS)
            if key == "q" and not panel.app.panel.asks:
                continue
            picture = panel.app.picture
            assert picture is not None
            await press_quickly(panel, key)
            new = panel.host.asked[done:]
            done += len(new)
            assert len(new) <= 1
            if new:
                assert not picture.read_only
                assert key == {UnitVerb.START: "S", UnitVerb.KILL: "enter"}.get(new[0][0], "y")
                assert not wide or must_have_asked(before, new[0])
        assert not read_only or not panel.host.asked
        assert panel.app.is_running
    return done


@pytest.mark.parametrize("seed", range(3))
async def test_a_random_walk(open_panel: Open, seed: int) -> None:
    async with open_panel() as panel:
        assert await walk(panel, seed, read_only=False) > 0


async def test_a_random_walk_that_is_read_only(open_panel: Open) -> None:
    async with open_panel(read_only=True) as panel:
        assert await walk(panel, 7, read_only=True) == 0
