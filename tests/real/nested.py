"""A real systemd as PID 1 of namespaces of its own, under a root, a unit directory and a cgroup of its own.

Everything in it ends with the process that started it, also when that is killed: the outer `unshare` dies with its
parent (PR_SET_PDEATHSIG), PID 1 dies with `unshare`, and the kernel ends the pid namespace and its mounts with PID 1.
What then is left, an empty cgroup and a folder in the cache, the next start removes.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.real.packages import SEARCHED, UnavailableError, cache_dir, program
from tests.real.runs import own_folder

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
STOCK_UNITS = Path("/lib/systemd/system")
# All that is taken from the machine's own systemd; none of them sets up, mounts or cleans anything.
TAKEN = (
    "systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket dbus.service dbus.socket "
    "shutdown.target final.target umount.target local-fs.target local-fs-pre.target network.target slices.target "
    "sockets.target paths.target timers.target"
)
UP_WITHIN = 30.0
ENVIRONMENT = {"PATH": SEARCHED, "HOME": "/root", "LANG": "C.UTF-8"}
PYTHON = {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass
class Nested:
    """A running nested systemd. `pid` is its pid out here; `folder` holds what was bound into it."""

    pid: int
    folder: Path
    cgroup: Path
    process: subprocess.Popen[bytes]

    def boot_again(self) -> None:
        """As after a power cut: all that runs inside is gone, and of its files all but what is bound into it."""
        ended = os.pidfd_open(self.pid)
        try:
            self.end()
            assert select.select([ended], [], [], UP_WITHIN)[0], "the nested systemd does not end"
        finally:
            os.close(ended)
        self.process = _start(self.folder, self.cgroup)
        self.pid = _wait_until_up(self.process, self.folder)

    def end(self) -> None:
        """Kill it, with all that runs inside."""
        self.process.kill()
        self.process.wait()

    @property
    def bus(self) -> str:
        """Its system bus, for DBUS_SYSTEM_BUS_ADDRESS out here."""
        return f"unix:path=/proc/{self.pid}/root/run/dbus/system_bus_socket"

    def path(self, inside: str | Path) -> Path:
        """Where a path of the nested system is out here."""
        return Path(f"/proc/{self.pid}/root") / str(inside).lstrip("/")

    def run(
        self, *argv: str, timeout: float = 60, check: bool = True, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside, as root; its output is captured."""
        result = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-a", "--", *argv],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**ENVIRONMENT, **(env or {})},
        )
        if check and result.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def python(
        self, *argv: str, timeout: float = 60, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run this Python inside, with this checkout first on its path."""
        return self.run(sys.executable, *argv, timeout=timeout, check=check, env=PYTHON, stdin=stdin)

    @contextlib.contextmanager
    def python_running(self, *argv: str) -> Iterator["subprocess.Popen[str]"]:
        """The same in the background; it ends with the block, and so does all of its process group."""
        with subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "nsenter", "-t", str(self.pid), "-a", "--", sys.executable, *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT | PYTHON,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                # nsenter has a child inside, which a signal to itself does not reach.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def journal(self, *arguments: str) -> list[str]:
        """The journal's messages, oldest first; `arguments` are journalctl's."""
        return self.run("journalctl", "--no-pager", "-q", "-a", "-o", "cat", *arguments).stdout.splitlines()


@contextlib.contextmanager
def nested_systemd(binds: Mapping[str, str]) -> Iterator[Nested]:
    """Start one, with folders of its own bound read-write: target inside to name below `Nested.folder`. Units that last
    are read where one is bound to /etc/systemd/system.

    Raises UnavailableError where this machine can't run one.
    """
    need()
    with own_folder(cache_dir() / "running", cgroup2()) as (folder, cgroup):
        _fill(folder, binds)
        nested = Nested(0, folder, cgroup, _start(folder, cgroup))
        try:
            nested.pid = _wait_until_up(nested.process, folder)
            yield nested
        finally:
            nested.end()


def need() -> None:
    """Raises UnavailableError where no nested systemd can be started, for want of rights or programs."""
    if os.geteuid() != 0:
        raise UnavailableError("namespaces and a service manager of its own need root")
    for name, package in (
        ("unshare", "util-linux"),
        ("nsenter", "util-linux"),
        ("setpriv", "util-linux"),
        ("systemctl", "systemd"),
        ("journalctl", "systemd"),
        ("dbus-daemon", "dbus"),
        ("ip", "iproute2"),
    ):
        program(name, package)
    for unit in ("systemd-journald.service", "dbus.service"):
        if not (STOCK_UNITS / unit).exists():
            raise UnavailableError(f"{STOCK_UNITS / unit} is missing: apt-get install systemd dbus")


def cgroup2() -> Path:
    """Where cgroup2 is mounted: /sys/fs/cgroup, or below it beside version 1 (hybrid). Raises UnavailableError."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, fs_type, *_ = line.split()
        if fs_type == "cgroup2":
            return Path(target)
    raise UnavailableError("cgroup2 is not mounted")


def _fill(folder: Path, binds: Mapping[str, str]) -> None:
    """The folder that `nested_init.sh` works from."""
    units = folder / "units"
    shutil.copytree(HERE / "units", units)
    for name in TAKEN.split():
        if (STOCK_UNITS / name).exists():
            shutil.copy(STOCK_UNITS / name, units / name)
    lines = []
    for target, name in binds.items():
        (folder / name).mkdir(exist_ok=True)
        lines.append(f"rw {folder / name} {target}")
    # The overlay of / has neither other file systems nor, under its own /tmp, a checkout that lies in /tmp.
    lines += [f"ro {path} {path}" for path in sorted({str(CHECKOUT), sys.prefix, sys.base_prefix}) if path != "/usr"]
    (folder / "binds").write_text("\n".join(lines) + "\n")
    (folder / "mount-namespace").write_text(os.readlink("/proc/self/ns/mnt"))


def _start(folder: Path, cgroup: Path) -> subprocess.Popen[bytes]:
    dies_with_parent = "setpriv --pdeathsig KILL"
    # The parent may have died before.
    join = '[ "$PPID" = "$1" ] && echo 0 >"$2/cgroup.procs" && shift 2 && exec "$@"'
    unshare = "unshare --cgroup --pid --fork --kill-child=SIGKILL --mount --ipc --uts --net --propagation private"
    init = [str(HERE / "nested_init.sh"), str(folder)]
    with (folder / "console.log").open("wb") as console:
        return subprocess.Popen(
            [*dies_with_parent.split(), "sh", "-c", join, "sh", str(os.getpid()), str(cgroup), *unshare.split(), *init],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )


def _wait_until_up(process: subprocess.Popen[bytes], folder: Path) -> int:
    """The pid of PID 1, once its target is active."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + UP_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        for pid in children.read_text().split():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd" and _is_active(pid):
                    return int(pid)
        time.sleep(0.02)
    raise AssertionError("the nested systemd did not come up:\n" + (folder / "console.log").read_text()[-3000:])


def _is_active(pid: str) -> bool:
    asked = ["nsenter", "-t", pid, "-a", "--", "systemctl", "is-active", "-q", "test-host.target"]
    return subprocess.run(asked, capture_output=True, check=False, timeout=10, env={"PATH": SEARCHED}).returncode == 0
