"""Resets of a stopped microVM's overlay, and at a random moment of each systemd starts the microVM. Runs inside the
nested system, as root:

    python -m tests.real.race NAME IMAGE ROUNDS SEED LOOKERS

Prints one line of JSON (`Round`) for each round. A round ends with the microVM stopped. So many LOOKERS open the image
again and again meanwhile, to read its superblock as a panel does.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from mvtui.host.ports import Host
from mvtui.model.unit import UnitKind, UnitVerb, unit_name
from mvtui.operations.hosts import open_host
from mvtui.operations.overlay import ResetOutcome, run_reset

# How long before a reset the earliest start is asked for: until a hypervisor has opened its image.
EARLIEST = 0.12
# Every other start comes near the moment that decides: earlier than one that came too late, later than one that came
# too early, give or take so many seconds.
NEAR = 0.008
WITHIN = 20.0
BLOCK = 1024

T = TypeVar("T")


class Round(NamedTuple):
    """What was seen when both, the reset and the start, had come to their end and the hypervisor had its image.

    `offset` is how long after the reset the start was asked for, in seconds, `seconds` how long the reset took.
    `before` and `after` are the inodes at the image's name, `held` those that the hypervisor had open. `restarts`
    counts the failed starts. Then, once it was stopped: `fsck` is e2fsck's exit code, `writers` are the lines in the
    first block of the image, `kept` by the inode those of each image that was set aside, `entries` what else lies
    beside these.
    """

    offset: float
    seconds: float
    result: str
    words: str
    before: int
    after: int
    held: list[int]
    fsck: int
    pid: int
    writers: list[str]
    kept: dict[int, list[str]]
    entries: list[str]
    start: str
    restarts: int


class Race:
    """One microVM and the images of it."""

    def __init__(self, host: Host, name: str, image: str) -> None:
        self.host, self.name = host, name
        self.unit = unit_name(UnitKind.HYPERVISOR, name)
        self.image = host.state_dir / name / image
        self.aside = self.image.parent / ".mvtui/overlay" / image

    async def prepare(self) -> None:
        """Its first start makes its image."""
        await self.start()
        await self.hypervisor()
        await self.stop()

    async def run(self, rounds: int, choice: random.Random) -> None:
        """Do so many rounds."""
        usual = (await self.reset())[1]
        edge = usual / 2
        for number in range(rounds):
            anywhere = choice.uniform(-EARLIEST, 1.3 * usual)
            seen = await self.round(anywhere if number % 2 else choice.gauss(edge, NEAR))
            print(json.dumps(seen._asdict()), flush=True)
            edge = seen.offset + (NEAR if seen.result == "refused" else -NEAR)

    async def round(self, offset: float) -> Round:
        """One reset, and one start `offset` seconds after it began."""
        before = self.image.stat().st_ino
        (outcome, seconds), start = await asyncio.gather(
            later(max(0, -offset), self.reset), later(max(0, offset), self.start)
        )
        pid, held = await self.hypervisor()
        after = self.image.stat().st_ino
        restarts = (await self.host.units.statuses())[self.unit].n_restarts or 0
        await self.stop()
        kept = {path.stat().st_ino: writers(path) for path in self.aside.glob("*.img")} if self.aside.exists() else {}
        return Round(
            offset=offset,
            seconds=seconds,
            result="done" if outcome.ok else "refused" if outcome.refused else "failed",
            words=f"{outcome.words}; {outcome.hint}",
            before=before,
            after=after,
            held=held,
            fsck=fsck(self.image),
            pid=pid,
            writers=writers(self.image),
            kept=kept,
            entries=[path.name for path in self.aside.glob("*") if path.suffix != ".img"],
            start=start,
            restarts=restarts,
        )

    async def reset(self) -> tuple[ResetOutcome, float]:
        """What came of it, and how long it took."""
        began = time.monotonic()
        outcome = await run_reset(self.host, self.name)
        return outcome, time.monotonic() - began

    async def start(self) -> str:
        """How the job of the start ended."""
        return (await self.host.units.run_job(UnitVerb.START, self.unit)).result

    async def hypervisor(self) -> tuple[int, list[int]]:
        """The pid of the hypervisor once it has locked its image, and the inodes of the images that it has locked."""

        async def ready() -> tuple[int, list[int]] | None:
            unit = (await self.host.units.statuses()).get(self.unit)
            pid = unit.main_pid if unit is not None else None
            held = open_images(pid) if pid else []
            return (pid, held) if pid and held else None

        return await until(ready, "no hypervisor has the image open")

    async def stop(self) -> None:
        """Until all of its units are inactive."""

        async def stopped() -> bool:
            units = [unit for unit in (await self.host.units.statuses()).values() if unit.microvm == self.name]
            return all(unit.active_state == "inactive" and unit.job is None for unit in units)

        await self.host.units.run_job(UnitVerb.STOP, self.unit)
        await until(stopped, "it does not stop")


async def later(seconds: float, do: Callable[[], Awaitable[T]]) -> T:
    """Wait, then do it."""
    await asyncio.sleep(seconds)
    return await do()


async def until(ask: Callable[[], Awaitable[T | None]], what: str) -> T:
    """The first answer that is one, asked for again and again: of an open file no event tells."""
    deadline = time.monotonic() + WITHIN
    while not (answer := await ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.005)
    return answer


def open_images(pid: int) -> list[int]:
    """The inodes of the images that a process has open and has locked: what has been renamed is still one."""
    found = []
    with suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if os.readlink(entry.path).startswith("/var/lib/microvms/") and ".img" in os.readlink(entry.path):
                    locked = "lock:" in Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text()
                    found += [os.stat(entry.path).st_ino] if locked else []
    return sorted(set(found))


def fsck(image: Path) -> int:
    """The exit code of e2fsck: 0 where it found nothing."""
    return subprocess.run(["e2fsck", "-fn", image], capture_output=True, check=False).returncode


def writers(image: Path) -> list[str]:
    """Who has written into an image's first block."""
    with image.open("rb") as file:
        return file.read(BLOCK).rstrip(b"\0").decode().splitlines()


LOOKER = """
import os, sys, time
while True:
    file = os.open(sys.argv[1], os.O_RDONLY)
    os.pread(file, 4096, 0)
    os.close(file)
    time.sleep(0.001)
"""


@contextmanager
def looking(image: Path, count: int) -> Iterator[None]:
    """While so many processes look at the image."""
    with ExitStack() as stack:
        for _ in range(count):
            looker = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-ISc", LOOKER, str(image)]
            stack.callback(stack.enter_context(subprocess.Popen(looker)).kill)
        yield


async def main(name: str, image: str, rounds: str, seed: str, lookers: str) -> None:
    host = open_host()
    race = Race(host, name, image)
    await race.prepare()
    with looking(race.image, int(lookers)):
        await race.run(int(rounds), random.Random(int(seed)))
    await host.units.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
