"""The units of microVMs as systemd tells them: what is asked, when it is asked again."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mvtui.host.systemd import SystemdUnits
from mvtui.host.systemd_runs import systemd_runs
from mvtui.host.systemd_units import unit_path
from mvtui.model.unit import Job, UnitKind, UnitStatus, parse_unit_name
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

# What systemd 252 said of units as microvm.nix's host module declares them.
RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "systemd_recorded.json").read_text())

WEB = "microvm@web.service"
WEB_DAEMONS = "microvm-virtiofsd@web.service"


def at(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)


def status(name: str, active: str, sub: str, **more: Any) -> UnitStatus:
    parsed = parse_unit_name(name)
    assert parsed is not None
    return UnitStatus(name, *parsed, "loaded", active, sub)._replace(**more)


EXPECTED = {
    "running": status(
        "microvm@ok.service", "active", "running", n_restarts=0, main_pid=2285, since=at(1795425314660656)
    ),
    "virtiofsd running": status(
        "microvm-virtiofsd@ok.service", "active", "running", n_restarts=0, since=at(1795425314656500)
    ),
    "set-booted": status("microvm-set-booted@ok.service", "active", "exited"),
    "skipped": status(
        "microvm@nocur.service", "inactive", "dead", n_restarts=0, result="success", condition_failed=True
    ),
    "auto-restart": status(
        "microvm@loop.service",
        "activating",
        "auto-restart",
        n_restarts=2,
        result="exit-code",
        exec_status=1,
        since=at(1795425325747155),
        timeout_stop=150.0,
        last_run=0.304378,
    ),
    "start waits": status(
        "microvm@badfs.service", "inactive", "dead", n_restarts=0, result="success", job=Job(10344, "start", "waiting")
    ),
    "virtiofsd hangs": status(
        "microvm-virtiofsd@badfs.service",
        "activating",
        "start",
        n_restarts=0,
        result="success",
        main_pid=2297,
        since=at(1795425325768594),
        timeout_stop=20.0,
        job=Job(10345, "start", "running"),
    ),
    "virtiofsd timed out": status(
        "microvm-virtiofsd@badfs.service",
        "activating",
        "auto-restart",
        n_restarts=0,
        result="timeout",
        exec_status=15,
        exec_by_signal=True,
        since=at(1795425331768791),
        timeout_stop=20.0,
    ),
    "dependency failed": status("microvm@badfs.service", "inactive", "dead", n_restarts=0, result="success"),
    "deactivating": status(
        "microvm@term.service",
        "deactivating",
        "stop-sigterm",
        n_restarts=0,
        result="success",
        main_pid=2302,
        since=at(1795425332007555),
        timeout_stop=150.0,
        last_run=0.182177,
        job=Job(10375, "stop", "running"),
    ),
    "killed": status(
        "microvm@term.service",
        "failed",
        "failed",
        n_restarts=0,
        result="signal",
        exec_status=9,
        exec_by_signal=True,
        since=at(1795425332015433),
        last_run=0.182177,
    ),
    "inactive with a job": status(
        "microvm@slowfs.service",
        "inactive",
        "dead",
        n_restarts=1,
        result="success",
        exec_status=0,
        since=at(1795425338076048),
        last_run=1.004706,
        job=Job(10405, "start", "waiting"),
    ),
    "virtiofsd deactivating": status(
        "microvm-virtiofsd@slowfs.service",
        "deactivating",
        "stop-sigterm",
        n_restarts=0,
        result="success",
        main_pid=2305,
        since=at(1795425338102430),
        timeout_stop=20.0,
        job=Job(10415, "restart", "running"),
    ),
}


@pytest.mark.parametrize("situation", RECORDED)
async def test_what_a_real_systemd_said(units: SystemdUnits, systemd: Systemd1, situation: str) -> None:
    recorded = RECORDED[situation]
    systemd.load(recorded["row"], recorded["properties"])
    statuses = await units.statuses()
    assert statuses == {recorded["row"][0]: EXPECTED[situation]}


@pytest.mark.parametrize("situation", RECORDED)
def test_object_path(situation: str) -> None:
    row = RECORDED[situation]["row"]
    assert unit_path(row[0]) == row[6]


def test_object_path_of_odd_names() -> None:
    assert unit_path("9p.ä-b.service") == "/org/freedesktop/systemd1/unit/_39p_2e_c3_a4_2db_2eservice"


async def test_failed_start_dates_the_stop(units: SystemdUnits, systemd: Systemd1) -> None:
    """From activating to deactivating: it was active long ago, and not since."""
    systemd.set(
        WEB_DAEMONS,
        "deactivating",
        "stop-sigterm",
        ActiveEnterTimestamp=1_000_000,
        ActiveExitTimestamp=2_000_000,
        InactiveExitTimestamp=5_000_000,
        StateChangeTimestamp=6_000_000,
    )
    assert (await units.statuses())[WEB_DAEMONS].since == at(6_000_000)


async def test_only_units_of_microvms(units: SystemdUnits, systemd: Systemd1) -> None:
    names = ["install-microvm-web.service", "microvm-tap-interfaces@web.service", WEB_DAEMONS, WEB]
    for name in [*names, "sshd.service", "microvms.target", "microvm-thing@web.service"]:
        systemd.set(name)
    statuses = await units.statuses()
    assert sorted(statuses) == names
    assert {status.microvm for status in statuses.values()} == {"web"}
    assert statuses[names[0]].kind is UnitKind.INSTALL


async def test_unchanged_units_are_listed_and_not_asked(units: SystemdUnits, systemd: Systemd1) -> None:
    for number in range(200):
        systemd.set(f"microvm@m{number}.service", "active", "running")
    first = await units.statuses()
    asked = systemd.calls["Get"]
    assert asked >= 200
    assert await units.statuses() == first
    assert systemd.calls["Get"] == asked
    assert systemd.calls["ListUnitsByPatterns"] == 2


async def test_signal_has_that_unit_asked_again(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, "active", "running", NRestarts=1)
    systemd.set("microvm@db.service", "active", "running")
    await units.statuses()
    systemd.calls.clear()
    systemd.set(WEB, NRestarts=2)
    assert (await units.statuses())[WEB].n_restarts == 2
    assert systemd.calls["Get"] == 3


async def test_state_in_the_list_has_that_unit_asked_again(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, "active", "running")
    await units.statuses()
    systemd.set_quietly(WEB, "failed", "failed", Result="oom-kill", ExecMainCode=2, ExecMainStatus=9)
    failed = (await units.statuses())[WEB]
    assert (failed.active_state, failed.result, failed.exec_status) == ("failed", "oom-kill", 9)


async def test_change_while_it_is_asked(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, "active", "running", NRestarts=1)
    systemd.slow.add("MainPID")
    looking = asyncio.create_task(units.statuses())
    await systemd.asked("Get", 9)
    systemd.set(WEB, NRestarts=2)
    systemd.catch_up()
    await looking
    assert (await units.statuses())[WEB].n_restarts == 2


async def test_lost_signal_is_made_good(bus: PrivateBus, systemd: Systemd1, nothing_left: None) -> None:
    systemd.set(WEB, "active", "running", NRestarts=1)
    for resync, restarts in ((3600.0, 1), (0.0, 2)):
        units = SystemdUnits(bus.address, resync=resync)
        systemd.set_quietly(WEB, NRestarts=1)
        await units.statuses()
        systemd.set_quietly(WEB, NRestarts=2)
        assert (await units.statuses())[WEB].n_restarts == restarts
        await units.close()


async def test_reload_has_all_asked_again(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, "active", "running")
    systemd.set("microvms.target")
    assert (await units.statuses())[WEB].wanted is False
    systemd.set("microvms.target", Wants=[WEB])
    systemd.reload()
    assert (await units.statuses())[WEB].wanted is True


async def test_autostart(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB)
    systemd.set("microvm@db.service")
    systemd.set("microvm@git.service")
    systemd.set(WEB_DAEMONS)
    systemd.set("multi-user.target", Wants=[WEB])
    statuses = await units.statuses()
    assert {status.name: status.wanted for status in statuses.values()} == {
        WEB: True,
        "microvm@db.service": None,
        "microvm@git.service": None,
        WEB_DAEMONS: None,
    }
    systemd.set("microvms.target", Requires=["microvm@db.service"])
    systemd.reload()
    statuses = await units.statuses()
    assert [statuses[f"microvm@{name}.service"].wanted for name in ("web", "db", "git")] == [True, True, False]


async def test_job_that_begins_to_run(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, State="waiting")
    systemd.begin(WEB, "start")
    assert (await units.statuses())[WEB].job == Job(1, "start", "waiting")
    systemd.set_job_state(WEB, "running")
    assert (await units.statuses())[WEB].job == Job(1, "start", "running")


async def test_unit_that_is_unloaded(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB)
    assert WEB in await units.statuses()
    systemd.remove(WEB)
    assert await units.statuses() == {}


async def test_what_is_not_told_is_not_known(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, "failed", "failed", Result="oom-kill", ConditionResult=False, ConditionTimestamp=1)
    systemd.refusals["Get"] = ("org.freedesktop.DBus.Error.AccessDenied", "no")
    assert await units.statuses() == {WEB: status(WEB, "failed", "failed")}


async def test_endless_stop(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB, "deactivating", "stop", TimeoutStopUSec=2**64 - 1)
    assert (await units.statuses())[WEB].timeout_stop is None


def test_systemd_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bus: PrivateBus) -> None:
    monkeypatch.delenv("DBUS_SYSTEM_BUS_ADDRESS", raising=False)
    assert not systemd_runs(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert not systemd_runs(tmp_path)
    (tmp_path / "run/dbus").mkdir()
    (tmp_path / "run/dbus/system_bus_socket").write_text("")
    assert not systemd_runs(tmp_path)
    (tmp_path / "run/dbus/system_bus_socket").unlink()
    (tmp_path / "run/dbus/system_bus_socket").symlink_to(bus.socket)
    assert systemd_runs(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/absent")
    assert not systemd_runs(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"{bus.address},guid=1")
    assert systemd_runs(tmp_path)
    (tmp_path / "run/systemd/system").rmdir()
    assert not systemd_runs(tmp_path)
