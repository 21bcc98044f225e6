"""What happened, from several records: each thing once, the newest first; what systemd's messages tell."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from mvtui.model.timeline import Event, EventKind, is_told, kind_of, merged
from mvtui.model.unit import UnitKind
from mvtui.model.unit_story import (
    EXIT,
    FAILURE,
    NOT_STARTED,
    OUT_OF_MEMORY,
    RESTART,
    STARTED,
    STOPPED,
    SUCCESS,
    UnitMessage,
    told_by_systemd,
)

BEGIN = datetime(2026, 11, 25, 18, 40, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def stopped(seconds: float, user: str = "", what: str = "stopped") -> Event:
    return Event(at(seconds), EventKind.STOP, what, user=user)


def test_the_newest_first_and_no_more_than_that() -> None:
    assert merged([stopped(1), stopped(9), stopped(5)]) == (stopped(9), stopped(5), stopped(1))
    assert merged([stopped(number * 9) for number in range(9)], 2) == (stopped(72), stopped(63))


def test_a_command_of_two_records_is_one() -> None:
    in_journal = stopped(1.0, "root")
    on_record = stopped(1.4, "root")._replace(seconds=0.3)
    assert merged([in_journal, on_record]) == (on_record,)


@pytest.mark.parametrize("seconds", [0.5, 1.4])
def test_who_says_the_same_takes_nobodys_place(seconds: float) -> None:
    """Any user can log what root's command will have said, as the newest."""
    forged, told = stopped(1.6, "uid 1000")._replace(seconds=9), stopped(seconds, "root")
    assert merged([forged, told, stopped(1.5, "root")]) == (stopped(1.5, "root"),)
    assert merged([stopped(1.6, "ada"), stopped(1.5, "uid 1000")]) == (stopped(1.6, "ada"),)


@pytest.mark.parametrize(
    "other",
    [
        stopped(9, "root"),
        stopped(1.4, "root", "killed"),
        stopped(1.4),
        stopped(1.4, "root")._replace(kind=EventKind.GROW),
    ],
)
def test_others_are_two(other: Event) -> None:
    assert len(merged([stopped(1, "root"), other])) == 2


def test_what_mvtui_calls_them() -> None:
    assert kind_of("stop, reset and start") is EventKind.RESET
    assert kind_of("edit") is EventKind.SAVE
    assert kind_of("make my day") is EventKind.COMMAND


def test_of_a_loop_some() -> None:
    assert [number for number in range(1, 300) if is_told(number)] == [1, 2, 3, 4, 8, 16, 32, 64, 128, 256]


def story(*messages: tuple[str, str] | tuple[str, str, int], kind: UnitKind = UnitKind.HYPERVISOR) -> list[str]:
    found: Iterable[Event] = told_by_systemd(
        kind, [UnitMessage(at(number), *message) for number, message in enumerate(messages)]
    )
    return [f"{event.kind}: {event.what}" + (f" ({event.why})" if event.why else "") for event in found]


def test_a_start_and_a_stop() -> None:
    assert story((STARTED, "done"), (SUCCESS, ""), (STOPPED, "done"), (STARTED, "done")) == [
        "start: the hypervisor was started",
        "stop: the hypervisor was stopped",
        "start: the hypervisor was started",
    ]


def test_a_failure_and_its_restart() -> None:
    told = story(
        (STARTED, "done"),
        (EXIT, "killed by SIGKILL"),
        (FAILURE, "signal"),
        (RESTART, "", 1),
        (STOPPED, ""),
        (STARTED, ""),
    )
    assert told == [
        "start: the hypervisor was started",
        "failed: the hypervisor failed (killed by SIGKILL, result signal)",
        "restart: systemd restarted it (killed by SIGKILL, result signal)",
    ]


def test_a_guest_that_powers_off_is_restarted() -> None:
    assert story((SUCCESS, ""), (RESTART, "", 2), (STARTED, "done")) == [
        "stop: the hypervisor ended by itself",
        "restart: systemd restarted it, for the 2nd time (it had ended by itself)",
    ]


def test_out_of_memory_is_the_cause() -> None:
    told = story((OUT_OF_MEMORY, ""), (EXIT, "killed by SIGKILL"), (FAILURE, "oom-kill"))
    assert told == ["failed: the hypervisor failed (out of memory, result oom-kill)"]


def test_a_start_that_fails() -> None:
    assert story((NOT_STARTED, "dependency")) == ["failed: the hypervisor could not be started (dependency)"]


def test_a_loop_leaves_room() -> None:
    one = [(EXIT, "exit 1"), (FAILURE, "exit-code")]
    messages = [(STARTED, "done")]
    for number in range(1, 101):
        messages += [*one, (RESTART, "", number), (STARTED, "done")]  # type: ignore[list-item]
    told = story(*messages)
    assert len(told) == 1 + 2 * len([number for number in range(1, 101) if is_told(number)])
    assert told[-1] == "restart: systemd restarted it, for the 64th time (exit 1, result exit-code)"


def test_of_virtiofsd_what_fails_and_of_the_installation_that_it_was() -> None:
    assert story((STARTED, ""), (FAILURE, "timeout"), kind=UnitKind.VIRTIOFSD) == [
        "failed: virtiofsd failed (result timeout)"
    ]
    assert story((STARTED, ""), kind=UnitKind.INSTALL) == ["rebuild: current is what the host's configuration says"]
