"""Every effect of everything that is done to an overlay fails once, and is once the last thing that the child does:
afterwards there is exactly the old state or exactly the new one, the next run cleans up, and undo works."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.overlay.effects import Effects
from mvtui.host.overlay.worker import OverlayWorker
from tests.host.living import until
from tests.host.overlay import faulty
from tests.host.overlay.overlay_host import OverlayHost, content, is_sound, overlay_host

K1, K0 = "20250202T020202Z.img", "20250101T010101Z.img"

State = tuple[str, tuple[str, ...]]
"""What the image holds, and what is kept holds."""


def reset(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.look()
    worker.make(host.new(), host.file_id())
    worker.commit()


def reset_and_free(host: OverlayHost, worker: OverlayWorker) -> None:
    reset(host, worker)
    worker.free_older_in_background()


def undo(host: OverlayHost, worker: OverlayWorker) -> None:
    reset(host, worker)
    worker.undo_commit()


def drop(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.make(host.new(), host.file_id())
    worker.drop()


def restore(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.restore()


def restore_older(host: OverlayHost, worker: OverlayWorker) -> None:
    worker.restore(K0)


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


class Scenario(NamedTuple):
    prepare: Callable[[OverlayHost], None]
    work: Callable[[OverlayHost, OverlayWorker], None]
    before: State
    after: State
    allowed: tuple[State, ...] = ()


OLD, NEW = ("old", ("k1", "k0")), ("new", ("old", "k1", "k0"))
SCENARIOS = {
    "reset": Scenario(has_nothing_kept, reset, ("old", ()), ("new", ("old",))),
    "reset and free": Scenario(has_kept, reset_and_free, OLD, ("new", ("old",)), (NEW, ("new", ("old", "k1")))),
    "leftovers": Scenario(has_leftovers, reset, ("old", ("k1",)), ("new", ("old", "k1")), (("old", ()),)),
    "undo": Scenario(has_kept, undo, OLD, OLD, (NEW,)),
    "drop": Scenario(has_kept, drop, OLD, OLD),
    "restore": Scenario(has_kept, restore, OLD, ("k1", ("old", "k0"))),
    "restore older": Scenario(has_kept, restore_older, OLD, ("k0", ("old", "k1")), (("old", ("k0", "k1")),)),
    "discard": Scenario(has_kept, discard, OLD, ("old", ()), (("old", ("k1",)),)),
    "first": Scenario(has_no_image, reset, ("nothing", ("k1",)), ("new", ("k1",))),
    "restore first": Scenario(has_no_image, restore, ("nothing", ("k1",)), ("k1", ())),
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
        if "detach" in effects(host):
            until(lambda: not host.rubbish())
        assert state(host) == scenario.after
        return effects(host)


def test_every_effect_there_is_is_made_to_fail() -> None:
    hit = {name for scenario in SCENARIOS.values() for name in effects_of(scenario)}
    assert hit | OF_SHARES == {name for name in vars(Effects) if not name.startswith("_")}


OF_SHARES = {"chown", "rmdir"}


@pytest.mark.parametrize("how", [*faulty.ERRORS, faulty.BEFORE, faulty.AFTER])
@pytest.mark.parametrize("key", SCENARIOS)
def test_the_old_state_or_the_new_one(key: str, how: str) -> None:
    scenario = SCENARIOS[key]
    for number in range(1, len(effects_of(scenario)) + 1):
        with overlay_host() as host:
            scenario.prepare(host)
            try:
                run(host, scenario, number, how)
            except MvtuiError as error:
                assert error.message
            until(lambda host=host, number=number: len(effects(host)) >= number)  # type: ignore[misc]
            must_be_whole(host, scenario, f"{key}: effect {number} ({effects(host)[number - 1]}), {how}")


def must_be_whole(host: OverlayHost, scenario: Scenario, where: str) -> None:
    allowed = {scenario.before, scenario.after, *scenario.allowed}
    image = content(host.image)
    assert image in {each[0] for each in allowed}, where
    assert image != "new" or is_sound(host.image), where

    with host.worker() as worker:  # the next run cleans up
        worker.make(host.new(), host.file_id())
        worker.drop()
    assert content(host.image) == image, where
    assert state(host) in allowed, where
    assert all(name.endswith(".img") or name.startswith("freeing.") for name in host.names()), where

    for kept in host.kept():  # and each that is kept can come back
        before = state(host)
        coming = content(Path(kept.path))
        host.restore(kept.name)
        assert content(host.image) == coming, where
        if image != "nothing":
            host.restore()
            assert content(host.image) == before[0], where
