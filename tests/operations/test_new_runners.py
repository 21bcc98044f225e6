"""A panel's look reads new runners for so long and no longer; a command waits for all."""

import asyncio
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.microvm import Snapshot
from mvtui.model.state import StateWord
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.monitor import snapshots
from tests.fakes import FakeProcesses, FakeUnits, fake_host

COUNT = 5


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """So little time that each look reads one."""
    for name in ("FIRST_RUNNERS_SECONDS", "RUNNERS_SECONDS"):
        monkeypatch.setattr(f"mvtui.operations.kept.{name}", 0.0)
    tools = Tools(hypervisor="/bin/qemu-system-x86_64")
    for number in range(COUNT):
        name = f"vm{number}"
        runner = build_runner(
            Definition(host_name=name, mem=512), tmp_path / "store" / name, Tools(hypervisor="/bin/qemu-system-x86_64")
        )
        (tmp_path / "microvms" / name).mkdir(parents=True)
        (tmp_path / "microvms" / name / "current").symlink_to(runner)
    return fake_host(tmp_path / "microvms", FakeUnits(), FakeProcesses())


def read(snapshot: Snapshot) -> list[bool]:
    return [one.definition is not None and one.definition.mem == 512 for one in snapshot.microvms]


async def test_what_there_was_no_time_for_is_read_at_the_looks_that_follow_at_once(host: Host) -> None:
    stream = snapshots(host, interval=3600)
    async with asyncio.timeout(20):
        looks = [await anext(stream) for _ in range(COUNT)]
    await stream.aclose()  # type: ignore[attr-defined]

    assert [read(look) for look in looks] == [[n <= number for n in range(COUNT)] for number in range(COUNT)]
    assert {one.state.word for look in looks for one in look.microvms} == {StateWord.STOPPED}


async def test_a_command_waits_for_every_runner(host: Host) -> None:
    assert read(await take_snapshot(host)) == [True] * COUNT


async def test_what_has_been_read_takes_no_time(host: Host) -> None:
    kept = Kept(host, inline=False)
    for number in range(COUNT):
        assert kept.unread == (number > 0)
        await take_snapshot(host, kept)
    assert not kept.unread
    assert read(await take_snapshot(host, kept)) == [True] * COUNT
