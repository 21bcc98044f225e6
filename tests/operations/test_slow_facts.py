"""What the slow lane brings: what stands at the sources, and who holds the images."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mvtui.host.ports import Host
from mvtui.model.facts import Holder, SourceKind
from mvtui.model.microvm import MicroVM
from mvtui.operations.closer import look_closer
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.operations.sample import build_web, processes_of, run_web

IMAGE = "nix-store-overlay.img"


@pytest.fixture
def web(tmp_path: Path) -> Host:
    host = build_web(tmp_path)
    (host.state_dir / "web" / IMAGE).touch()
    run_web(host)
    return host


@pytest.fixture
def cat(web: Host) -> Iterator[int]:
    """The pid of a process that has web's image open."""
    with (
        (web.state_dir / "web" / IMAGE).open("rb") as file,
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(file.fileno(),)) as process,
    ):
        yield process.pid


async def look(host: Host, kept: Kept) -> MicroVM:
    (microvm,) = (await take_snapshot(host, kept)).microvms
    return microvm


def let_it_be(host: Host, pid: int, microvm: str = "web") -> None:
    """The hypervisor of `microvm` is the process `pid`."""
    living = processes_of(host).living
    living[pid] = living.pop(100)._replace(pid=pid, microvm=microvm)


async def test_a_source_is_known_after_the_slow_lane_was_there(web: Host) -> None:
    kept = Kept(web, inline=False)
    before = (await look(web, kept)).shares[1]
    assert (before.source, before.source_exists) == (None, None)
    assert kept.missing
    kept.renew()
    after = (await look(web, kept)).shares[1]
    assert after.source is not None
    assert (after.source.path, after.source.kind) == (f"{web.state_dir}/web/docs", SourceKind.DIRECTORY)
    assert after.source.fs_size
    assert after.source_exists is True
    assert not kept.missing


async def test_a_source_that_was_made_since_is_seen(web: Host) -> None:
    docs = web.state_dir / "web" / "docs"
    kept = Kept(web, inline=False)
    kinds = []
    changes: list[Callable[[], None]] = [docs.rmdir, docs.touch, docs.unlink, docs.mkdir]
    for change in changes:
        change()
        await look(web, kept)
        kept.renew()
        source = (await look(web, kept)).shares[1].source
        kinds.append(source.kind if source is not None else None)
    assert kinds == [SourceKind.NOTHING, SourceKind.FILE, SourceKind.NOTHING, SourceKind.DIRECTORY]


async def test_the_hypervisor_is_named_with_its_microvm(web: Host, cat: int) -> None:
    let_it_be(web, cat)
    kept = Kept(web, inline=False)
    assert (await look(web, kept)).volumes[0].holders is None
    kept.renew()
    volume = (await look(web, kept)).volumes[0]
    assert volume.holders == (Holder(cat, "cat", "web", "open"),)
    assert volume.foreign_holders("web") == ()


@pytest.mark.parametrize("microvm", [None, "db"])
async def test_somebody_else_holds_the_image(web: Host, cat: int, microvm: str | None) -> None:
    if microvm is not None:
        living = processes_of(web).living
        living[cat] = living[90]._replace(pid=cat, microvm=microvm)
    kept = Kept(web, inline=False)
    await take_snapshot(web, kept)
    kept.renew()
    web_now = (await take_snapshot(web, kept)).find("web")
    assert web_now is not None
    assert web_now.volumes[0].foreign_holders("web") == (Holder(cat, "cat", microvm, "open"),)


async def test_who_has_ended_since_holds_nothing(web: Host, cat: int) -> None:
    let_it_be(web, cat)
    kept = Kept(web, inline=False)
    await look(web, kept)
    kept.renew()
    assert (await look(web, kept)).volumes[0].holders
    del processes_of(web).living[cat]
    assert not (await look(web, kept)).volumes[0].holders


async def test_a_hypervisor_that_started_since_was_not_looked_at(web: Host) -> None:
    living = processes_of(web).living
    hypervisor = living.pop(100)
    kept = Kept(web, inline=False)
    await look(web, kept)
    kept.renew()
    before = (await look(web, kept)).volumes[0]
    assert before.holders == (() if before.holders_complete else None)
    living[100] = hypervisor
    after = (await look(web, kept)).volumes[0]
    assert (after.holders, after.holders_complete) == (None, False)


async def test_a_closer_look_is_at_one_microvm_alone(web: Host, cat: int) -> None:
    let_it_be(web, cat)
    other = web.state_dir / "another"
    other.mkdir()
    (other / "current").symlink_to((web.state_dir / "web" / "current").readlink())
    kept = Kept(web, inline=False)
    await take_snapshot(web, kept)
    snapshot = await asyncio.to_thread(look_closer, web, kept, ["web"])
    closer, far = snapshot.find("web"), snapshot.find("another")
    assert closer is not None
    assert far is not None
    assert closer.volumes[0].holders == (Holder(cat, "cat", "web", "open"),)
    assert closer.shares[1].source is not None
    assert closer.shares[1].source.fs_size
    assert far.volumes[0].holders is None
    assert far.closer is None
    assert (await asyncio.to_thread(look_closer, web, kept, ["nobody"])).find("nobody") is None
