"""Jobs: asked for, waited for, told in words; refused, cancelled, lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from dbus_fast import Message
from dbus_fast.aio import MessageBus

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import systemd_jobs
from mvtui.host.systemd import SystemdUnits
from mvtui.host.systemd_bus import MANAGER, MANAGER_PATH
from mvtui.model.unit import JobResult, UnitVerb
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

WEB = "microvm@web.service"
DAEMONS = "microvm-virtiofsd@web.service"
SOON = 10.0


@pytest.fixture
async def waiting(units: SystemdUnits, systemd: Systemd1) -> AsyncIterator["asyncio.Task[JobResult]"]:
    """A start of web that systemd has begun and not ended."""
    systemd.set(WEB)
    systemd.set(DAEMONS)
    systemd.outcomes[WEB] = "wait"
    job = asyncio.create_task(units.run_job(UnitVerb.START, WEB))
    await systemd.asked("StartUnit")
    await units.statuses()
    yield job
    job.cancel()


@pytest.mark.parametrize(
    ("verb", "method", "words"),
    [
        (UnitVerb.START, "StartUnit", "started"),
        (UnitVerb.STOP, "StopUnit", "stopped"),
        (UnitVerb.RESTART, "RestartUnit", "restarted"),
    ],
)
async def test_job_that_is_done_at_once(
    units: SystemdUnits, systemd: Systemd1, verb: UnitVerb, method: str, words: str
) -> None:
    systemd.set(WEB)
    assert await units.run_job(verb, WEB) == JobResult(WEB, "done", f"{WEB}: {words}")
    assert systemd.calls[method] == 1


async def test_job_that_takes_its_time(systemd: Systemd1, waiting: "asyncio.Task[JobResult]") -> None:
    assert not waiting.done()
    systemd.finish(WEB)
    assert (await asyncio.wait_for(waiting, SOON)).ok


async def test_end_of_another_job_is_not_its_end(systemd: Systemd1, waiting: "asyncio.Task[JobResult]") -> None:
    systemd.begin(DAEMONS, "start")
    systemd.finish(DAEMONS)
    systemd.set("microvm@db.service")
    systemd.begin("microvm@db.service", "stop")
    systemd.finish("microvm@db.service", "failed")
    systemd.finish(WEB)
    assert await asyncio.wait_for(waiting, SOON) == JobResult(WEB, "done", f"{WEB}: started")


async def test_unit_is_held_until_the_words_are_found(
    units: SystemdUnits, systemd: Systemd1, waiting: "asyncio.Task[JobResult]"
) -> None:
    assert systemd.held[WEB] == 1
    systemd.finish(WEB)
    await waiting
    await units.statuses()
    assert systemd.held[WEB] == 0


async def test_many_jobs_at_once(units: SystemdUnits, systemd: Systemd1) -> None:
    """More than a bus lets one connection wait for."""
    names = [f"microvm@m{number}.service" for number in range(300)]
    for name in names:
        systemd.set(name)
    results = await asyncio.gather(*(units.run_job(UnitVerb.START, name) for name in names))
    assert [result.words for result in results] == [f"{name}: started" for name in names]


async def test_dependency_is_named(systemd: Systemd1, waiting: "asyncio.Task[JobResult]") -> None:
    systemd.set("microvm@db.service")
    systemd.begin("microvm@db.service", "start")
    systemd.finish("microvm@db.service", "failed")
    systemd.begin(DAEMONS, "start")
    systemd.set(DAEMONS, Result="exit-code", ExecMainCode=1, ExecMainStatus=1)
    systemd.finish(DAEMONS, "failed")
    systemd.finish(WEB, "dependency")
    result = await asyncio.wait_for(waiting, SOON)
    assert result == JobResult(WEB, "dependency", f"{WEB}: dependency {DAEMONS} failed: exit 1")


async def test_condition_that_does_not_hold(units: SystemdUnits, systemd: Systemd1) -> None:
    current = "/var/lib/microvms/web/current/bin/microvm-run"
    condition = ("ConditionPathExists", False, False, current, -1)
    systemd.set(WEB, ConditionResult=False, ConditionTimestamp=1, Conditions=[condition])
    result = await units.run_job(UnitVerb.START, WEB)
    assert not result.ok
    assert result.words == f"{WEB} was skipped: its condition failed ({current} does not exist)"


class TestKill:
    async def test_stays_down(self, units: SystemdUnits, systemd: Systemd1) -> None:
        """The stop job comes first, or systemd would start it again."""
        systemd.set(WEB, "active", "running")
        systemd.outcomes[WEB] = "wait"
        assert await units.run_job(UnitVerb.KILL, WEB) == JobResult(WEB, "done", f"{WEB}: killed")
        assert systemd.killed == [(WEB, "all", 9)]
        assert [method for method in systemd.calls if method in ("StopUnit", "KillUnit")] == ["StopUnit", "KillUnit"]

    async def test_what_starts_meanwhile_is_killed_too(
        self, units: SystemdUnits, systemd: Systemd1, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(systemd_jobs, "_KILL_AGAIN", 0.01)
        systemd.set(WEB, "active", "running")
        systemd.outcomes[WEB] = "wait"
        systemd.unkillable.add(WEB)
        job = asyncio.create_task(units.run_job(UnitVerb.KILL, WEB))
        await systemd.asked("KillUnit", 3)
        systemd.unkillable.clear()
        assert (await asyncio.wait_for(job, SOON)).ok

    async def test_of_what_does_not_run(self, units: SystemdUnits, systemd: Systemd1) -> None:
        systemd.set(WEB)
        assert (await units.run_job(UnitVerb.KILL, WEB)).words == f"{WEB}: was not running"
        assert not systemd.killed

    async def test_nothing_left_to_kill(self, units: SystemdUnits, systemd: Systemd1) -> None:
        systemd.set(WEB, "active", "running")
        systemd.refusals["KillUnit"] = ("org.freedesktop.systemd1.NoSuchProcess", "No such process")
        systemd.outcomes[WEB] = "wait"
        job = asyncio.create_task(units.run_job(UnitVerb.KILL, WEB))
        await systemd.asked("KillUnit")
        systemd.finish(WEB)
        assert (await asyncio.wait_for(job, SOON)).ok


class TestRefused:
    @pytest.mark.parametrize(
        "name",
        [
            "org.freedesktop.DBus.Error.AccessDenied",
            "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
            "org.freedesktop.PolicyKit1.Error.Failed",
        ],
    )
    @pytest.mark.parametrize("method", ["StopUnit", "KillUnit"])
    async def test_without_rights(self, units: SystemdUnits, systemd: Systemd1, name: str, method: str) -> None:
        systemd.set(WEB, "active", "running")
        systemd.outcomes[WEB] = "wait"
        systemd.refusals[method] = (name, "Interactive authentication required.")
        with pytest.raises(RightsMissingError) as caught:
            await units.run_job(UnitVerb.KILL, WEB)
        assert caught.value.exit_code is ExitCode.NO_RIGHTS
        assert caught.value.message == f"not allowed to kill {WEB}: Interactive authentication required."
        assert "sudo" in caught.value.hint
        assert "org.freedesktop.systemd1.manage-units" in caught.value.hint

    async def test_rights_for_start_alone(self, units: SystemdUnits, systemd: Systemd1) -> None:
        """A polkit rule may name the verbs that it allows."""
        systemd.set(WEB)
        systemd.refusals["RefUnit"] = ("org.freedesktop.DBus.Error.AccessDenied", "no")
        assert (await units.run_job(UnitVerb.START, WEB)).ok

    async def test_no_such_unit(self, units: SystemdUnits, systemd: Systemd1) -> None:
        with pytest.raises(MvtuiError, match=f"can't start {WEB}: Unit {WEB} not found") as caught:
            await units.run_job(UnitVerb.START, WEB)
        assert "microvm.nix" in caught.value.hint

    @pytest.mark.parametrize("name", ["db[prod]", "two words", "née", "a/b", "", "x" * 250, "\udcff", "a\nb"])
    async def test_name_that_no_unit_can_have(self, units: SystemdUnits, systemd: Systemd1, name: str) -> None:
        unit = f"microvm@{name}.service" if name else ""
        with pytest.raises(MvtuiError, match="no valid name") as caught:
            await units.run_job(UnitVerb.START, unit)
        assert "letters, digits" in caught.value.hint
        assert not systemd.calls["StartUnit"]

    async def test_for_another_reason(self, units: SystemdUnits, systemd: Systemd1) -> None:
        systemd.refusals["StartUnit"] = ("org.freedesktop.systemd1.ShuttingDown", "Transaction is destructive.")
        with pytest.raises(MvtuiError, match="Transaction is destructive") as caught:
            await units.run_job(UnitVerb.START, WEB)
        assert caught.value.exit_code is ExitCode.FAILED

    async def test_without_a_bus(self, units: SystemdUnits, bus: PrivateBus) -> None:
        bus.stop()
        with pytest.raises(MvtuiError, match="can't reach the system bus"):
            await units.run_job(UnitVerb.START, WEB)


class TestInterrupted:
    async def test_cancelled(self, units: SystemdUnits, systemd: Systemd1, waiting: "asyncio.Task[JobResult]") -> None:
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        status = (await units.statuses())[WEB]
        assert status.job is not None
        assert status.job.kind == "start"
        assert systemd.held[WEB] == 0

    async def test_bus_goes(self, systemd: Systemd1, waiting: "asyncio.Task[JobResult]", bus: PrivateBus) -> None:
        bus.stop()
        with pytest.raises(MvtuiError) as caught:
            await asyncio.wait_for(waiting, SOON)
        assert caught.value.message.startswith(f"how the job of {WEB} ends is not known: can't reach the system bus")
        assert caught.value.hint.startswith("systemd goes on with it")

    async def test_systemd_leaves_and_returns(
        self, units: SystemdUnits, systemd: Systemd1, waiting: "asyncio.Task[JobResult]"
    ) -> None:
        """As for a `systemctl daemon-reexec`."""
        systemd.leave()
        with pytest.raises(MvtuiError, match="not on the bus"):
            await units.statuses()
        systemd.calls.clear()
        systemd.join()
        await systemd.asked("Subscribe")
        systemd.finish(WEB)
        assert (await asyncio.wait_for(waiting, SOON)).ok

    @pytest.mark.parametrize(("end", "ok"), [("done", True), ("failed", False)])
    async def test_end_that_nobody_tells(
        self,
        systemd: Systemd1,
        waiting: "asyncio.Task[JobResult]",
        end: str,
        ok: bool,
    ) -> None:
        systemd.leave()
        systemd.finish(WEB, end, told=False)
        systemd.join()
        assert (await asyncio.wait_for(waiting, SOON)).ok is ok

    async def test_systemd_is_slow_meanwhile(
        self, bus: PrivateBus, systemd: Systemd1, nothing_left: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(systemd_jobs, "_LOOK_AGAIN", 0.01)
        units = SystemdUnits(bus.address, timeout=0.05)
        systemd.set(WEB)
        systemd.outcomes[WEB] = "wait"
        job = asyncio.create_task(units.run_job(UnitVerb.START, WEB))
        await systemd.asked("GetJob", 3)
        systemd.slow.add("GetJob")
        assert not (await asyncio.wait([job], timeout=0.3))[0]
        systemd.catch_up()
        systemd.finish(WEB)
        assert (await asyncio.wait_for(job, SOON)).ok
        await units.close()

    async def test_end_told_by_somebody_else(
        self, units: SystemdUnits, systemd: Systemd1, waiting: "asyncio.Task[JobResult]", bus: PrivateBus
    ) -> None:
        forger = await MessageBus(bus.address).connect()
        job = f"{MANAGER_PATH}/job/1"
        signal = Message.new_signal(MANAGER_PATH, MANAGER, "JobRemoved", "uoss", [1, job, WEB, "failed"])
        for number in range(10):
            signal.destination = f":1.{number}"
            await forger.send(signal)
        forger.disconnect()
        await forger.wait_for_disconnect()  # type: ignore[no-untyped-call]
        await units.statuses()
        systemd.finish(WEB)
        assert (await asyncio.wait_for(waiting, SOON)).ok
