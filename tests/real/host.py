"""A host of real microVMs: a nested systemd with the host module's units, a store, a state directory, and runners."""

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner, with_defaults
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.real.guest import guest
from tests.real.nested import Nested, need, nested_systemd
from tests.real.packages import UnavailableError, program, unpacked, virtiofsd

STATE_DIR = "/var/lib/microvms"
DIRECT_STATE_DIR = "/srv/direct"
STORE = "/nix/store"
# Names in the store, as a hash and a name. Nothing reads the hash.
LINUX = f"{STORE}/00000000000000000000000000000000-linux"
PROGRAMS = f"{STORE}/00000000000000000000000000000000-programs"

# mvtui, which takes its own pid namespace for the outermost.
SEES_ALL = (
    "import os, sys; from mvtui.cli import main; from mvtui.host import open_files; "
    "open_files._OUTERMOST = os.readlink('/proc/self/ns/pid'); sys.exit(main())"
)

Json = dict[str, Any]
NOTHING: Mapping[str, str] = {}


def sample(name: str) -> Definition:
    """A store overlay on a volume, the host's store and a home over virtiofs, documents over 9p."""
    return Definition(
        host_name=name,
        mem=96,
        shares=(
            Share("ro-store", ShareProto.VIRTIOFS, "/nix/store", "/nix/.ro-store"),
            Share("home", ShareProto.VIRTIOFS, f"/srv/{name}/home", "/home"),
            Share("docs", ShareProto.NINE_P, f"/srv/{name}/docs", "/docs"),
        ),
        volumes=(Volume("nix-store-overlay.img", mount_point="/nix/.rw-store", size=64),),
        writable_store_overlay="/nix/.rw-store",
    )


@dataclass(frozen=True)
class RealHost:
    """The host, and what tests do with it."""

    nested: Nested
    tools: Tools

    def add(
        self,
        definition: Definition,
        *,
        state_dir: str = STATE_DIR,
        extra_args: Sequence[str] = (),
        tools: Tools | None = None,
        kernel_params: Sequence[str] = (),
    ) -> str:
        """Install a microVM with a runner of this definition, made with `tools`, else with this host's; its shares'
        sources are made. `kernel_params` are more of those that the guest's init knows. Returns its name."""
        name = str(definition.host_name)
        for share in definition.shares:
            if share.source is not None and share.source != STORE:
                self.nested.run("install", "-d", "-o", "microvm", "-g", "kvm", share.source)
        parameters = (*_kernel_params(definition), *kernel_params)
        tools = replace(tools or self.tools, kernel_params=parameters, extra_args=tuple(extra_args))
        runner = f"11111111111111111111111111111111-microvm-qemu-{name}"
        build_runner(definition, self.nested.folder / "store" / runner, tools, store=STORE)
        self.nested.run("install", "-d", "-o", "microvm", "-g", "kvm", "-m", "0775", f"{state_dir}/{name}")
        self.nested.run("ln", "-sT", f"{STORE}/{runner}", f"{state_dir}/{name}/current")
        return name

    def mvtui(self, *words: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `mvtui` inside, as root."""
        return self.nested.python("-m", "mvtui", *words, check=check, timeout=timeout)

    def shown(self, name: str) -> Json:
        """What `mvtui list --json` says of one microVM."""
        listed = json.loads(self.mvtui("list", "--json").stdout)
        return next(microvm for microvm in listed["microvms"] if microvm["name"] == name)

    def looks_until(self, name: str, holds: Callable[[Json], bool], *, within: float = 60) -> list[Json]:
        """Look at a microVM again and again until this holds: every look, oldest first."""
        deadline = time.monotonic() + within
        looks = [self.shown(name)]
        while not holds(looks[-1]):
            assert time.monotonic() < deadline, f"not within {within} s: {json.dumps(looks[-1], indent=1)}"
            looks.append(self.shown(name))
        return looks

    def until(self, name: str, holds: Callable[[Json], bool], *, within: float = 60) -> Json:
        """The first look of `looks_until` at which this holds."""
        return self.looks_until(name, holds, within=within)[-1]

    def systemctl(self, *words: str, check: bool = True) -> str:
        """What `systemctl` prints."""
        return self.nested.run("systemctl", "--no-pager", *words, check=check, timeout=200).stdout.strip()

    def property(self, unit: str, name: str) -> str:
        """One property of a unit, as systemctl prints it."""
        return self.systemctl("show", "--value", "-p", name, unit)

    def drop_in(self, unit: str, text: str) -> None:
        """Change a unit until the host ends."""
        folder = self.nested.path(f"/run/systemd/system/{unit}.d")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "test.conf").write_text(text)
        self.systemctl("daemon-reload")

    def boots(self, name: str) -> int:
        """How often the guest has been ready: it adds a line then."""
        said = self.nested.path(f"/srv/{name}/docs/guest-ready")
        return len(said.read_text().splitlines()) if said.exists() else 0

    def wait_for_boot(self, name: str, count: int = 1, within: float = 60) -> None:
        """Until the guest has been ready that often."""
        wait_until(lambda: self.boots(name) >= count, f"guest {name} did not boot", within)

    def kill(self, *pids: int) -> None:
        """Send SIGKILL to processes; one may already have ended with another."""
        # Not every machine has a program `kill`; every shell has its own.
        self.nested.run("sh", "-c", 'kill -KILL "$@"', "sh", *map(str, pids), check=False)

    def overlay_at_boot(self, name: str) -> set[str]:
        """What the upper layer of the guest's store had when it was mounted the last time, before it wrote anything."""
        last = self.nested.path(f"/srv/{name}/docs/guest-ready").read_text().splitlines()[-1]
        return set(last.split()[1:])

    def in_guest(self, name: str, script: str, within: float = 60) -> str:
        """Run a shell script in the guest; what it said, with `exit N` at the end where it failed."""
        docs = self.nested.path(f"/srv/{name}/docs")
        (docs / "guest-run.part").write_text(script + "\n")
        (docs / "guest-run.part").rename(docs / "guest-run")
        said = docs / "guest-said"
        wait_until(said.exists, f"guest {name} did not say what came of {script!r}", within)
        text = said.read_text()
        said.unlink()
        return text

    def power_off_from_within(self, name: str) -> None:
        """Make the guest power itself off."""
        self.nested.path(f"/srv/{name}/docs/guest-poweroff").touch()

    def end(self, name: str) -> None:
        """Stop a microVM at once, whatever it is doing."""
        units = [f"microvm@{name}.service", f"microvm-virtiofsd@{name}.service"]
        for unit in units:
            self.systemctl("kill", "--signal=KILL", unit, check=False)
        self.systemctl("stop", *units, f"microvm-set-booted@{name}.service", check=False)
        self.systemctl("reset-failed", *units, check=False)


def wait_until(holds: Callable[[], bool], what: str, within: float = 30) -> None:
    """Ask again and again, for what gives no event."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"{what} within {within} s"
        time.sleep(0.1)


@contextlib.contextmanager
def real_host(lasting: Mapping[str, str] = NOTHING) -> Iterator[RealHost]:
    """Start a host without microVMs. Also `lasting` (`nested_systemd`'s binds) outlives a boot of it. Raises
    UnavailableError where this machine can't run one."""
    need()
    hypervisor = program("qemu-system-x86_64", "qemu-system-x86")
    python = program("python3", "python3")
    socat = program("socat", "socat")
    program("mkfs.ext4", "e2fsprogs")
    daemon, takes_rust_options = virtiofsd()
    supervisor = unpacked("supervisor", "python3-pkg-resources")
    kernel = guest()
    tools = Tools(
        hypervisor=hypervisor,
        kernel=f"{LINUX}/vmlinux",
        initrd=f"{LINUX}/initrd.img",
        python=python,
        virtiofsd=daemon if takes_rust_options else f"{PROGRAMS}/virtiofsd",
        supervisord=f"{PROGRAMS}/supervisord",
        socat=socat,
        cpu="max",
        machine_opts={"accel": "tcg"},
    )
    binds = {STORE: "store", STATE_DIR: "microvms", "/srv": "srv", **lasting}
    with nested_systemd(binds) as nested:
        store = nested.folder / "store"
        _put(store, LINUX, kernel)
        _put(store, PROGRAMS, supervisor / "usr/lib/python3/dist-packages")
        programs = store / Path(PROGRAMS).name
        shutil.copy(Path(__file__).with_name("virtiofsd_shim.sh"), programs / "virtiofsd")
        # As Nix does it: a wrapper that runs the script with Python.
        shutil.copy(supervisor / "usr/bin/supervisord", programs / ".supervisord-wrapped")
        wrapper = f'#!/bin/sh\nPYTHONPATH={PROGRAMS} exec {python} {PROGRAMS}/.supervisord-wrapped "$@"\n'
        (programs / "supervisord").write_text(wrapper)
        (programs / "supervisord").chmod(0o755)
        for state_dir in (STATE_DIR, DIRECT_STATE_DIR):
            nested.run("install", "-d", "-o", "microvm", "-g", "kvm", "-m", "0775", state_dir)
        yield RealHost(nested, tools)


def required_host(lasting: Mapping[str, str] = NOTHING) -> Iterator[RealHost]:
    """What a fixture yields: `real_host`, without which its tests are skipped, and have failed in CI."""
    context = real_host(lasting)
    try:
        started = context.__enter__()
    except UnavailableError as error:
        if os.environ.get("CI"):
            pytest.fail(f"the real stack is required here: {error}")
        pytest.skip(str(error))
    try:
        yield started
    finally:
        context.__exit__(None, None, None)


def _put(store: Path, name: str, content: Path) -> None:
    """Into the store, by hard links: the kernel has 66 MB."""
    shutil.copytree(content, store / Path(name).name, copy_function=os.link)


def _kernel_params(definition: Definition) -> tuple[str, ...]:
    """What the guest has to mount. With `-M microvm` and without KVM the kernel can't find out its clock's speed."""
    complete = with_defaults(definition)
    mounts = [f"{share.proto}:{share.tag}:{share.mount_point}" for share in complete.shares]
    mounts += [f"{volume.fs_type}:/dev/vd{volume.letter}:{volume.mount_point}" for volume in complete.volumes]
    parameters = [f"mvtui.mount={mount}" for mount in mounts]
    overlay = definition.writable_store_overlay
    if overlay is not None:
        on_virtiofs = any(
            share.proto is ShareProto.VIRTIOFS and share.mount_point == overlay for share in complete.shares
        )
        parameters.append(f"mvtui.overlay={overlay}" + (":userxattr" if on_virtiofs else ""))
    return ("quiet", "tsc_early_khz=2600000", *parameters)
