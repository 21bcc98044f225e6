"""Rules of the other options that may stand in a definition: the assertions of microvm.nix, and what its hypervisors
refuse (lib/runners/*.nix)."""

from collections.abc import Iterator
from typing import Any

from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.place import joined
from mvtui.model.rules.finding import Defined, error, warning

_QEMU, _CLOUD, _FIRECRACKER = Hypervisor.QEMU, Hypervisor.CLOUD_HYPERVISOR, Hypervisor.FIRECRACKER
_CROSVM, _KVMTOOL, _STRATOVIRT, _ALIOTH = (
    Hypervisor.CROSVM,
    Hypervisor.KVMTOOL,
    Hypervisor.STRATOVIRT,
    Hypervisor.ALIOTH,
)

# IFNAMSIZ of linux/if.h has 16 bytes, the last of which is 0.
INTERFACE_BYTES = 15
# VMADDR_CID_HYPERVISOR, _LOCAL and _HOST of vsock(7) come first; VMADDR_CID_ANY is the last of 32 bits.
FIRST_CID, LAST_CID = 3, 2**32 - 2

# Where each `throw`s as soon as the option has a value that is not its default.
REFUSED = {
    "user": (_CLOUD, _FIRECRACKER, _CROSVM, _KVMTOOL, _ALIOTH),
    "balloon": (_FIRECRACKER, _STRATOVIRT, _ALIOTH),
    "initialBalloonMem": (_QEMU, _FIRECRACKER, _CROSVM, _KVMTOOL, _STRATOVIRT, _ALIOTH),
    "hotplugMem": (_FIRECRACKER, _CROSVM, _KVMTOOL, _STRATOVIRT, _ALIOTH),
    "hotpluggedMem": (_FIRECRACKER, _CROSVM, _KVMTOOL, _STRATOVIRT, _ALIOTH),
    "credentialFiles": (_CLOUD, _FIRECRACKER, _CROSVM, _KVMTOOL, _STRATOVIRT, _ALIOTH),
    # kvmtool.nix takes no device with the option `qemu`, which every one has.
    "devices": (_FIRECRACKER, _KVMTOOL, _ALIOTH),
}
NO_USB = (_CLOUD, _CROSVM)
NO_PCI = (_STRATOVIRT,)
INTERFACES = {
    _QEMU: ("user", "tap", "macvtap", "bridge"),
    _CLOUD: ("tap", "macvtap"),
    _FIRECRACKER: ("tap",),
    _CROSVM: ("tap", "macvtap"),
    _KVMTOOL: ("user", "tap", "macvtap"),
    _STRATOVIRT: ("user", "tap", "macvtap", "bridge"),
    _ALIOTH: ("tap",),
}


def duplicate_interface(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "check for duplicate interface ids"."""
    first: dict[str, int] = {}
    for index, interface in _tables(defined, "interfaces"):
        other = first.setdefault(interface["id"], index)
        if other != index:
            yield error(
                f"interfaces[{index}].id",
                f'The name "{interface["id"]}" is that of interfaces[{other}] too.',
                "",
                "give each interface a name of its own",
            )


def interface_bridge(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "check for bridge interfaces"."""
    for index, interface in _tables(defined, "interfaces"):
        is_bridge, has_bridge = interface["type"] == "bridge", "bridge" in interface
        if is_bridge and not has_bridge:
            yield error(f"interfaces[{index}].bridge", "A bridge is missing.", "", 'bridge = "br0"')
        elif has_bridge and not is_bridge:
            yield error(
                f"interfaces[{index}].bridge",
                f"An interface of type {interface['type']} has no bridge.",
                "",
                'type = "bridge", or leave bridge out',
            )


def interface_length(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "check for interface name length": IFNAMSIZ."""
    for index, interface in _tables(defined, "interfaces"):
        size = len(interface["id"].encode())
        if size > INTERFACE_BYTES:
            yield error(
                f"interfaces[{index}].id",
                f"The name has {size} bytes, Linux takes {INTERFACE_BYTES}.",
                "",
                f'id = "{interface["id"].encode()[:INTERFACE_BYTES].decode(errors="ignore")}"',
            )


def interface_macvtap(defined: Defined) -> Iterator[Finding]:
    """interfaces.nix reads `macvtap.link` and `macvtap.mode`, which have no default, of every macvtap."""
    for index, interface in _tables(defined, "interfaces"):
        if interface["type"] != "macvtap":
            continue
        for key in ("link", "mode"):
            if key not in interface.get("macvtap", {}):
                fix = 'macvtap.link = "eth0"' if key == "link" else 'macvtap.mode = "bridge"'
                yield error(f"interfaces[{index}].macvtap.{key}", f"macvtap.{key} is missing.", "", fix)


def interface_type(defined: Defined) -> Iterator[Finding]:
    """INTERFACES"""
    able = INTERFACES[defined.hypervisor]
    for index, interface in _tables(defined, "interfaces"):
        if interface["type"] not in able:
            yield error(
                f"interfaces[{index}].type",
                f"{defined.hypervisor} has no interfaces of type {interface['type']}.",
                "",
                f"one of {', '.join(able)}",
            )


def forwarded_ports(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "blacklist forwardPorts"."""
    user = any(interface["type"] == "user" for _, interface in _tables(defined, "interfaces"))
    if defined.document.get("forwardPorts") and not (defined.hypervisor is _QEMU and user):
        yield error(
            "forwardPorts",
            "Ports are forwarded by qemu alone, through an interface of type user.",
            "",
            "leave forwardPorts out" if defined.hypervisor is not _QEMU else 'an interface with type = "user"',
        )


def oem_strings(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "cloud-hypervisor specific asserts"."""
    own = defined.document.get("cloud-hypervisor")
    if defined.hypervisor is _CLOUD and isinstance(own, dict):
        for index, text in enumerate(own.get("platformOEMStrings", [])):
            if "oem_strings" in text:
                yield error(
                    f"cloud-hypervisor.platformOEMStrings[{index}]",
                    "An OEM string has no oem_strings in it.",
                    "microvm.nix writes that before them.",
                    "the value alone",
                )


def vsock_ssh(defined: Defined) -> Iterator[Finding]:
    """vsock-ssh.nix: "microvm.vsock.ssh.enable requires microvm.vsock.cid to be set"."""
    vsock = defined.document.get("vsock")
    if isinstance(vsock, dict) and vsock.get("ssh", {}).get("enable") and "cid" not in vsock:
        yield error("vsock.cid", "ssh over vsock needs vsock.cid.", "", "vsock.cid = 3, or another from 3 on")


def vsock_cid(defined: Defined) -> Iterator[Finding]:
    """vsock(7): 0, 1 and 2 are reserved, and so is the last of 32 bits."""
    cid = defined.definition.vsock_cid
    if cid is not None and not FIRST_CID <= cid <= LAST_CID:
        yield error("vsock.cid", f"{cid} is no guest's vsock address.", "0, 1 and 2 are the host's.", "vsock.cid = 3")


def narrow_memory(defined: Defined) -> Iterator[Finding]:
    """asserts.nix: "… MB of RAM is uncomfortably narrow"; lib/runners/qemu.nix: "QEMU hangs if memory is exactly 2GB"
    (microvm.nix, issue 171)."""
    mem = defined.definition.mem
    if mem is not None and mem < 32:
        yield warning("mem", f"{mem} MiB of memory are uncomfortably narrow.", "", "mem = 512")
    if mem == 2048 and defined.hypervisor is _QEMU:
        yield warning("mem", "qemu hangs with exactly 2048 MiB of memory.", "", "mem = 2049")


def refused_option(defined: Defined) -> Iterator[Finding]:
    """REFUSED; and qemu's machine "microvm", the default, has no virtio-mem."""
    given = {key: value for key in REFUSED if (value := defined.document.get(key))}
    if "hotplugMem" in given:
        given.setdefault("hotpluggedMem", given["hotplugMem"])
    for key in given:
        if defined.hypervisor in REFUSED[key] and key in defined.document:
            yield error(key, f"{defined.hypervisor} does not take {key}.", "", f"leave {key} out")
    qemu = defined.document.get("qemu")
    machine = qemu.get("machine", "microvm") if isinstance(qemu, dict) else "microvm"
    if "hotplugMem" in given and defined.hypervisor is _QEMU and machine == "microvm":
        yield error("hotplugMem", 'qemu\'s machine "microvm" has no virtio-mem.', "", 'qemu.machine = "q35"')


def device_bus(defined: Defined) -> Iterator[Finding]:
    """NO_USB, NO_PCI"""
    refused = {"usb": NO_USB, "pci": NO_PCI}
    for index, device in _tables(defined, "devices"):
        if defined.hypervisor in refused[device["bus"]]:
            yield error(
                f"devices[{index}].bus",
                f"{defined.hypervisor} has no {device['bus'].upper()} devices of the host.",
                "",
                "leave the device out",
            )


def control_socket(defined: Defined) -> Iterator[Finding]:
    """unix(7): sun_path; the socket is bound as written."""
    socket = defined.definition.socket
    if socket is not None and not 0 < len(socket.encode()) <= 107:
        yield error("socket", "The path of a socket has 1 to 107 bytes.", "", "leave socket out, or a shorter one")


def cut_string(defined: Defined) -> Iterator[Finding]:
    """Nix cuts a string where it has \\u0000 (builtins.fromTOML)."""
    yield from _with_nul(defined.document, "")


def _with_nul(value: object, place: str) -> Iterator[Finding]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _with_nul(inner, joined(place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _with_nul(inner, f"{place}[{index}]")
    elif isinstance(value, str) and "\0" in value:
        yield error(place, "The string has \\u0000 in it, where Nix cuts it.", "", "leave it out")


def _tables(defined: Defined, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    value = defined.document.get(key)
    return iter(enumerate(value if isinstance(value, list) else ()))
