"""What bench_reset.py measures, inside a nested systemd, as root. Prints JSON.

python -m tests.bench.reset_times build STORE NAME FS_TYPE SIZE_MIB   a stopped microVM with an empty overlay
python -m tests.bench.reset_times beside NAME ROUNDS                  resets beside `truncate` and the same mkfs
python -m tests.bench.reset_times full NAME ROUNDS MIB                the same where MIB of the old image are written
python -m tests.bench.reset_times anew NAME ROUNDS MIB                resets beside `rm` and create anew, likewise
python -m tests.bench.reset_times freed NAME MIB how                  the stalls of a writer beside what frees that
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.operations.hosts import open_host
from mvtui.operations.overlay import plan_resets, restore, run_reset

IMAGE = "overlay.img"
STATE_DIR = Path("/var/lib/microvms")
MIB = 2**20
SETTLED_WITHIN = 120.0


def build(store: str, name: str, fs_type: str, size: str) -> None:
    """Install it, its image made as its first start makes it."""
    definition = Definition(
        host_name=name,
        shares=(Share("ro-store", ShareProto.VIRTIOFS, "/nix/store", "/nix/.ro-store"),),
        volumes=(Volume(IMAGE, mount_point="/nix/.rw-store", size=int(size), fs_type=fs_type),),
        writable_store_overlay="/nix/.rw-store",
    )
    runner = build_runner(definition, Path(store) / f"{name}-microvm-qemu-{name}", Tools("/bin/qemu-system-x86_64"))
    directory = STATE_DIR / name
    directory.mkdir(parents=True)
    (directory / "current").symlink_to(runner)
    make(directory / IMAGE, fs_type, int(size))
    for path in (STATE_DIR, directory, directory / IMAGE):
        shutil.chown(path, "microvm", "kvm")


def make(image: Path, fs_type: str, size: int) -> float:
    """`truncate` and mkfs; the seconds that both took."""
    began = time.perf_counter()
    subprocess.run(["truncate", "-s", f"{size}M", image], check=True)
    subprocess.run([f"mkfs.{fs_type}", image], check=True, capture_output=True)
    return time.perf_counter() - began


def fill(image: Path, mib: int) -> None:
    """Write all of it but for the superblock, and wait until that is on the disk."""
    of_what = os.urandom(MIB)
    with image.open("r+b", buffering=0) as file:
        file.seek(MIB)
        for _ in range(1, mib):
            file.write(of_what)
        os.fsync(file.fileno())


class Bench:
    """One microVM and the host that it is on."""

    def __init__(self, host: Host, name: str) -> None:
        self.host, self.name = host, name
        self.image = host.state_dir / name / IMAGE
        self.size = self.image.stat().st_size // MIB
        self.fs_type = subprocess.run(
            ["blkid", "-p", "-s", "TYPE", "-o", "value", self.image], capture_output=True, text=True, check=True
        ).stdout.strip()

    async def reset(self) -> float:
        """Seconds from a person's answer to the plan until it is done; what it leaves to the background has then only
        begun. What it sets aside counts as used: so it frees what was set aside before."""
        os.utime(self.image)
        (plan,) = await plan_resets(self.host, [self.name])
        assert plan.ok, plan
        await asyncio.sleep(0.2)  # nobody answers faster
        began = time.perf_counter()
        outcome = await run_reset(self.host, self.name, plan=plan)
        took = time.perf_counter() - began
        assert outcome.ok, outcome
        return took

    def peer(self) -> float:
        """Seconds to make the same file system beside it."""
        new = self.image.with_name("peer.img")
        try:
            return make(new, self.fs_type, self.size)
        finally:
            new.unlink(missing_ok=True)

    def kept(self) -> list[Path]:
        """What is set aside or is being freed."""
        return [path for path in (self.image.parent / ".mvtui/overlay" / IMAGE).glob("*") if path.name != "lock"]

    async def settled(self) -> None:
        """Until the older ones are freed."""
        deadline = time.monotonic() + SETTLED_WITHIN
        while len(self.kept()) > 1:
            assert time.monotonic() < deadline, self.kept()
            await asyncio.sleep(0.01)
        os.sync()

    async def beside(self, rounds: int) -> list[list[float]]:
        """Seconds of a reset, and of the peer, of each round."""
        await self.reset()
        times = []
        for _ in range(rounds):
            await self.settled()
            peer = self.peer()
            times.append([await self.reset(), peer])
        return times

    async def full(self, rounds: int, mib: int) -> list[list[float]]:
        """The same; the same full image is set aside each time."""
        await asyncio.to_thread(fill, self.image, mib)
        times = []
        for number in range(rounds):
            if number:
                assert (await restore(self.host, self.name)).ok
            await self.settled()
            peer = self.peer()
            times.append([await self.reset(), peer])
        return times

    async def anew(self, rounds: int, mib: int) -> list[list[float]]:
        """Seconds of a reset, and of `rm` and create anew, both of an image written in full."""
        times = []
        for _ in range(rounds):
            await asyncio.to_thread(fill, self.image, mib)
            own = await self.reset()
            await self.settled()
            await asyncio.to_thread(fill, self.image, mib)
            times.append([own, self.by_hand()])
        return times

    def by_hand(self) -> float:
        """Seconds to delete the image and to create it anew."""
        began = time.perf_counter()
        subprocess.run(["rm", self.image], check=True)
        make(self.image, self.fs_type, self.size)
        took = time.perf_counter() - began
        shutil.chown(self.image, "microvm", "kvm")
        return took

    async def freed(self, mib: int, how: str) -> tuple[float, float, float]:
        """The longest and the median stall of a writer, and how many seconds it wrote: beside a reset that frees a
        written image in the background (`reset`), beside `rm` of one (`rm`), beside nothing (`idle`)."""
        await asyncio.to_thread(fill, self.image, mib)
        await self.reset()
        await self.settled()
        victim = self.kept()[0]
        writer = Writer(self.image.with_name("writer"))
        await writer.start()
        if how == "reset":
            await self.reset()
            await self.settled()
        elif how == "rm":
            await (await asyncio.create_subprocess_exec("rm", victim)).wait()
        await asyncio.sleep(1)
        return await writer.stop()


class Writer:
    """A process that writes 4 KiB and syncs, again and again."""

    SCRIPT = """
import os, sys, time
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
print("writes", flush=True)
os.set_blocking(0, False)
times, began = [], time.perf_counter()
while True:
    at = time.perf_counter()
    os.pwrite(file, os.urandom(4096), 0)
    os.fsync(file)
    times.append(time.perf_counter() - at)
    try:
        os.read(0, 1)
        break
    except BlockingIOError:
        pass
os.unlink(sys.argv[1])
print(max(times), sorted(times)[len(times) // 2], time.perf_counter() - began)
"""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def start(self) -> None:
        """Until it writes."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", self.SCRIPT, self._path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        await self._process.stdout.readline()

    async def stop(self) -> tuple[float, float, float]:
        """Longest and median stall, and all of its time, in seconds."""
        said, _ = await self._process.communicate(b"\n")
        longest, usual, whole = map(float, said.split())
        return longest, usual, whole


async def measure(what: str, name: str, *arguments: str) -> None:
    host = open_host()
    try:
        bench = Bench(host, name)
        works: dict[str, Callable[..., Awaitable[object]]] = {
            "beside": bench.beside,
            "full": bench.full,
            "anew": bench.anew,
            "freed": bench.freed,
        }
        words = [int(word) if word.isdecimal() else word for word in arguments]
        print(json.dumps(await works[what](*words)))
    finally:
        await host.units.close()


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(*sys.argv[2:])
    else:
        asyncio.run(measure(*sys.argv[1:]))
