"""What systemd runs before a start, what a start leaves to it, and a reload of its unit files."""

import asyncio

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.systemd import SystemdUnits
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

WEB = "microvm@web.service"
SOON = 10.0


async def test_the_commands_before_a_start(units: SystemdUnits, systemd: Systemd1) -> None:
    first = ["/bin/true", ["/bin/true", "%"], False, 0, 0, 0, 0, 0, 0, 0]
    second = ["/bin/mvtui", ["/bin/mvtui", "reset", "--if-armed", "--", "web"], True, 0, 0, 0, 0, 0, 0, 0]
    systemd.set(WEB, "active", "running", ExecStartPre=[first, second])
    assert await units.before_start("web") == (
        ("/bin/true", "%"),
        ("/bin/mvtui", "reset", "--if-armed", "--", "web"),
    )


async def test_a_unit_that_is_not_there_has_none(units: SystemdUnits, systemd: Systemd1) -> None:
    assert await units.before_start("none") == ()


async def test_reload(units: SystemdUnits, systemd: Systemd1) -> None:
    await units.reload()
    assert systemd.calls["Reload"] == 1


async def test_a_reload_takes_longer_than_other_answers_may(
    bus: PrivateBus, nothing_left: None, systemd: Systemd1
) -> None:
    units = SystemdUnits(bus.address, timeout=0.2)
    systemd.slow = {"Reload"}
    reload = asyncio.create_task(units.reload())
    await systemd.asked("Reload")
    done, _ = await asyncio.wait([reload], timeout=0.5)
    assert not done
    systemd.catch_up()
    await asyncio.wait_for(reload, SOON)
    await units.close()


async def test_a_refused_reload_names_what_is_missing(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.refusals["Reload"] = ("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "No.")
    with pytest.raises(RightsMissingError, match="not allowed to reload systemd") as refused:
        await units.reload()
    assert "root" in refused.value.hint


async def test_a_bus_that_hangs_is_said(bus: PrivateBus, nothing_left: None, systemd: Systemd1) -> None:
    units = SystemdUnits(bus.address, timeout=0.2)
    with bus.frozen():
        for asked in (units.reload(), units.before_start("web")):
            with pytest.raises(MvtuiError, match="not answer"):
                await asyncio.wait_for(asked, SOON)
        await units.close()


async def test_what_a_start_leaves_to_a_unit_of_its_own(units: SystemdUnits, systemd: Systemd1) -> None:
    await units.free_apart("web", ["/bin/mvtui", "reset", "--free", "--state-dir", "/a$b", "--", "web"])
    words = ["/bin/mvtui", "reset", "--free", "--state-dir", "/a$$b", "--", "web"]
    assert systemd.transient == [
        (
            "mvtui-free-web.service",
            "fail",
            {
                "Description": "Free old store overlays of web",
                "CollectMode": "inactive-or-failed",
                "ExecStart": [("/bin/mvtui", words, False)],
                "Nice": 10,
                "IOSchedulingClass": 3,
            },
        )
    ]


async def test_one_that_is_at_work_already_will_do(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.refusals["StartTransientUnit"] = ("org.freedesktop.systemd1.UnitExists", "It was loaded already.")
    await units.free_apart("web", ["/bin/mvtui"])
    assert systemd.calls["StartTransientUnit"] == 1


async def test_a_unit_that_is_not_started_is_said(units: SystemdUnits, systemd: Systemd1) -> None:
    systemd.refusals["StartTransientUnit"] = ("org.freedesktop.DBus.Error.InvalidArgs", "No.")
    with pytest.raises(MvtuiError, match="can't start a unit that frees old overlays of web: No"):
        await units.free_apart("web", ["/bin/mvtui"])
