"""What is asked of systemd, on record as a person would type it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.host.systemd import SystemdUnits
from mvtui.host.systemd_words import asked_properties, told_properties
from mvtui.model.call import Call
from mvtui.model.unit import UnitVerb
from mvtui.operations.hosts import open_host
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

WEB = "microvm@web.service"


@pytest.fixture
def log() -> CallLog:
    return CallLog()


@pytest.fixture
async def recorded(bus: PrivateBus, nothing_left: None, log: CallLog) -> AsyncIterator[SystemdUnits]:
    units = SystemdUnits(bus.address, calls=log)
    yield units
    await units.close()


def found(log: CallLog, word: str) -> list[Call]:
    return [call for call in log.calls if call.what.split()[0] == word]


async def test_connection_and_look(recorded: SystemdUnits, systemd: Systemd1, log: CallLog, bus: PrivateBus) -> None:
    systemd.set(WEB, "active", "running")
    systemd.set("microvm@db.service", "active", "running")
    await recorded.statuses()
    assert log.calls[0].what == f"connect {bus.address}"
    assert all(call.ok and call.seconds is not None for call in log.calls)
    assert len(found(log, "AddMatch")) == 4
    assert found(log, "GetNameOwner")[0].result.startswith(":1.")
    assert found(log, "Subscribe")[0].result == "sent, no reply wanted"
    (listed,) = found(log, "ListUnitsByPatterns")
    assert listed.what.startswith("ListUnitsByPatterns [] [microvm-set-booted@*.service ")
    assert (listed.result, listed.times) == ("2 units", 1)
    read = {call.what: call.result for call in found(log, "Get")}
    assert read == {
        "Get microvms.target multi-user.target (6 properties)": "6 values",
        "Get microvm@web.service microvm@db.service (6 properties)": "6 values",
    }


async def test_looks_are_one_entry(recorded: SystemdUnits, systemd: Systemd1, log: CallLog) -> None:
    systemd.set(WEB, "active", "running")
    for _ in range(3):
        await recorded.statuses()
    before = len(log.calls)
    systemd.set("microvm@db.service")
    await recorded.statuses()
    (listed,) = found(log, "ListUnitsByPatterns")
    assert (listed.result, listed.times) == ("2 units", 4)
    assert len(log.calls) == before + 1, "only what was read of db is new"


async def test_nothing_asked_is_nothing_recorded(recorded: SystemdUnits, systemd: Systemd1, log: CallLog) -> None:
    await recorded.statuses()
    reads = len(found(log, "Get"))
    await recorded.statuses()
    assert len(found(log, "Get")) == reads == 1


async def test_job(recorded: SystemdUnits, systemd: Systemd1, log: CallLog) -> None:
    systemd.set(WEB, "active", "running")
    systemd.outcomes[WEB] = "wait"
    await recorded.run_job(UnitVerb.KILL, WEB)
    said = [(call.what, call.result) for call in log.calls]
    actions = [each for each in said if "web" in each[0]]
    assert actions == [
        (f"RefUnit {WEB}", "done"),
        (f"Get {WEB} ActiveState", "active"),
        (f"StopUnit {WEB} replace", "job 1"),
        (f"KillUnit {WEB} all 9", "done"),
        (f"Get {WEB} (8 properties)", "8 values"),
        (f"UnrefUnit {WEB}", "sent, no reply wanted"),
    ]


async def test_same_verb_twice_is_two_entries(recorded: SystemdUnits, systemd: Systemd1, log: CallLog) -> None:
    systemd.set(WEB)
    for _ in range(2):
        await recorded.run_job(UnitVerb.START, WEB)
    assert [call.result for call in found(log, "StartUnit")] == ["job 1", "job 2"]


async def test_refusal_in_its_own_words(recorded: SystemdUnits, systemd: Systemd1, log: CallLog) -> None:
    systemd.refusals["StartUnit"] = ("org.freedesktop.DBus.Error.AccessDenied", "Interactive authentication required.")
    with pytest.raises(MvtuiError):
        await recorded.run_job(UnitVerb.START, WEB)
    (refused,) = found(log, "StartUnit")
    assert (refused.ok, refused.result) == (False, "Interactive authentication required.")


async def test_no_answer(bus: PrivateBus, nothing_left: None, systemd: Systemd1, log: CallLog) -> None:
    units = SystemdUnits(bus.address, timeout=0.2, calls=log)
    systemd.slow.add("ListUnitsByPatterns")
    with pytest.raises(MvtuiError):
        await units.statuses()
    (listed,) = found(log, "ListUnitsByPatterns")
    assert not listed.ok
    assert listed.result.startswith("systemd does not answer: nothing came within 0.2 s")
    await units.close()


async def test_call_that_nobody_waits_for(recorded: SystemdUnits, systemd: Systemd1, log: CallLog) -> None:
    systemd.set(WEB)
    systemd.slow.add("StartUnit")
    job = asyncio.create_task(recorded.run_job(UnitVerb.START, WEB))
    await systemd.asked("StartUnit")
    assert found(log, "StartUnit")[0].seconds is None
    job.cancel()
    await asyncio.wait([job])
    (left,) = found(log, "StartUnit")
    assert (left.ok, left.result) == (None, "not waited for")


async def test_bus_that_is_not_there(tmp_path: Path, nothing_left: None, log: CallLog) -> None:
    units = SystemdUnits(f"unix:path={tmp_path}/absent", calls=log)
    for _ in range(2):
        with pytest.raises(MvtuiError):
            await units.statuses()
    (tried,) = log.calls
    assert (tried.ok, tried.times) == (False, 2)
    assert tried.result.endswith("No such file or directory")


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/org/freedesktop/systemd1/unit/microvm_40web_2eservice", "microvm@web.service"),
        ("/org/freedesktop/systemd1/unit/microvm_40n_c3_a9e_5f1_2eservice", "microvm@née_1.service"),
        ("/org/freedesktop/systemd1/job/12", "12"),
    ],
)
def test_object_path_is_told_as_what_it_is_of(path: str, named: str) -> None:
    assert asked_properties([(path, "I", "State")]) == f"Get {named} State"
    assert asked_properties([(path, "I", "State"), (path, "I", "Id")]) == f"Get {named} (2 properties)"


def test_many_objects_are_not_all_named() -> None:
    few, many = ([(f"/unit/m{number}", "I", name) for number in range(count) for name in "ab"] for count in (3, 4))
    assert asked_properties(few) == "Get m0 m1 m2 (6 properties)"
    assert asked_properties(many) == "Get m0 and 3 others (8 properties)"


def test_values() -> None:
    assert told_properties([None]) == "none"
    assert told_properties(["running"]) == "running"
    assert told_properties([1, None, "x"]) == "3 values, 1 of them none"
    assert told_properties([["a", "b"]]) == "1 values"


async def test_host_has_the_record_of_its_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/absent")
    host = open_host(tmp_path, "systemd")
    with pytest.raises(MvtuiError):
        await host.units.statuses()
    assert [call.what for call in host.calls.calls] == [f"connect unix:path={tmp_path}/absent"]
