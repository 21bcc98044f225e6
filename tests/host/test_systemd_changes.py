"""Signals of systemd, for those who watch."""

import asyncio

import pytest
from dbus_fast import Message
from dbus_fast.aio import MessageBus

from mvtui.host.systemd import SystemdUnits
from mvtui.host.systemd_bus import MANAGER, MANAGER_PATH
from tests.host.watching import SOON, watcher_of
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

WEB = "microvm@web.service"
SHORT = 0.2


async def test_burst_is_one_change(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set(WEB)
    changes = units.changes()
    pending = asyncio.ensure_future(anext(changes))
    await units.statuses()
    for number in range(50):
        systemd.set(WEB, NRestarts=number)
    await asyncio.wait_for(pending, SOON)
    assert (await units.statuses())[WEB].n_restarts == 49
    pending = asyncio.ensure_future(anext(changes))
    done, _ = await asyncio.wait([pending], timeout=SHORT)
    assert not done
    pending.cancel()


async def test_signals_one_after_the_other(units: SystemdUnits, systemd: Systemd1) -> None:
    seen = 0

    async def watch() -> None:
        nonlocal seen
        async for _ in units.changes():
            seen += 1

    watcher = asyncio.create_task(watch())
    await units.statuses()
    for number in range(5):
        systemd.set(WEB, NRestarts=number)
        await units.statuses()
    await asyncio.wait([watcher], timeout=SHORT)
    watcher.cancel()
    assert 0 < seen < 5


async def test_other_units_are_nobodys_business(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.set("sshd.service")
    watcher = await watcher_of(units)
    systemd.set("sshd.service", "failed", "failed")
    systemd.begin("sshd.service", "start")
    systemd.set_job_state("sshd.service", "waiting")
    systemd.finish("sshd.service")
    systemd.remove("sshd.service")
    await units.statuses()
    done, _ = await asyncio.wait([watcher], timeout=SHORT)
    assert not done
    systemd.set(WEB)
    await asyncio.wait_for(watcher, SOON)


@pytest.mark.parametrize("what", ["begin", "job state", "finish", "remove"])
async def test_what_is_a_change(units: SystemdUnits, systemd: Systemd1, what: str) -> None:
    systemd.set(WEB)
    if what != "begin":
        systemd.begin(WEB, "start")
    watcher = await watcher_of(units)
    act = {
        "begin": lambda: systemd.begin(WEB, "start"),
        "job state": lambda: systemd.set_job_state(WEB, "waiting"),
        "finish": lambda: systemd.finish(WEB),
        "remove": lambda: systemd.remove(WEB),
    }
    act[what]()
    await asyncio.wait_for(watcher, SOON)


async def test_several_watch(units: SystemdUnits, systemd: Systemd1) -> None:
    watchers = [await watcher_of(units) for _ in range(3)]
    watchers[0].cancel()
    systemd.set(WEB)
    await asyncio.wait_for(asyncio.gather(*watchers[1:]), SOON)


async def test_watching_alone_connects(units: SystemdUnits, systemd: Systemd1) -> None:
    pending = asyncio.ensure_future(anext(units.changes()))
    await systemd.asked("Subscribe")
    systemd.set(WEB)
    await asyncio.wait_for(pending, SOON)


async def test_signal_of_somebody_else(units: SystemdUnits, systemd: Systemd1, bus: PrivateBus) -> None:
    watcher = await watcher_of(units)
    forger = await MessageBus(bus.address).connect()
    signal = Message.new_signal(MANAGER_PATH, MANAGER, "UnitNew", "so", [WEB, "/org/freedesktop/systemd1/unit/x"])
    for number in range(10):
        signal.destination = f":1.{number}"
        await forger.send(signal)
    done, _ = await asyncio.wait([watcher], timeout=SHORT)
    assert not done
    watcher.cancel()
    forger.disconnect()
    await forger.wait_for_disconnect()  # type: ignore[no-untyped-call]
