"""How a guest can be reached over the network, as far as its host knows: what its hypervisor was told, and which
addresses belong to its interfaces (the neighbour table, the leases of a dnsmasq)."""

import ipaddress
import json
import re
import shlex
import subprocess
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mvtui.host.calls import CallLog
from mvtui.host.rooted_files import RootedFiles
from mvtui.model.call import CallKind

SSH_PORT = 22
_SECONDS = 2.0
_MOST_BYTES = 1 << 20
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
# QEMU's -netdev user: hostfwd=tcp:[HOST]:PORT-[GUEST]:22
_FORWARD = re.compile(r"hostfwd=tcp:(|[0-9.]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})-[^:,]*:22(?![0-9])")
# NixOS, Debian, Fedora: where dnsmasq(8) keeps them.
LEASES = ("/var/lib/dnsmasq/dnsmasq.leases", "/var/lib/misc/dnsmasq.leases", "/var/lib/dnsmasq/leases")
# Of ip-neighbour(8), the best first; one that FAILED or is INCOMPLETE has no address of the interface's.
_STATES = ("PERMANENT", "REACHABLE", "DELAY", "PROBE", "STALE")


class GuestNetwork(NamedTuple):
    """What a hypervisor was told. `macs` are those of the guest's interfaces, in lower case; `forwards` are addresses
    and ports of the host that lead to the guest's port 22; `mux` is the socket through which cloud-hypervisor and
    firecracker serve vsock, as written."""

    macs: tuple[str, ...] = ()
    forwards: tuple[tuple[str, int], ...] = ()
    mux: str | None = None


def network_of(argv: Sequence[str], root: Path = Path("/")) -> GuestNetwork:
    """What the command line of a hypervisor tells; of firecracker, what the file of its --config-file does. Never
    raises."""
    macs: list[str] = []
    forwards: list[tuple[str, int]] = []
    mux = None
    for before, word in zip(("", *argv), argv, strict=False):
        fields = dict(part.partition("=")[::2] for part in word.split(","))
        mac = (fields.get("mac") or fields.get("guest_mac") or "").lower()
        if _MAC.fullmatch(mac):
            macs.append(mac)
        for address, port in _FORWARD.findall(word):
            forwards.append((address.strip("[]") or "127.0.0.1", int(port)))
        if before == "--vsock" and "cid" in fields:
            mux = fields.get("socket") or mux
        if before == "--config-file":
            told = _firecracker(word, root)
            macs, mux = [*macs, *told.macs], told.mux or mux
    open_to_all = [("127.0.0.1" if address == "0.0.0.0" else address, port) for address, port in forwards]
    return GuestNetwork(tuple(dict.fromkeys(macs)), tuple(open_to_all), mux)


def _firecracker(path: str, root: Path) -> GuestNetwork:
    text = _text(path, root)
    try:
        told = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return GuestNetwork()
    if not isinstance(told, dict):
        return GuestNetwork()
    listed, vsock = told.get("network-interfaces"), told.get("vsock")
    found = [one.get("guest_mac") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    macs = [mac.lower() for mac in found if isinstance(mac, str) and _MAC.fullmatch(mac.lower())]
    mux = vsock.get("uds_path") if isinstance(vsock, dict) else None
    return GuestNetwork(tuple(macs), mux=mux if isinstance(mux, str) else None)


def addresses(macs: Collection[str], calls: CallLog, root: Path = Path("/")) -> tuple[str, ...]:
    """The addresses of the interfaces with these MACs, those that answered last first; of its own link with the
    interface (`fe80::1%vm-web`). Blocking, for some seconds at most; never raises."""
    if not macs:
        return ()
    return tuple(dict.fromkeys((*_neighbours(macs, calls), *_leases(macs, root))))


def _neighbours(macs: Collection[str], calls: CallLog) -> list[str]:
    command = ["ip", "-json", "neighbour", "show"]
    with calls.call(CallKind.COMMAND, shlex.join(command)) as call:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
            told = json.loads(done.stdout or b"[]")
        except (OSError, subprocess.SubprocessError, ValueError, RecursionError):
            call.end("nothing", ok=False)
            return []
        call.end(f"{len(told)} neighbours" if isinstance(told, list) else "nothing")
    return ranked(told, macs)


def ranked(told: object, macs: Collection[str]) -> list[str]:
    """The addresses in what `ip -json neighbour` prints that belong to these MACs: IPv4 before IPv6 before those of the
    link alone, and of each those that answered last first."""
    found: list[tuple[int, int, str]] = []
    for one in told if isinstance(told, list) else ():
        if not isinstance(one, dict) or str(one.get("lladdr", "")).lower() not in macs:
            continue
        states = one.get("state")
        known = [_STATES.index(state) for state in states if state in _STATES] if isinstance(states, list) else []
        address = _address(one.get("dst"))
        if not known or address is None:
            continue
        device = str(one.get("dev", ""))
        if address.version == 6 and address.is_link_local and not re.fullmatch(r"[A-Za-z0-9._-]{1,15}", device):
            continue
        text = f"{address}%{device}" if address.version == 6 and address.is_link_local else str(address)
        found.append((address.version + address.is_link_local, min(known), text))
    return [text for *_, text in sorted(found)]


def _leases(macs: Collection[str], root: Path) -> list[str]:
    """`EXPIRY MAC ADDRESS NAME CLIENT` in each line."""
    found = []
    for path in LEASES:
        for line in (_text(path, root) or "").splitlines():
            words = line.split()
            address = _address(words[2]) if len(words) > 3 and words[1].lower() in macs else None
            found += [str(address)] if address is not None else []
    return found


def _address(text: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(text) if isinstance(text, str) else None
    return None


def _text(path: str, root: Path) -> str | None:
    """Of a regular file; None where it can't be read."""
    try:
        return RootedFiles(root).read(path, _MOST_BYTES) if path.startswith("/") else None
    except OSError:
        return None
