"""A bus, a small systemd on it, and the adapter that is tested against both; a host without systemd; processes, and who
looks at them."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mvtui.host.processes import ProcFs
from mvtui.host.systemd import SystemdUnits
from tests.host.direct_host import DirectHost, direct_host
from tests.host.living import Spawn, spawning
from tests.private_bus import PrivateBus, private_bus
from tests.systemd1 import Systemd1


@pytest.fixture
def host() -> Iterator[DirectHost]:
    with direct_host() as made:
        yield made


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    for name in ("web", "db"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def procfs(state_dir: Path) -> Iterator[ProcFs]:
    made = ProcFs(state_dir)
    yield made
    made.close()


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    with spawning() as start:
        yield start


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PrivateBus]:
    with private_bus(tmp_path) as bus:
        yield bus


@pytest.fixture
def systemd(bus: PrivateBus) -> Iterator[Systemd1]:
    with Systemd1(bus.address) as systemd:
        yield systemd


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """Fails the test that leaves a task, an exception that nobody looked at, or a complaint of dbus-fast's."""
    complaints: list[str] = []

    def complain(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        complaints.append(str(context))

    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("dbus_fast").addHandler(handler)
    asyncio.get_running_loop().set_exception_handler(complain)
    before = asyncio.all_tasks()
    yield
    tasks = asyncio.all_tasks() - before - {asyncio.current_task()}
    gc.collect()
    await asyncio.sleep(0)
    logging.getLogger("dbus_fast").removeHandler(handler)
    assert not tasks
    assert not complaints


@pytest.fixture
async def units(bus: PrivateBus, nothing_left: None) -> AsyncIterator[SystemdUnits]:
    units = SystemdUnits(bus.address)
    yield units
    await units.close()
