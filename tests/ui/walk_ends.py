"""How what was begun in a walk at random ends: well, or in whatever way."""

import random
from collections.abc import Callable
from typing import NamedTuple

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.operations.overlay_outcome import ResetOutcome
from tests.ui.fake_host import FakeHost
from tests.ui.walk_host import WalkHost

Act = Callable[[], None]


class End(NamedTuple):
    """In words, and what makes it so."""

    words: str
    act: Act


def of_verb(host: FakeHost, dice: random.Random) -> End | None:
    """Of a verb; None where none is under way."""
    if not host.running:
        return None
    verb, name = dice.choice(host.running)
    ends: dict[str, Act] = {
        "done": lambda: host.finish(verb, name),
        "fails": lambda: host.finish(verb, name, "exit \x1b[1m1", ok=False, hint="mvtui logs"),
        "error": lambda: host.fail(verb, name, MvtuiError("no \nanswer", "[wait]")),
        "rights": lambda: host.fail(verb, name, RightsMissingError("polkit refused it", "be root")),
    }
    return _one(f"{verb} {name!r}", ends, dice)


def of_overlay(host: FakeHost, dice: random.Random) -> End | None:
    """Of what is done with an overlay."""
    if not host.at_work:
        return None
    verb, name = dice.choice(host.at_work)
    ends: dict[str, Act] = {
        "done": lambda: host.finish_overlay(verb, name, hint="mvtui restore brings it back"),
        "refused": lambda: host.finish_overlay(verb, name, "no \x1b[1mspace", ok=False),
        "error": lambda: host.fail_overlay(verb, name, MvtuiError("no \nanswer", "[wait]")),
        "rights": lambda: host.fail_overlay(verb, name, RightsMissingError("it is another's", "be root")),
    }
    return _one(f"{verb} {name!r}", ends, dice)


def of_rebuild(beside: WalkHost, dice: random.Random) -> End | None:
    """Of a rebuild, or what it says before."""
    going = [one for one in beside.rebuilds if one.outcome is None]
    if not going:
        return None
    one = dice.choice(going)
    ends: dict[str, Act] = {
        "says": lambda: one.output.feed(b"more \x1b[2J of it\r\n"),
        "done": lambda: one.finish("rebuild is done", ok=True),
        "new": lambda: one.finish("rebuild is done: built anew", ok=True, new=True),
        "fails": lambda: one.finish("rebuild failed: \x1b[1mno", ok=False),
    }
    return _one(f"rebuild of {one.plan.microvm!r}", ends, dice)


def of_growth(host: FakeHost, dice: random.Random) -> End | None:
    """Of the growth that was begun last."""
    if not host.is_growing:
        return None
    name = host.grown[-1][0]
    ends: dict[str, Act] = {
        "done": lambda: host.finish_growth(ResetOutcome(name, "grow", True, f"{name}: it is grown", "")),
        "refused": lambda: host.finish_growth(ResetOutcome(name, "grow", False, "no \x1b[1mspace", "")),
        "error": lambda: host.finish_growth(MvtuiError("no \nanswer", "[wait]")),
        "rights": lambda: host.finish_growth(RightsMissingError("it is another's", "be root")),
    }
    return _one(f"grow {name!r}", ends, dice)


def _one(what: str, ends: dict[str, Act], dice: random.Random) -> End:
    how = dice.choice(list(ends))
    return End(f"{what}: {how}", ends[how])
