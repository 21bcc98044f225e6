"""Who is asked, and when; the sockets and the logs are real."""

import asyncio
import os
from datetime import UTC, datetime

import pytest

from mvtui.host.ports import Host
from mvtui.model.guest import GuestStage, GuestStatus
from mvtui.model.state import StateWord
from mvtui.model.unit import Job
from mvtui.operations.closer import look_closer
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.host.guest.peers import Peer
from tests.operations.guest_host import (
    EMERGENCY,
    UNIT,
    UP,
    has_news,
    is_due,
    look,
    panel,
    qemu,
    renew,
    say,
    web,
)
from tests.operations.sample import processes_of, units_of

__all__ = ["qemu", "web"]


async def test_a_look_waits_for_nobody_and_the_next_one_has_what_was_told(web: Host, qemu: Peer) -> None:
    kept, _ = panel(web)
    first = await look(web, kept)
    assert (first.guest, qemu.clients) == (None, 0)
    assert first.state.word is StateWord.RUNNING
    assert "guest" not in first.state.why
    say(web, UP)
    renew(kept)
    second = await look(web, kept)
    assert second.guest is not None
    assert second.guest.report is not None
    assert second.guest.report.status == "running"
    assert [(share.name, share.connected) for share in second.guest.report.shares or ()] == [
        ("ro-store", True),
        ("fs2", True),  # there is no third share
    ]
    assert second.state.why.endswith("The guest has booted.")


async def test_each_is_asked_now_and_then(web: Host, qemu: Peer) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    say(web, UP)
    assert is_due(kept)
    renew(kept)
    assert not is_due(kept)
    renew(kept)
    assert qemu.clients == 1
    clock.now += 14
    assert not is_due(kept)
    clock.now += 1
    assert is_due(kept)
    renew(kept)
    assert qemu.clients == 2


async def test_who_has_just_started_is_given_time(web: Host, qemu: Peer) -> None:
    living = processes_of(web).living
    living[os.getpid()] = living[os.getpid()]._replace(started=datetime.now(UTC))
    kept, clock = panel(web)
    await look(web, kept)
    renew(kept)
    assert qemu.clients == 0
    clock.now += 3
    renew(kept)
    assert qemu.clients == 1


async def test_a_console_is_read_often_while_it_boots(web: Host, qemu: Peer) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    renew(kept)
    clock.now += 1
    assert kept.guests is not None
    assert kept.guests.due
    say(web, EMERGENCY)
    renew(kept)
    assert qemu.clients == 1
    status = kept.guests.told("web")
    assert status is not None
    assert status.stage is GuestStage.EMERGENCY
    assert status.report is not None, "what it said before is kept"
    clock.now += 1
    assert not kept.guests.due


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"active_state": "deactivating", "sub_state": "stop-sigterm"}, id="stopping"),
        pytest.param({"job": Job(7, "stop", "waiting")}, id="a stop is queued"),
        pytest.param({"job": Job(7, "restart", "running")}, id="a restart"),
        pytest.param({"active_state": "activating"}, id="starting"),
    ],
)
async def test_who_stops_is_not_asked(web: Host, qemu: Peer, change: dict[str, object]) -> None:
    kept, _ = panel(web)
    await look(web, kept)
    units_of(web).units[UNIT] = units_of(web).units[UNIT]._replace(**change)  # type: ignore[arg-type]
    await look(web, kept)
    assert kept.guests is not None
    assert not kept.guests.due
    renew(kept)
    assert qemu.clients == 0


async def test_a_hypervisor_without_its_unit_is_not_asked(web: Host, qemu: Peer) -> None:
    del units_of(web).units[UNIT]
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    assert qemu.clients == 0


async def test_a_microvm_that_is_gone_is_forgotten(web: Host, qemu: Peer) -> None:
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    assert kept.guests is not None
    assert isinstance(kept.guests.told("web"), GuestStatus)
    kept.guests.forget_all_but({"db"})
    assert kept.guests.told("web") is None
    assert not kept.guests.due


async def test_an_unchanged_guest_gives_an_equal_snapshot(web: Host, qemu: Peer) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    say(web, UP)
    renew(kept)
    before = await look(web, kept)
    assert has_news(kept)
    clock.now += 60
    renew(kept)
    assert qemu.clients == 2
    assert not has_news(kept)
    assert await look(web, kept) == before


async def test_mvtui_list_asks_no_guest(web: Host, qemu: Peer) -> None:
    kept = Kept(web)
    listed = await look(web, kept)
    assert (listed.guest, kept.guests, qemu.clients) == (None, None, 0)


def test_a_closer_look_asks_the_guest_that_it_is_at(web: Host, qemu: Peer) -> None:
    say(web, UP)
    kept = Kept(web, inline=False)
    asyncio.run(take_snapshot(web, kept))
    assert look_closer(web, kept, ["another"]).microvms[0].guest is None
    assert qemu.clients == 0
    (shown,) = look_closer(web, kept, ["web"]).microvms
    assert shown.guest is not None
    assert (shown.guest.stage, qemu.clients) == (GuestStage.UP, 1)
    assert shown.guest.report is not None
