"""What only several looks together can tell."""

from datetime import timedelta

from mvtui.model.state import State, StateWord
from mvtui.operations.history import LOOP_SECONDS, History
from tests.fakes import EPOCH, unit

UNIT = unit("microvm@web.service")


def restarts(history: History, *counts: int) -> list[bool]:
    return [history.restarting("web", UNIT._replace(n_restarts=count)) for count in counts]


def test_a_count_that_stands_is_no_loop() -> None:
    assert restarts(History(), 12, 12, 12) == [False, False, False]


def test_a_count_that_grows_twice_is_a_loop() -> None:
    assert restarts(History(), 1, 2, 3, 3) == [False, False, True, True]


def test_one_reboot_is_no_loop() -> None:
    assert restarts(History(), 4, 5, 5, 5) == [False, False, False, False]


def test_a_loop_ends_when_no_restart_came_for_long() -> None:
    clock = [0.0]
    history = History(monotonic=lambda: clock[0])
    restarts(history, 1, 2, 3)
    clock[0] = LOOP_SECONDS - 1
    assert restarts(history, 3) == [True]
    clock[0] = LOOP_SECONDS + 1
    assert restarts(history, 3) == [False]


def test_restarts_far_apart_are_reboots() -> None:
    clock = [0.0]
    history = History(monotonic=lambda: clock[0])
    restarts(history, 1, 2)
    clock[0] = LOOP_SECONDS + 1
    assert restarts(history, 3) == [False]


def test_a_start_by_hand_counts_anew() -> None:
    assert restarts(History(), 1, 2, 3, 0, 1) == [False, False, True, False, False]


def test_an_unknown_count_is_no_loop() -> None:
    assert History().restarting("web", None) is False
    assert History().restarting("web", UNIT) is False


def test_degraded_is_dated_when_it_was_seen_to_begin() -> None:
    now = [EPOCH]
    history = History(now=lambda: now[0])
    running = State(StateWord.RUNNING, EPOCH, "")
    degraded = State(StateWord.DEGRADED, None, "")
    assert history.date("web", running).since == EPOCH
    now[0] = EPOCH + timedelta(hours=1)
    assert history.date("web", degraded).since == now[0]
    now[0] = EPOCH + timedelta(hours=2)
    assert history.date("web", degraded).since == EPOCH + timedelta(hours=1)


def test_an_orphan_is_dated_when_its_directory_was_seen_to_go() -> None:
    """Not when its hypervisor was started: it had one then."""
    now = [EPOCH + timedelta(hours=1)]
    history = History(now=lambda: now[0])
    history.date("web", State(StateWord.RUNNING, EPOCH, ""))
    assert history.date("web", State(StateWord.ORPHAN, None, "")).since == now[0]


def test_what_was_so_at_the_first_look_is_not_dated() -> None:
    degraded = State(StateWord.DEGRADED, None, "")
    history = History()
    assert history.date("web", degraded).since is None
    assert history.date("web", degraded).since is None


def test_what_is_gone_is_forgotten() -> None:
    history = History()
    history.date("web", State(StateWord.RUNNING, EPOCH, ""))
    history.forget_all_but([])
    assert history.date("web", State(StateWord.DEGRADED, None, "")).since is None
