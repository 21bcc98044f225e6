"""Microvms of stand-in scripts in a folder of their own, for what starts and stops them without systemd."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mvtui.host.direct import DirectUnits
from mvtui.host.keeper_group import Timings
from mvtui.host.keeper_process import all_processes, command_line
from mvtui.model.unit import JobResult, UnitKind, UnitStatus, UnitVerb, unit_name

OWNER = (12345, 12346)
QUICK = Timings(stop=0.4, virtiofsd_start=5.0, virtiofsd_stop=5.0, restart=0.2)
HOME = {"home": ("/", "home.sock")}
SLEEPS = 'exec -a "microvm@web" sleep 1000'
WITHIN_SECONDS = 20.0

# Ends when its standard input does, so also when the tests are killed: then it ends all that works in the folder.
_JANITOR = """
import os, shutil, signal, sys
folder = sys.argv[1]
sys.stdin.read()
def is_ours(pid):
    try:
        inside = os.readlink(f"/proc/{pid}/cwd").startswith(folder)
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return inside or os.fsencode(folder) in file.read()
    except OSError:
        return False
while ours := [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid() and is_ours(pid)]:
    for pid in ours:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
shutil.rmtree(folder, ignore_errors=True)
"""

# Serves what a virtiofsd-run of microvm.nix serves, as far as a keeper can see.
_SERVES = """#!{python}
import os, socket, signal, sys
keep = []
for path in {sockets!r}:
    if os.path.lexists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    keep.append(listener)
print("serves", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    signal.pause()
"""

# Another process that runs verbs, and ends. STATE_DIR ROOT MICROVM VERB…
DRIVER = """
import asyncio, sys
from pathlib import Path
from mvtui.errors import MvtuiError
from mvtui.host.direct import DirectUnits
from mvtui.model.unit import UnitVerb
units = DirectUnits(Path(sys.argv[1]), root=Path(sys.argv[2]))
for verb in sys.argv[4:]:
    try:
        print(asyncio.run(units.run_job(UnitVerb(verb), f"microvm@{sys.argv[3]}.service")).words)
    except MvtuiError as error:
        print(type(error).__name__, error)
"""


@dataclass(frozen=True)
class DirectHost:
    """`state_dir` is on disk `folder`/vms; root's run directory lies below `folder` too."""

    folder: Path

    @property
    def state_dir(self) -> Path:
        return self.folder / "vms"

    @property
    def records(self) -> Path:
        return self.folder / "records"

    def units(self, timings: Timings = QUICK) -> DirectUnits:
        return DirectUnits(Path("/vms"), root=self.folder, timings=timings, records=self.records)

    def add(
        self,
        name: str = "web",
        scripts: Mapping[str, str] | None = None,
        shares: Mapping[str, tuple[str, str]] | None = None,
    ) -> Path:
        """A microVM whose runner has these scripts (bash, or with a first line of their own) and virtiofs shares
        (source and socket by tag). Returns its directory."""
        runner = Path(tempfile.mkdtemp(prefix="runner-", dir=self.folder))
        runner.chmod(0o755)
        (runner / "bin").mkdir()
        for script, text in ({"microvm-run": SLEEPS} | dict(scripts or {})).items():
            path = runner / "bin" / script
            path.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}\n")
            path.chmod(0o755)
        for tag, (source, socket) in (shares or {}).items():
            facts = runner / "share/microvm/virtiofs" / tag
            facts.mkdir(parents=True)
            (facts / "source").write_text(f"{source}\n")
            (facts / "socket").write_text(f"{socket}\n")
        directory = self.state_dir / name
        directory.mkdir()
        (directory / "current").symlink_to(runner)
        if os.geteuid() == 0:
            os.chown(directory, *OWNER)
        return directory

    async def run(self, verb: UnitVerb, name: str = "web", timings: Timings = QUICK) -> JobResult:
        return await self.units(timings).run_job(verb, unit_name(UnitKind.HYPERVISOR, name))

    async def unit(self, kind: UnitKind = UnitKind.HYPERVISOR, name: str = "web") -> UnitStatus | None:
        return (await self.units().statuses()).get(unit_name(kind, name))

    async def main_pid(self, kind: UnitKind = UnitKind.HYPERVISOR, name: str = "web") -> int:
        unit = await self.unit(kind, name)
        assert unit is not None
        assert unit.main_pid is not None
        return unit.main_pid

    def keepers(self) -> list[int]:
        ours = str(self.folder)
        lines = ((each.pid, " ".join(command_line(each.pid))) for each in all_processes())
        return [pid for pid, line in lines if "mvtui.host import keeper" in line and ours in line]

    def working(self) -> list[str]:
        """The command lines of all that works below the state directory."""
        found = []
        for each in all_processes():
            try:
                inside = os.readlink(f"/proc/{each.pid}/cwd").startswith(str(self.state_dir))
            except OSError:
                continue
            if inside:
                found.append(" ".join(command_line(each.pid)).strip())
        return found

    def booted(self, name: str = "web") -> str | None:
        """What `booted` points to, None where it is no link."""
        path = self.state_dir / name / "booted"
        return os.readlink(path) if path.is_symlink() else None

    def drive(self, name: str, *verbs: str, as_user: bool = False) -> str:
        """Run verbs in another process; with `as_user` where its user is not root."""
        state_dir, root = (str(self.state_dir), "/") if as_user else ("/vms", str(self.folder))
        before = ["unshare", "--user", "--map-user=1234", "--map-group=1234"] if as_user and os.geteuid() == 0 else []
        done = subprocess.run(
            [*before, sys.executable, "-c", DRIVER, state_dir, root, name, *verbs],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=Path(__file__).parents[2],
        )
        return done.stdout + done.stderr


def serves(*sockets: str) -> str:
    """A virtiofsd-run that listens on these sockets until it is told to end."""
    return _SERVES.format(python=sys.executable, sockets=sockets)


@contextmanager
def direct_host() -> Iterator[DirectHost]:
    """An empty host. However the tests end, nothing of it runs on or lies around."""
    folder = Path(tempfile.mkdtemp(prefix="mvtui-direct-"))
    folder.chmod(0o755)
    (folder / "vms").mkdir()
    janitor = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _JANITOR, str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield DirectHost(folder)
    finally:
        janitor.communicate()
        assert janitor.returncode == 0
        assert not folder.exists()


async def until(holds: Callable[[], object], what: str) -> None:
    """Ask again and again, for what gives no event."""
    give_up = asyncio.get_running_loop().time() + WITHIN_SECONDS
    while not holds():
        assert asyncio.get_running_loop().time() < give_up, what
        await asyncio.sleep(0.02)


def log(host: DirectHost, name: str = "microvm.log") -> str:
    """What web has logged; empty where there is no such log."""
    path = host.state_dir / "web" / name
    return path.read_text() if path.exists() else ""


async def unit_until(host: DirectHost, kind: UnitKind, what: str, sub_state: str, restarts: int = 0) -> UnitStatus:
    """The unit once it is in that sub-state after so many restarts."""
    async with asyncio.timeout(20):
        while True:
            unit = await host.unit(kind)
            if unit is not None and unit.sub_state == sub_state and (unit.n_restarts or 0) >= restarts:
                return unit
            assert unit is None or unit.active_state != "failed", f"{what}: {unit}"
            await asyncio.sleep(0.01)


async def failed_start(host: DirectHost) -> JobResult:
    """A start that fails and leaves nothing."""
    result = await host.run(UnitVerb.START)
    assert not result.ok
    assert host.working() == []
    await until(lambda: host.keepers() == [], "the keeper ends after its last word")
    assert host.booted() is None
    return result


def need_root() -> None:
    """Only root can run something as somebody else."""
    if os.geteuid() == 0:
        return
    if os.environ.get("CI"):
        pytest.fail("must run as root in CI")
    pytest.skip("needs root: it looks at processes that run as somebody else")


def need_unshare() -> None:
    """root becomes somebody else in a user namespace of its own."""
    if os.geteuid() != 0 or shutil.which("unshare"):
        return
    if os.environ.get("CI"):
        pytest.fail("unshare (util-linux) is missing")
    pytest.skip("needs unshare (util-linux)")
