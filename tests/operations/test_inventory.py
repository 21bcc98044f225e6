"""One look: a real state directory with real runner packages, units and processes as they would be seen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.host.systemd_errors import ReplyError, hung_up, silent, unreachable
from mvtui.model.microvm import ShareHealth, Snapshot
from mvtui.model.state import StateWord
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.monitor import snapshots
from tests.fakes import fake_host, process, unit
from tests.operations.sample import build_web, processes_of, run_web, units_of


@pytest.fixture
def web(tmp_path: Path) -> Host:
    return build_web(tmp_path)


async def look(host: Host) -> Snapshot:
    return await take_snapshot(host)


async def test_stopped(web: Host) -> None:
    (microvm,) = (await look(web)).microvms
    assert microvm.state.word is StateWord.STOPPED
    assert microvm.definition is not None
    assert [share.share.tag for share in microvm.shares] == ["ro-store", "docs"]
    assert {share.health for share in microvm.shares} == {ShareHealth.OFF}
    assert microvm.overlay is not None
    assert microvm.overlay.volume.image == "nix-store-overlay.img"
    assert microvm.booted is None


async def test_running(web: Host) -> None:
    run_web(web)
    (microvm,) = (await look(web)).microvms
    assert microvm.state.word is StateWord.RUNNING, microvm.state
    assert microvm.hypervisor is not None
    assert microvm.hypervisor.pid == 100
    assert [daemon.pid for daemon in microvm.shares[0].daemons] == [90, 91]
    assert microvm.booted is not None
    assert (microvm.booted.mem, microvm.booted.vcpu) == (512, 2)
    assert microvm.booted.shares[0].mount_point == "/nix/.ro-store", "from the runner behind booted"
    assert microvm.booted.shares[0].source == "/nix/store", "from its virtiofsd"
    assert microvm.booted.volumes[0].size == 64
    assert microvm.overlay is not None


async def test_a_dead_daemon_degrades_it_though_its_unit_is_active(web: Host) -> None:
    run_web(web, daemons=0)
    (microvm,) = (await look(web)).microvms
    assert microvm.state.word is StateWord.DEGRADED
    assert microvm.note == "fsd ro-store"


async def test_an_unchanged_host_gives_an_equal_snapshot(web: Host) -> None:
    run_web(web)
    kept = Kept(web)
    assert await take_snapshot(web, kept) == await take_snapshot(web, kept)


async def test_units_that_do_not_answer_leave_what_was_known_and_say_so(web: Host) -> None:
    run_web(web)
    kept = Kept(web)
    before = await take_snapshot(web, kept)
    units_of(web).error = MvtuiError("can't reach the bus: it is gone", "start dbus")
    after = await take_snapshot(web, kept)
    assert after.microvms == before.microvms
    assert after.units_stale_since is not None
    told = [(finding.what, finding.why, finding.fix) for finding in after.findings]
    assert told == [("can't reach the bus.", "It is gone.", "start dbus")]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (unreachable("unix:path=/bus", PermissionError()), "It refuses this user."),
        (unreachable("unix:path=/bus", TimeoutError()), "It does not answer."),
        (unreachable("unix:path=/bus", ConnectionRefusedError(111, "Connection refused")), "Connection refused."),
        (hung_up("unix:path=/bus"), "The system bus at unix:path=/bus hung up."),
        (silent("unix:path=/bus", 5), "Nothing came within 5 s on the bus at unix:path=/bus."),
        (ReplyError("org.freedesktop.DBus.Error.Failed", "No.").explained("ask systemd for its units"), "No."),
    ],
)
async def test_whatever_keeps_the_units_from_answering_is_the_why(web: Host, error: MvtuiError, why: str) -> None:
    units_of(web).error = error
    (finding,) = (await look(web)).findings
    assert finding.what.endswith(".")
    assert finding.why == why


async def test_units_that_never_answered_claim_nothing(web: Host) -> None:
    units_of(web).error = MvtuiError("no bus")
    (microvm,) = (await look(web)).microvms
    assert microvm.state.word is StateWord.UNKNOWN


async def test_a_hypervisor_without_a_directory_is_an_orphan(web: Host) -> None:
    processes_of(web).living[7] = process(7, "ghost", "microvm@ghost", "-name", "ghost")
    ghost = (await look(web)).find("ghost")
    assert ghost is not None
    assert ghost.state.word is StateWord.ORPHAN


async def test_loaded_but_inactive_units_without_a_directory_are_no_row(web: Host) -> None:
    units_of(web).units["microvm@gone.service"] = unit("microvm@gone.service", "inactive", "dead")
    assert (await look(web)).find("gone") is None
    units_of(web).units["microvm@gone.service"] = units_of(web).units["microvm@gone.service"]._replace(wanted=True)
    assert (await look(web)).find("gone") is not None


async def test_no_state_directory(tmp_path: Path) -> None:
    snapshot = await look(fake_host(tmp_path / "nothing"))
    assert snapshot.microvms == ()
    assert snapshot.findings


async def test_slow_facts_come_later_where_a_look_must_not_wait(web: Host) -> None:
    kept = Kept(web, inline=False)
    first = await take_snapshot(web, kept)
    assert first.microvms[0].volumes[0].image is None
    assert kept.missing
    await asyncio.to_thread(kept.renew)
    second = await take_snapshot(web, kept)
    assert second.microvms[0].volumes[0].image is not None
    assert not kept.missing


async def take(stream: AsyncIterator[Snapshot], count: int) -> list[Snapshot]:
    return [await anext(stream) for _ in range(count)]


async def test_monitor_looks_again_at_once_when_a_unit_changes(web: Host) -> None:
    stream = snapshots(web, interval=60)
    async with asyncio.timeout(20):
        before = await take(stream, 2)  # the second brings the slow facts
        assert before[-1].microvms[0].volumes[0].image is not None
        run_web(web)
        units_of(web).changed.set()
        assert (await anext(stream)).microvms[0].state.word is StateWord.RUNNING
    await stream.aclose()


async def test_monitor_reads_slow_facts_again_after_a_change_of_its_own(web: Host) -> None:
    wake = asyncio.Event()
    stream = snapshots(web, interval=60, wake=wake)
    async with asyncio.timeout(20):
        image = (await take(stream, 2))[-1].microvms[0].volumes[0].image
        assert image is not None
        assert image.size == 0
        await asyncio.to_thread(Path(image.path).write_bytes, bytes(4096))
        web.changes += 1
        wake.set()
        later = (await take(stream, 2))[-1].microvms[0].volumes[0].image
        assert later is not None
        assert later.size == 4096
    await stream.aclose()


async def test_monitor_survives_a_manager_that_goes_away(web: Host) -> None:
    units_of(web).error = MvtuiError("no bus")
    stream = snapshots(web, interval=0.1)
    async with asyncio.timeout(20):
        assert (await anext(stream)).findings
        units_of(web).error = None
        while (await anext(stream)).findings:
            pass
    await stream.aclose()
