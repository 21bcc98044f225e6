"""What the panel is told of a host on which things go wrong: each look is a whole one, and says what it lacks."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mvtui.host.ports import Host
from mvtui.host.processes import ProcFs
from mvtui.host.systemd import SystemdUnits
from mvtui.model.microvm import Snapshot
from mvtui.model.state import StateWord
from mvtui.operations.monitor import snapshots
from tests.host.state_dirs import fresh_state_dir, microvm
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

WEB = "microvm@web.service"
WITHIN_SECONDS = 30


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with fresh_state_dir() as made:
        microvm(made, "web", current="one")
        yield made


def state_of(snapshot: Snapshot) -> tuple[StateWord, bool]:
    """Of `web`, and whether the look lacks something."""
    web = snapshot.find("web")
    assert web is not None
    return web.state.word, bool(snapshot.findings)


async def test_a_bus_that_goes_away_and_comes_back(state_dir: Path, bus: PrivateBus, systemd: Systemd1) -> None:
    systemd.set(WEB, "active", "running")
    units = SystemdUnits(bus.address, timeout=0.2)
    host = Host("hv01", units, ProcFs(state_dir), state_dir)
    looks = snapshots(host, interval=0.05)
    async with asyncio.timeout(WITHIN_SECONDS):
        assert state_of(await anext(looks)) == (StateWord.RUNNING, False)
        bus.stop()
        while (seen := await anext(looks)).units_stale_since is None:
            pass
        assert state_of(seen) == (StateWord.RUNNING, True)
        assert str(bus.socket) in seen.findings[0].what
        bus.start()
        systemd.leave()
        systemd.join()
        systemd.set(WEB, "failed", "failed")
        while state_of(await anext(looks)) != (StateWord.FAILED, False):
            pass
        with bus.frozen():
            while state_of(await anext(looks)) != (StateWord.FAILED, True):
                pass
        while state_of(await anext(looks)) != (StateWord.FAILED, False):
            pass
    await units.close()


def put_away(state_dir: Path, make: Callable[[Path], object]) -> None:
    """Something else stands in its place."""
    state_dir.rename(state_dir.with_name("away"))
    make(state_dir)


def put_back(state_dir: Path) -> None:
    if state_dir.is_dir():
        state_dir.rmdir()
    else:
        state_dir.unlink()
    state_dir.with_name("away").rename(state_dir)


@pytest.mark.parametrize("what", [os.mkfifo, Path.mkdir, Path.touch, lambda path: path.symlink_to(path)])
async def test_a_state_directory_that_goes_away_and_comes_back(
    what: Callable[[Path], object], state_dir: Path, bus: PrivateBus, systemd: Systemd1
) -> None:
    systemd.set(WEB, "active", "running")
    units = SystemdUnits(bus.address)
    host = Host("hv01", units, ProcFs(state_dir), state_dir)
    looks = snapshots(host, interval=0.05)
    async with asyncio.timeout(WITHIN_SECONDS):
        assert state_of(await anext(looks)) == (StateWord.RUNNING, False)
        put_away(state_dir, what)
        assert state_of(await anext(looks)) == (StateWord.ORPHAN, what is not Path.mkdir)
        put_back(state_dir)
        assert state_of(await anext(looks)) == (StateWord.RUNNING, False)
    await units.close()
