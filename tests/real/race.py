"""Resets of a stopped microVM's overlay, and at a random moment of each the microVM is started. Runs inside the nested
system, as root:

    python -m tests.real.race NAME IMAGE ROUNDS SEED LOOKERS HOW

HOW is `unit`, where systemd starts it, or `hand`, where a hypervisor that has waited for the word opens the image while
the new one is given its name, which a busy disk makes slow, and only that can show it. Prints one line of JSON
(`Round`) for each round, which ends with the microVM stopped. So many LOOKERS open the image again and again meanwhile,
to read its superblock as a panel does.
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
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from mvtui.host.ports import Host
from mvtui.operations.hosts import open_host
from mvtui.operations.overlay import ResetOutcome, run_reset
from tests.real.starters import ByHand, ByUnit, until

# How long before a reset the earliest start is asked for: until a hypervisor has opened its image.
EARLIEST = 0.12
# Every other start comes near the moment that decides: earlier than one that came too late, later than one that came
# too early, give or take so many seconds.
NEAR = 0.008
# How long, at most, the last check and an image's new name take beside a writer.
AT_NAME = 0.02
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
        self.image = host.state_dir / name / image
        self.aside = self.image.parent / ".mvtui/overlay" / image

    async def prepare(self) -> None:
        """Its first start makes its image."""
        starter = ByUnit(self.host, self.name)
        await starter.start()
        await self.hypervisor(starter)
        await starter.stop()

    async def run(self, starter: ByUnit | ByHand, rounds: int, choice: random.Random) -> None:
        """Do so many rounds."""
        usual = (await self.reset())[1]
        earliest, latest, near = (0.0, AT_NAME, AT_NAME / 4) if starter.sudden else (-EARLIEST, 1.3 * usual, NEAR)
        edge = latest / 2
        for number in range(rounds):
            anywhere = choice.uniform(earliest, latest)
            seen = await self.round(starter, anywhere if number % 2 else choice.gauss(edge, near))
            print(json.dumps(seen._asdict()), flush=True)
            edge = min(latest, max(earliest, seen.offset + (near if seen.result == "refused" else -near)))

    async def round(self, starter: ByUnit | ByHand, offset: float) -> Round:
        """One reset, and one start `offset` seconds after it began, or, if that is sudden, after the new image is
        complete and all is checked again."""
        before = self.image.stat().st_ino
        os.utime(self.image)  # also where no hypervisor wrote to it, it counts as used, and is what is kept
        await starter.wait()
        moment = asyncio.Event()
        (outcome, seconds), start = await asyncio.gather(
            later(max(0, -offset), partial(self.reset, moment if starter.sudden else None)),
            later(max(0, offset), starter.start, moment if starter.sudden else None),
        )
        pid, held = await self.hypervisor(starter)
        after = self.image.stat().st_ino
        _, restarts = await starter.status()
        await starter.stop()
        await until(self.freed, "what was thrown away is not freed")
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

    async def reset(self, moment: asyncio.Event | None = None) -> tuple[ResetOutcome, float]:
        """What came of it, and how long it took. `moment` is right before the last check, or its end."""

        def tell(words: str) -> None:
            if moment is not None and words.startswith("Checking"):
                moment.set()

        began = time.monotonic()
        outcome = await run_reset(self.host, self.name, tell)
        if moment is not None:
            moment.set()
        return outcome, time.monotonic() - began

    async def freed(self) -> bool:
        """Whether what was set aside before the last one is gone."""
        return not list(self.aside.glob("freeing.*"))

    async def hypervisor(self, starter: ByUnit | ByHand) -> tuple[int, list[int]]:
        """The pid of the hypervisor once it has locked its image, and the inodes of the images that it has locked."""

        async def ready() -> tuple[int, list[int]] | None:
            pid, _ = await starter.status()
            held = open_images(pid) if pid else []
            return (pid, held) if held else None

        return await until(ready, "no hypervisor has the image open")


async def later(seconds: float, do: Callable[[], Awaitable[T]], moment: asyncio.Event | None = None) -> T:
    """Wait for the moment, and so many seconds, then do it."""
    if moment is not None:
        await moment.wait()
    await asyncio.sleep(seconds)
    return await do()


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


WRITER = """
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
while True:
    os.pwrite(file, os.urandom(1 << 20), 0)
    os.fsync(file)
"""


@contextmanager
def running(count: int, script: str, path: Path) -> Iterator[None]:
    """While so many processes run this with the path."""
    with ExitStack() as stack:
        for _ in range(count):
            argv = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-ISc", script, str(path)]
            stack.callback(stack.enter_context(subprocess.Popen(argv)).kill)
        yield


async def main(name: str, image: str, rounds: str, seed: str, lookers: str, how: str) -> None:
    host = open_host()
    race = Race(host, name, image)
    await race.prepare()
    starter = ByHand(race.image) if how == "hand" else ByUnit(host, name)
    with running(int(lookers), LOOKER, race.image), running(starter.sudden, WRITER, race.image.with_name("busy")):
        await race.run(starter, int(rounds), random.Random(int(seed)))
    await host.units.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
