"""Who starts the microVM of a race: systemd, or somebody by hand."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from mvtui.host.ports import Host
from mvtui.model.unit import UnitKind, UnitVerb, unit_name

WITHIN = 20.0
# A copy of locking_hypervisor.py that every user may read.
HYPERVISOR = "/nix/store/locking_hypervisor.py"

T = TypeVar("T")


class ByUnit:
    """systemd starts it."""

    sudden = False

    def __init__(self, host: Host, name: str) -> None:
        self._host, self._name = host, name
        self._unit = unit_name(UnitKind.HYPERVISOR, name)

    async def wait(self) -> None:
        """Be ready."""

    async def start(self) -> str:
        """How the job of the start ended."""
        return (await self._host.units.run_job(UnitVerb.START, self._unit)).result

    async def status(self) -> tuple[int, int]:
        """The hypervisor's pid, 0 where there is none, and how often it was restarted."""
        unit = (await self._host.units.statuses()).get(self._unit)
        return (unit.main_pid or 0, unit.n_restarts or 0) if unit is not None else (0, 0)

    async def stop(self) -> None:
        """Until all of its units are inactive."""

        async def stopped() -> bool:
            units = [unit for unit in (await self._host.units.statuses()).values() if unit.microvm == self._name]
            return all(unit.active_state == "inactive" and unit.job is None for unit in units)

        await self._host.units.run_job(UnitVerb.STOP, self._unit)
        await until(stopped, "it does not stop")


class ByHand:
    """A hypervisor that was waiting opens the image, when nothing looks any more for one who has it open."""

    sudden = True

    def __init__(self, image: Path) -> None:
        self._image = image

    async def wait(self) -> None:
        """Until the process is there."""
        user = ["setpriv", "--reuid=microvm", "--regid=kvm", "--clear-groups", "--pdeathsig", "KILL"]
        size = ["--size", str(self._image.stat().st_size), "--wait"]
        argv = [*user, sys.executable, "-IS", HYPERVISOR, "-drive", f"file={self._image}", *size]
        self._process = await asyncio.create_subprocess_exec(
            *argv, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"ready\n"

    async def start(self) -> str:
        """Give the word."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        return "done"

    async def status(self) -> tuple[int, int]:
        """Its pid; nobody restarts it."""
        return (self._process.pid, 0) if self._process.returncode is None else (0, 1)

    async def stop(self) -> None:
        """Until it has ended."""
        self._process.terminate()
        await self._process.wait()


async def until(ask: Callable[[], Awaitable[T | None]], what: str) -> T:
    """The first answer that is one, asked for again and again: of an open file no event tells."""
    deadline = time.monotonic() + WITHIN
    while not (answer := await ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.005)
    return answer
