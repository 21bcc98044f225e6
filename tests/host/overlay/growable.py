"""A host whose microVM has a real ext4 with something in it, to be grown."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mvtui.host.overlay.channel import ENTRY
from mvtui.host.overlay.grow_worker import Grown, GrowWorker
from mvtui.host.superblock import read_superblock
from tests.host.living import found
from tests.host.overlay import faulty
from tests.host.overlay.overlay_host import MIB, OverlayHost, overlay_host

OLD, NEW = 8 * MIB, 40 * MIB
CONTENT = bytes(range(256)) * 1000


class GrowHost:
    """Its image holds CONTENT as `/content`."""

    def __init__(self, host: OverlayHost) -> None:
        self.overlay = host
        self.image, self.record, self.holding = host.image, host.record, host.holding
        source = host.folder / "content"
        source.write_bytes(CONTENT)
        os.truncate(host.write(host.image, ""), OLD)
        run("mkfs.ext4", "-q", "-L", "data", str(self.image))
        run("debugfs", "-w", "-R", f"write {source} content", str(self.image))

    def worker(self, entry: str = ENTRY, tools: tuple[str, ...] = ()) -> GrowWorker:
        host = self.overlay
        return GrowWorker.start(host.host, "web", host.target, tools, who="root: mvtui grow web", entry=entry)

    def file_id(self) -> tuple[int, int]:
        status = os.lstat(self.image)
        return status.st_dev, status.st_ino

    def grow(self, entry: str = ENTRY, tools: tuple[str, ...] = ()) -> Grown:
        """As the operation does it."""
        with self.worker(entry, tools) as worker:
            worker.tools()
            worker.hold(self.file_id())
            worker.check()
            worker.enlarge(NEW)
            return worker.resize()

    def fs_size(self) -> int | None:
        with self.image.open("rb") as file:
            system = read_superblock(lambda count, offset: os.pread(file.fileno(), count, offset))
        return system.size if system is not None else None

    def content(self) -> bytes:
        return run("debugfs", "-R", "cat content", str(self.image))

    def names(self) -> list[str]:
        """What stands beside it, without the lock."""
        return self.overlay.names()

    def tool(self, name: str, script: str) -> tuple[str, ...]:
        """A directory with a program of that name, for `tools`; `$real` is the real one."""
        folder = self.overlay.folder / "tools"
        folder.mkdir(exist_ok=True)
        path = Path(folder / name)
        path.write_text(f"#!/bin/sh\nreal={found(name)}\n{script}\n")
        path.chmod(0o755)
        return (str(folder),)


@contextmanager
def grow_host() -> Iterator[GrowHost]:
    with overlay_host() as host:
        yield GrowHost(host)


def effects_of_growth() -> list[str]:
    """The names of all effects, in order, of one that went well."""
    with grow_host() as host:
        host.grow(faulty.entry(str(host.record)))
        return host.record.read_text().split()


def run(*argv: str) -> bytes:
    return subprocess.run([found(argv[0]), *argv[1:]], capture_output=True, check=True).stdout
