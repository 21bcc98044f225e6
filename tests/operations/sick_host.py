"""A host on which something can go wrong: real directories, runners, file systems and locks; units and processes are
what a test says."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.host.ports import Host
from mvtui.host.shell_script import read_exec
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.finding import Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import Snapshot
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.fakes import FakeProcesses, FakeUnits, process, unit
from tests.host.living import found
from tests.host.sample_definitions import WITH_9P, WITHOUT_VIRTIOFS, build

# Nobody's, on any machine: as whom the microVMs run where the test runs as root.
OWNER = 60123
HYPERVISOR_PID, DAEMON_PID = 100, 200
SIZE = 64  # MiB

# It ends with the test, also when that is killed: its standard output is closed then.
_LOCK = """
import fcntl, select, sys
file = open(sys.argv[1], "ab")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
poll = select.poll()
poll.register(1, select.POLLERR)
poll.poll()
"""


@contextmanager
def sick_host(manager: str = "systemd") -> Iterator["SickHost"]:
    """In a folder that everybody may enter, as /var/lib is; pytest's is its user's alone."""
    folder = Path(tempfile.mkdtemp(prefix="mvtui-hosts-"))
    folder.chmod(0o755)
    try:
        yield SickHost(folder, manager)
    finally:
        shutil.rmtree(folder)


class SickHost:
    """`web` is healthy until a test changes something; what `add` makes is stopped until `run`."""

    def __init__(self, folder: Path, manager: str) -> None:
        self.folder = folder
        self.states = folder / "microvms"
        self.home = folder / "srv" / "home"
        self.docs = folder / "srv" / "docs"
        for each in (self.states, self.home, self.docs, folder / "store"):
            each.mkdir(parents=True)
        self.give(self.states)
        self.give(self.docs)
        self.units, self.processes = FakeUnits(manager=manager), FakeProcesses()
        self.host = Host("hv01", self.units, self.processes, self.states)
        self.runners = 0

    @staticmethod
    def give(path: Path) -> None:
        """To whom the microVMs run as."""
        if os.geteuid() == 0:
            os.chown(path, OWNER, OWNER)

    def definition(self, hypervisor: Hypervisor = Hypervisor.QEMU) -> Definition:
        """All kinds of shares that it can have, an overlay, and a volume with a label."""
        home = Share("home", ShareProto.VIRTIOFS, str(self.home), "/home")
        docs = Share("docs", ShareProto.NINE_P, str(self.docs), "/docs")
        shares = () if hypervisor in WITHOUT_VIRTIOFS else (home,)
        return Definition(
            hypervisor=hypervisor,
            host_name="web",
            mem=512,
            vcpu=1,
            shares=(*shares, docs) if hypervisor in WITH_9P else shares,
            volumes=(
                Volume("rw.img", mount_point="/nix/.rw-store", size=SIZE),
                Volume("data.img", mount_point="/data", size=SIZE, label="data"),
            ),
            writable_store_overlay="/nix/.rw-store",
        )

    def add(self, name: str = "web", definition: Definition | None = None, *, images: bool = True) -> Path:
        """Its directory, its runner, and its images as mkfs makes them."""
        definition = definition or self.definition()
        directory = self.states / name
        directory.mkdir()
        self.give(directory)
        self.built(name, definition)
        for volume in definition.volumes if images else ():
            self.mkfs(directory / volume.image, volume.fs_type or "ext4", label=volume.label, size=volume.size or SIZE)
        return directory

    def built(self, name: str, definition: Definition) -> Path:
        """`current` of the microVM is a runner of that definition from now on."""
        self.runners += 1
        runner = build(definition, self.folder / "store" / f"{self.runners}-microvm-{name}")
        link = self.states / name / "current"
        link.unlink(missing_ok=True)
        link.symlink_to(runner)
        return runner

    def mkfs(
        self,
        image: Path,
        fs_type: str = "ext4",
        *,
        label: str | None = None,
        size: int = SIZE,
        made: datetime | None = None,
    ) -> None:
        """A sparse image of `size` MiB, as the runner's script makes it."""
        image.unlink(missing_ok=True)
        with image.open("wb") as file:
            file.truncate(size << 20)
        named = ["-n" if fs_type == "vfat" else "-L", label] if label is not None else []
        environ = dict(os.environ)
        if made is not None:
            environ["E2FSPROGS_FAKE_TIME"] = str(int(made.timestamp()))
        command = [found(f"mkfs.{fs_type}"), *named, str(image)]
        subprocess.run(command, check=True, capture_output=True, env=environ)
        self.give(image)

    def run(self, name: str = "web") -> None:
        """It runs: units, hypervisor, and for each virtiofs share a daemon that serves it."""
        directory = self.states / name
        runner = (directory / "current").readlink()
        (directory / "booted").unlink(missing_ok=True)
        (directory / "booted").symlink_to(runner)
        line = read_exec((runner / "bin/microvm-run").read_text())
        argv, exe = line.argv, line.program
        if exe == "unbuffer":  # stratovirt is its child
            argv, exe = argv[1:], argv[1]
        self.units.units[f"microvm@{name}.service"] = unit(f"microvm@{name}.service")
        hypervisor = process(HYPERVISOR_PID + self.runners, name, *argv)._replace(exe=exe, uid=OWNER)
        self.processes.living[hypervisor.pid] = hypervisor
        tags = runner / "share/microvm/virtiofs"
        for number, tag in enumerate(sorted(tags.iterdir()) if tags.is_dir() else ()):
            self.units.units[f"microvm-virtiofsd@{name}.service"] = unit(f"microvm-virtiofsd@{name}.service")
            socket, source = ((tag / fact).read_text().strip() for fact in ("socket", "source"))
            where = f"--socket-path={socket}", f"--shared-dir={source}", f"--tag={tag.name}"
            words = ("/bin/virtiofsd", *where, "--cache=auto", "--posix-acl", "--xattr")
            daemon = process(DAEMON_PID + 10 * self.runners + number, name, *words)
            served = daemon._replace(uid=0, connected_sockets=frozenset({socket}), open_files=20, open_files_limit=1000)
            self.processes.living[served.pid] = served

    def daemon(self, **changes: object) -> None:
        """The virtiofsd processes are otherwise."""
        for pid, one in self.processes.living.items():
            if one.argv[0].endswith("virtiofsd"):
                self.processes.living[pid] = one._replace(**changes)  # type: ignore[arg-type]

    def kill_daemons(self) -> None:
        """No virtiofsd lives."""
        living = self.processes.living
        for pid in [pid for pid, one in living.items() if one.argv[0].endswith("virtiofsd")]:
            del living[pid]

    @contextmanager
    def locked(self, path: Path) -> Iterator[int]:
        """The pid of a process that has a lock on `path` (flock(2))."""
        child = subprocess.Popen([sys.executable, "-c", _LOCK, str(path)], stdout=subprocess.PIPE)
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"locked\n"
            yield child.pid
        finally:
            child.kill()
            child.communicate()

    async def look(self) -> Snapshot:
        """The host after the slow lane was there."""
        kept = Kept(self.host, inline=False)
        await take_snapshot(self.host, kept)
        kept.renew()
        snapshot = await take_snapshot(self.host, kept)
        for finding in (each for one in snapshot.microvms for each in one.findings):
            assert finding.what.endswith("."), finding
            assert finding.fix, finding
            assert finding.why or finding.severity is Severity.INFO, finding
        return snapshot

    async def notes(self) -> dict[str, list[str]]:
        """The findings' notes of each microVM that has some."""
        snapshot = await self.look()
        return {one.name: [finding.note for finding in one.findings] for one in snapshot.microvms if one.findings}


def long_ago() -> datetime:
    """Before anything here was made."""
    return datetime(2020, 1, 1, tzinfo=UTC)


def fill(monkeypatch: pytest.MonkeyPatch, part: float) -> None:
    """The disk under every image is so full (0 to 1)."""
    real = os.fstatvfs

    def fstatvfs(fd: int) -> os.statvfs_result:
        space = list(real(fd))
        space[2], space[4] = 1_000_000, int(1_000_000 * (1 - part))
        return os.statvfs_result(space)

    monkeypatch.setattr(os, "fstatvfs", fstatvfs)
