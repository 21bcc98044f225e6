"""The way into a guest, by ssh: over vsock, through a forwarded port, or to an address of its interfaces.

    login = find_login(host, microvm)      # raises, with every reason, where there is no way
    os.execvp(login.argv[0], login.argv)

Whether somebody answers is tried first, without logging in, so that what is missing is said and not guessed.
"""

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import reach
from mvtui.host.guest_network import SSH_PORT, GuestNetwork, addresses, network_of
from mvtui.host.ports import Host
from mvtui.model.guest import GuestStage
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.model.own_command import own_command

# Where systemd has systemd-ssh-proxy(1), from 256 on; the first is NixOS'.
PROXIES = tuple(
    f"{place}/systemd-ssh-proxy"
    for place in ("/run/current-system/systemd/lib/systemd", "/usr/lib/systemd", "/lib/systemd")
)
# ssh gives %h to a shell: nothing that one could take for anything but letters of a path.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@:=-]+")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]*\$?")
# These serve vsock by a socket of their own instead of the kernel's.
_MUX = (Hypervisor.CLOUD_HYPERVISOR, Hypervisor.FIRECRACKER)
_HINT = "microvm.vsock = { cid = 3; ssh.enable = true; } in its definition lets the host in without a network"
# What mvtui demo leaves beside its state directory.
_DEMO = "demo.toml"


class Login(NamedTuple):
    """`argv` starts ssh; `place` is where it goes, in words."""

    argv: tuple[str, ...]
    place: str

    @property
    def words(self) -> str:
        """The command as a person types it."""
        return shlex.join(self.argv)


class NoWayError(MvtuiError):
    """Nothing leads into the guest; `reasons` says of each way why not."""

    def __init__(self, message: str, reasons: Sequence[str]) -> None:
        super().__init__(f"{message}: {'; '.join(reasons)}", _HINT, ExitCode.REFUSED)
        self.gist = message
        self.reasons = tuple(reasons)


class _Way(NamedTuple):
    place: str
    destination: str
    options: tuple[str, ...] = ()
    # Why it can't be, found without trying it.
    refusal: str = ""


def find_login(host: Host, microvm: MicroVM, user: str = "root", more: Sequence[str] = ()) -> Login:
    """The first way into the guest at whose end an sshd answers; `more` are words for ssh after the destination
    (options, a command). Blocking, for some seconds. Raises MvtuiError with what is missing of each way: REFUSED."""
    if not _USER.fullmatch(user):
        raise MvtuiError(f"{user!r} is no name of a user", "--user root", ExitCode.USAGE)
    name = microvm.name
    if microvm.is_hidden:
        raise RightsMissingError(f"{name} {microvm.has_none}", "run mvtui as root (sudo mvtui)")
    if microvm.hypervisor is None:
        why = f"{name} {microvm.has_none}: there is no guest to log in to"
        raise MvtuiError(why, own_command("start", name), ExitCode.REFUSED)
    if os.path.lexists(host.on_disk(host.state_dir).parent / _DEMO):
        raise MvtuiError(
            f"{name} is a sample of the demo: no guest runs in it",
            "on a real host this is ssh into the guest",
            ExitCode.REFUSED,
        )
    ssh = shutil.which("ssh")
    if ssh is None:
        raise MvtuiError("there is no ssh here", "install openssh", ExitCode.REFUSED)
    reasons = []
    for way in _ways(host, microvm):
        why = way.refusal or _try(host, microvm, way)
        if not why:
            # No `--`: ssh would take options behind it for a command. A destination is an address or begins with vsock.
            argv = (os.path.abspath(ssh), "-l", user, *way.options, way.destination, *more)
            return Login(argv, f"{user}@{way.destination}")
        reasons.append(f"{way.place}: {why}")
    raise NoWayError(f"{name} can't be reached{_stage(microvm)}", reasons)


def _ways(host: Host, microvm: MicroVM) -> Iterator[_Way]:
    assert microvm.hypervisor is not None
    network = network_of(microvm.hypervisor.argv, host.root)
    yield _by_vsock(microvm, network)
    for address, port in network.forwards:
        yield _Way(f"{address} port {port}", address, ("-p", str(port)))
    if not network.macs:
        if not network.forwards:
            yield _Way("address", "", refusal="its hypervisor has no interface with a MAC")
        return
    known = addresses(network.macs, host.calls, host.root)
    for address in known:
        yield _Way(address, address)
    if not known:
        macs = ", ".join(network.macs)
        yield _Way("address", "", refusal=f"neither the neighbour table nor a lease of dnsmasq has {macs}")


def _by_vsock(microvm: MicroVM, network: GuestNetwork) -> _Way:
    definition = microvm.booted or (microvm.built.definition if microvm.built is not None else None)
    cid = definition.vsock_cid if definition is not None else None
    if cid is None:
        return _Way("vsock", "", refusal="it has no vsock number (microvm.vsock.cid)")
    assert definition is not None
    mux = network.mux is not None or definition.hypervisor in _MUX
    path = os.path.join(microvm.path, network.mux or "notify.vsock")
    destination = f"vsock-mux{path}" if mux else f"vsock/{cid}"
    place = f"vsock {cid}"
    proxy = next((one for one in PROXIES if os.access(one, os.X_OK)), None)
    if proxy is None:
        return _Way(place, destination, refusal="there is no systemd-ssh-proxy here (systemd 256, with vsock-mux 257)")
    if mux and not _PLAIN_PATH.fullmatch(path):
        return _Way(place, destination, refusal=f"ssh can't be given the path {path}")
    options = (f"ProxyCommand={proxy} %h %p", "ProxyUseFdpass=yes", "CheckHostIP=no")
    return _Way(place, destination, tuple(word for one in options for word in ("-o", one)))


def _try(host: Host, microvm: MicroVM, way: _Way) -> str:
    kind, _, rest = way.destination.partition("/")
    if kind == "vsock":
        return reach.by_vsock(int(rest))
    if kind == "vsock-mux":
        assert microvm.hypervisor is not None
        state_dir = str(host.on_disk(host.state_dir))
        path = os.path.relpath(f"/{rest}", microvm.path)
        return reach.by_mux(state_dir, microvm.name, path, microvm.hypervisor.pid)
    port = int(way.options[1]) if way.options else SSH_PORT
    return reach.by_address(way.destination, port)


def _stage(microvm: MicroVM) -> str:
    stage = microvm.guest.stage if microvm.guest is not None else GuestStage.UNKNOWN
    if stage in (GuestStage.EMERGENCY, GuestStage.PANIC):
        return f" (its guest is in {stage})" if stage is GuestStage.EMERGENCY else f" (its guest had a {stage})"
    return " (its guest still boots)" if stage is GuestStage.BOOTING else ""
