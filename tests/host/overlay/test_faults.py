"""Every effect of everything that is done to an overlay fails once, and is once the last thing that the child does:
afterwards there is exactly the old state or exactly the new one, the next run cleans up, and undo works."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.overlay.effects import Effects
from mvtui.host.overlay.worker import OverlayWorker
from tests.host.living import until
from tests.host.overlay import faulty
from tests.host.overlay.growable import effects_of_growth
from tests.host.overlay.overlay_host import OverlayHost, content, is_sound, overlay_host

K1, K0 = "20250202T020202Z.img", "20250101T010101Z.img"
S1, S0 = "20250202T020202Z.dir", "20250101T010101Z.dir"

State = tuple[str, tuple[str, ...]]
"""What the image holds, and what is kept holds."""


def make(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.make(host.new() if host.volume is not None else None, host.file_id())


def reset(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.look()
    make(host, worker)
    worker.commit()


def reset_and_free(host: OverlayHost, worker: OverlayWorker) -> None:
    reset(host, worker)
    worker.free_older_in_background()


def undo(host: OverlayHost, worker: OverlayWorker) -> None:
    reset(host, worker)
    worker.undo_commit()


def restore(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.restore()


def restore_older(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.restore(K0 if host.volume is not None else S0)


def discard(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.free_older_in_background(all=True)


def has_kept(host: OverlayHost) -> None:
    host.write(host.image, "old")
    host.keep(K0, "k0")
    host.keep(K1, "k1")


def has_nothing_kept(host: OverlayHost) -> None:
    host.write(host.image, "old")


def has_leftovers(host: OverlayHost) -> None:
    """One was killed before it had renamed what it set aside, others while they made and freed something."""
    has_nothing_kept(host)
    host.keep("making", "rubbish")
    host.keep("freeing.x", "rubbish")
    host.keep("new.1", "k1")
    own = host.keep("new", "rubbish")
    own.rename(own.with_name(f"new.{own.stat().st_ino}"))


def has_no_image(host: OverlayHost) -> None:
    host.keep(K1, "k1")


def is_share(host: OverlayHost) -> None:
    host.share()
    host.keep_share(S0, "k0")
    host.keep_share(S1, "k1")


def is_anothers_share(host: OverlayHost) -> None:
    """Of another group: the new ones are given to it, which takes root."""
    is_share(host)
    if os.geteuid() == 0:
        for path in (host.image, host.holding.parent, *host.holding.parent.rglob("*"), *host.image.iterdir()):
            os.chown(path, 0, 0)
        os.chown(host.image / "store", 0, 12)


def has_leftovers_on_share(host: OverlayHost) -> None:
    """One was killed before its last rename, one between `work` and `store`, one while it restored, one at the begin;
    the last one changed the work directories."""
    host.share()
    host.keep_share("new.1.2", "k1")
    host.keep_share("making", "rubbish")
    for prefix, text in (("back", "k0"), ("new", "rubbish")):
        container = host.keep_share(prefix, text)
        inodes = [(container / name).stat().st_ino for name in ("store", "work")]
        container.rename(container.with_name(f"{prefix}.{inodes[0]}.{inodes[1]}"))


class Scenario(NamedTuple):
    prepare: Callable[[OverlayHost], None]
    work: Callable[[OverlayHost, OverlayWorker], None]
    before: State
    after: State
    allowed: tuple[State, ...] = ()


# What was left over becomes kept in the order in which it is found.
LEFT: tuple[State, ...] = (
    ("old", ("k1", "k0")),
    ("new", ("old", "k1", "k0")),
    ("new", ("old", "k0", "k1")),
    *(("old", kept) for kept in ((), ("k0",), ("k1",), ("k0", "k1"))),
)
OLD, NEW = ("old", ("k1", "k0")), ("new", ("old", "k1", "k0"))
SCENARIOS = {
    "reset": Scenario(has_nothing_kept, reset, ("old", ()), ("new", ("old",))),
    "reset and free": Scenario(has_kept, reset_and_free, OLD, ("new", ("old",)), (NEW, ("new", ("old", "k1")))),
    "leftovers": Scenario(has_leftovers, reset, ("old", ("k1",)), ("new", ("old", "k1")), (("old", ()),)),
    "undo": Scenario(has_kept, undo, OLD, OLD, (NEW,)),
    "make": Scenario(has_kept, make, OLD, OLD),
    "restore": Scenario(has_kept, restore, OLD, ("k1", ("old", "k0"))),
    "restore older": Scenario(has_kept, restore_older, OLD, ("k0", ("old", "k1")), (("old", ("k0", "k1")),)),
    "discard": Scenario(has_kept, discard, OLD, ("old", ()), (("old", ("k1",)),)),
    "first": Scenario(has_no_image, reset, ("nothing", ("k1",)), ("new", ("k1",))),
    "restore first": Scenario(has_no_image, restore, ("nothing", ("k1",)), ("k1", ())),
    "share": Scenario(is_share, reset_and_free, OLD, ("new", ("old",)), (NEW, ("new", ("old", "k1")))),
    "share of root": Scenario(is_anothers_share, reset, OLD, NEW),
    "share, leftovers": Scenario(has_leftovers_on_share, reset, LEFT[0], LEFT[1], LEFT[2:]),
    "share, undo": Scenario(is_share, undo, OLD, OLD, (NEW,)),
    "share, make": Scenario(is_share, make, OLD, OLD),
    "share, restore": Scenario(is_share, restore, OLD, ("k1", ("old", "k0"))),
    "share, restore older": Scenario(is_share, restore_older, OLD, ("k0", ("old", "k1")), (("old", ("k0", "k1")),)),
    "share, discard": Scenario(is_share, discard, OLD, ("old", ()), (("old", ("k1",)),)),
}


def state(host: OverlayHost) -> State:
    return content(host.image), tuple(content(Path(kept.path)) for kept in host.kept())


def run(host: OverlayHost, scenario: Scenario, number: int = 0, how: str = "") -> None:
    with host.worker(faulty.entry(str(host.record), number, how)) as worker:
        scenario.work(host, worker)


def effects(host: OverlayHost) -> list[str]:
    return host.record.read_text().split()


def effects_of(scenario: Scenario) -> list[str]:
    """The names of all effects, in order, of a run that went well."""
    with overlay_host() as host:
        scenario.prepare(host)
        run(host, scenario)
        if scenario.work in (reset_and_free, discard):
            until(lambda: not host.rubbish())
        assert state(host) == scenario.after or state(host) in LEFT
        return effects(host)


def test_every_effect_there_is_is_made_to_fail() -> None:
    hit = {name for scenario in SCENARIOS.values() for name in effects_of(scenario)} | set(effects_of_growth())
    assert hit == {name for name in vars(Effects) if not name.startswith("_")}


@pytest.mark.parametrize("how", [faulty.FAILS, faulty.BEFORE, faulty.AFTER])
@pytest.mark.parametrize("key", SCENARIOS)
def test_the_old_state_or_the_new_one(key: str, how: str) -> None:
    scenario = SCENARIOS[key]
    for number in range(1, len(effects_of(scenario)) + 1):
        with overlay_host() as host:
            scenario.prepare(host)
            with suppress(MvtuiError):
                run(host, scenario, number, how)
            until(lambda host=host, number=number: len(effects(host)) >= number)  # type: ignore[misc]
            must_be_whole(host, scenario, f"{key}: effect {number} ({effects(host)[number - 1]}), {how}")


def must_be_whole(host: OverlayHost, scenario: Scenario, where: str) -> None:
    allowed = {scenario.before, scenario.after, *scenario.allowed}
    image = content(host.image)
    assert image in {each[0] for each in allowed}, where
    assert image != "new" or host.volume is None or is_sound(host.image), where

    with host.worker() as worker:  # the next run cleans up
        make(host, worker)
    assert content(host.image) == image, where
    assert state(host) in allowed, where
    assert all(name.endswith((".img", ".dir")) or name.startswith("freeing.") for name in host.names()), where
    if host.volume is None:
        assert sorted(os.listdir(host.image)) == [".mvtui", "store", "work"]
        assert all(sorted(os.listdir(kept.path)) == ["store", "work"] for kept in host.kept()), where

    for kept in host.kept()[:1]:  # and what is kept can come back
        coming = content(Path(kept.path))
        host.restore(kept.name)
        assert content(host.image) == coming, where
