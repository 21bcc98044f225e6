"""A panel's first look reads runners for so long and no longer; a command waits for all."""

import asyncio
import threading
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
    """Several microVMs, and no time."""
    monkeypatch.setattr("mvtui.operations.kept.FIRST_RUNNERS_SECONDS", 0.0)
    tools = Tools(hypervisor="/bin/qemu-system-x86_64")
    for number in range(COUNT):
        name = f"vm{number}"
        runner = build_runner(Definition(host_name=name, mem=512), tmp_path / "store" / name, tools)
        (tmp_path / "microvms" / name).mkdir(parents=True)
        (tmp_path / "microvms" / name / "current").symlink_to(runner)
    return fake_host(tmp_path / "microvms", FakeUnits(), FakeProcesses())


def read(snapshot: Snapshot) -> list[bool]:
    return [one.definition is not None and one.definition.mem == 512 for one in snapshot.microvms]


async def test_the_second_look_follows_at_once_with_what_the_first_had_no_time_for(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(Kept, "renew", lambda _: hangs.wait())
    stream = snapshots(host, interval=3600)
    async with asyncio.timeout(20):
        (
            first,
            second,
        ) = [await anext(stream) for _ in range(2)]
    hangs.set()
    await stream.aclose()

    assert (read(first), read(second)) == ([True, *[False] * (COUNT - 1)], [True] * COUNT)
    assert {one.state.word for look in (first, second) for one in look.microvms} == {StateWord.STOPPED}


async def test_a_command_waits_for_every_runner(host: Host) -> None:
    assert read(await take_snapshot(host)) == [True] * COUNT
