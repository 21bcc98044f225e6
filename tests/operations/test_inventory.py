"""One look: a real state directory with real runner packages, units and processes as they would be seen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.microvm import ShareHealth, Snapshot
from mvtui.model.state import StateWord
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.monitor import snapshots
from tests.fakes import FakeProcesses, FakeUnits, fake_host, process, unit

WEB = Definition(
    host_name="web",
    mem=512,
    vcpu=2,
    shares=(
        Share("ro-store", ShareProto.VIRTIOFS, source="/nix/store", mount_point="/nix/.ro-store"),
        Share("docs", ShareProto.NINE_P, source="docs", mount_point="/docs"),
    ),
    volumes=(Volume("nix-store-overlay.img", mount_point="/nix/.rw-store", size=64),),
    writable_store_overlay="/nix/.rw-store",
)
QEMU = (
    "microvm@web -name web -nodefaults -m 512M -smp 2 -qmp unix:web.sock,server,nowait "
    "-drive id=vda,format=raw,file=nix-store-overlay.img,if=none,aio=io_uring,read-only=off "
    "-device virtio-blk-pci,drive=vda "
    "-chardev socket,id=fs0,path=web-virtiofs-ro-store.sock -device vhost-user-fs-pci,chardev=fs0,tag=ro-store "
    "-fsdev local,id=fs1,path=docs,security_model=none,readonly=off -device virtio-9p-pci,fsdev=fs1,mount_tag=docs"
).split()
VIRTIOFSD = "/bin/virtiofsd --socket-path=web-virtiofs-ro-store.sock --shared-dir=/nix/store --cache=auto".split()


@pytest.fixture
def web(tmp_path: Path) -> Host:
    """A host with the microVM `web`: its directory and its runner are real, nothing runs."""
    runner = build_runner(WEB, tmp_path / "store" / "1-microvm-qemu-web", Tools(hypervisor="/bin/qemu-system-x86_64"))
    directory = tmp_path / "microvms" / "web"
    (directory / "docs").mkdir(parents=True)
    (directory / "current").symlink_to(runner)
    return fake_host(tmp_path / "microvms", FakeUnits(), FakeProcesses())


def run_web(host: Host, *, daemons: int = 2) -> None:
    units, processes = host.units, host.processes
    assert isinstance(units, FakeUnits)
    assert isinstance(processes, FakeProcesses)
    for name in ("microvm@web.service", "microvm-virtiofsd@web.service"):
        units.units[name] = unit(name)
    hypervisor = replace(process(100, "web", *QEMU), exe="/bin/qemu-system-x86_64")
    daemon = process(90, "web", *VIRTIOFSD)
    known = [hypervisor, daemon, replace(daemon, pid=91, ppid=90)][: 1 + daemons]
    processes.living = {each.pid: each for each in known}
    link = host.state_dir / "web" / "booted"
    if not link.is_symlink():
        link.symlink_to((host.state_dir / "web" / "current").readlink())


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
    assert isinstance(web.units, FakeUnits)
    web.units.error = MvtuiError("the bus is gone", "start dbus")
    after = await take_snapshot(web, kept)
    assert after.microvms == before.microvms
    assert after.units_stale_since is not None
    assert [(finding.what, finding.fix) for finding in after.findings] == [("the bus is gone", "start dbus")]


async def test_units_that_never_answered_claim_nothing(web: Host) -> None:
    assert isinstance(web.units, FakeUnits)
    web.units.error = MvtuiError("no bus")
    (microvm,) = (await look(web)).microvms
    assert microvm.state.word is StateWord.UNKNOWN


async def test_a_hypervisor_without_a_directory_is_an_orphan(web: Host) -> None:
    assert isinstance(web.processes, FakeProcesses)
    web.processes.living[7] = process(7, "ghost", "microvm@ghost", "-name", "ghost")
    ghost = (await look(web)).find("ghost")
    assert ghost is not None
    assert ghost.state.word is StateWord.ORPHAN


async def test_loaded_but_inactive_units_without_a_directory_are_no_row(web: Host) -> None:
    assert isinstance(web.units, FakeUnits)
    web.units.units["microvm@gone.service"] = unit("microvm@gone.service", "inactive", "dead")
    assert (await look(web)).find("gone") is None
    web.units.units["microvm@gone.service"] = replace(web.units.units["microvm@gone.service"], wanted=True)
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
        assert isinstance(web.units, FakeUnits)
        web.units.changed.set()
        assert (await anext(stream)).microvms[0].state.word is StateWord.RUNNING
    await stream.aclose()  # type: ignore[attr-defined]


async def test_monitor_survives_a_manager_that_goes_away(web: Host) -> None:
    assert isinstance(web.units, FakeUnits)
    web.units.error = MvtuiError("no bus")
    stream = snapshots(web, interval=0.1)
    async with asyncio.timeout(20):
        assert (await anext(stream)).findings
        web.units.error = None
        while (await anext(stream)).findings:
            pass
    await stream.aclose()  # type: ignore[attr-defined]
