"""What a message of Nix is about, as places in the document that was judged."""

import datetime
import re
from collections.abc import Callable, Iterator
from typing import Any

from mvtui.model.place import joined, place
from tests.nix.documents import Document

_ENTRY = re.compile(r'\."?\[definition \d+-entry (\d+)\]"?')
_OPTION = re.compile(
    r"(?:A definition for option|The option definition|[Tt]he option) `microvm\.(.+?)'"
    r"(?:!| is not of type| does not exist| was accessed but has no value| in )"
)
_MOUNT = re.compile(r"option `fileSystems\.\"?(.+?)\"?\.(mountPoint|device|fsType|options)'", re.DOTALL)

Table = dict[str, Any]
Wanted = Callable[[Table], bool]


def _all(table: Table) -> bool:
    return True


def _each(key: str, option: str, wanted: Wanted = _all) -> Callable[[Document, re.Match[str]], list[str]]:
    return lambda document, _: [
        f"{key}[{index}].{option}" for index, table in enumerate(document.get(key, [])) if wanted(table)
    ]


def _one(subject: str) -> Callable[[Document, re.Match[str]], list[str]]:
    return lambda _, __: [subject]


def _is(option: str, value: object, default: object = None) -> Wanted:
    return lambda table: table.get(option, default) == value


def _shares_with(document: Document, match: re.Match[str]) -> list[str]:
    """Of two shares with one tag, the socket that both have by default is a matter of the tag."""
    shares = enumerate(document.get("shares", []))
    return [f"shares[{index}].{option}" for index, _ in shares for option in ("socket", "tag")]


def _named(document: Document, match: re.Match[str]) -> list[str]:
    """Messages are told on one line."""
    return _each("shares", "tag", lambda table: " ".join(str(table.get("tag")).split()) == match[1])(document, match)


def _tagged(option: str) -> Callable[[Document, re.Match[str]], list[str]]:
    return lambda document, match: _each("shares", option, _is("tag", match[1]))(document, match)


_PROTO_9P, _PROTO_VIRTIOFS = _is("proto", "9p", "9p"), _is("proto", "virtiofs")


def _in_the_store(share: Table) -> bool:
    return str(share["mountPoint"]).startswith("/nix/store/")


# What the message says, and the places that it is about: one of them mvtui has to name.
_MESSAGES: tuple[tuple[str, Callable[[Document, re.Match[str]], list[str]]], ...] = (
    (r'volume image "(.*)" is used', lambda d, m: _each("volumes", "image", _is("image", m[1]))(d, m)),
    (r'interface id "(.*)" is used', lambda d, m: _each("interfaces", "id", _is("id", m[1]))(d, m)),
    (r"doesn't have a bridge to attach to", _each("interfaces", "bridge", _is("type", "bridge"))),
    (r"shouldn't have a \"bridge\" option", _each("interfaces", "bridge", lambda table: "bridge" in table)),
    (r"interface name (.*) is longer than", lambda d, m: _each("interfaces", "id", _is("id", m[1]))(d, m)),
    (r'share tag "(.*)" is used', _tagged("tag")),
    (r'share socket ".*" is used', _shares_with),
    (r'virtiofs share "(.*)" has posixAcl=true', _tagged("posixAcl")),
    (r"`config.microvm.forwardPorts` works only", _one("forwardPorts")),
    (r"items must not contain `oem_strings`", _one("cloud-hypervisor.platformOEMStrings[0]")),
    (r"requires microvm.vsock.cid to be set", _one("vsock.cid")),
    (r"Specify a size for volume", _each("volumes", "size", lambda table: "size" not in table)),
    (r"Do not know how to handle (.*)", lambda d, m: _each("volumes", "fsType", _is("fsType", m[1]))(d, m)),
    (r"The name 'virtiofsd-(.*)' is no name of a store path", _named),
    (r"9p/virtiofs shares not implemented for Firecracker", _each("shares", "proto")),
    (r"cloud-hypervisor supports only shares that are virtiofs", _each("shares", "proto", _PROTO_9P)),
    (r"virtiofs shares not implemented for kvmtool", _each("shares", "proto", _PROTO_VIRTIOFS)),
    (r"9p shares not implemented for alioth", _each("shares", "proto", _PROTO_9P)),
    (r'attribute .?"?9p"?.? missing', _each("shares", "proto", _PROTO_9P)),
    (r"Readonly 9p share is not|does not support readonly 9p", _each("shares", "readOnly", _is("readOnly", True))),
    (r"[Ii]nterface type (\w+)", lambda d, m: _each("interfaces", "type", _is("type", m[1]))(d, m)),
    (r"will not change user", _one("user")),
    (r"^balloon not implemented", _one("balloon")),
    (r"initialBalloonMem", _one("initialBalloonMem")),
    (r"hotplugMem|does not support virtio-mem", _one("hotplugMem")),
    (r"hotpluggedMem", _one("hotpluggedMem")),
    (r"credentialFiles", _one("credentialFiles")),
    (r"devices passthrough not implemented|PCI/USB passthrough|unexpected argument 'qemu'", _one("devices")),
    (r"USB passthrough is not supported", _each("devices", "bus", _is("bus", "usb"))),
    (r"PCI configuration for stratovirt", _each("devices", "bus", _is("bus", "pci"))),
    (r"vfkit only works on macOS", _one("hypervisor")),
    (r"can't be topologically sorted", _each("shares", "mountPoint", _in_the_store)),
    (r"list index 0 is out of bounds", _one("storeOnDisk")),
)  # fmt: skip


def places(message: str, document: Document) -> list[str]:
    """One of these mvtui has to name where Nix says `message` of `document`; none: the message is not known."""
    if found := _OPTION.search(message):
        return [_ENTRY.sub(lambda match: f"[{int(match[1]) - 1}]", found[1])]
    if found := _MOUNT.search(message):
        return list(_mounted(document, found[1], found[2]))
    if "Dates and times are not supported" in message:
        return list(_dates(document, ""))
    if "while parsing a TOML string" in message:
        return [""]
    for pattern, of in _MESSAGES:
        if match := re.search(pattern, message):
            return of(document, match)
    return []


def _mounted(document: Document, mount_point: str, option: str) -> Iterator[str]:
    """fileSystems has a share's tag as `device`."""
    for key in ("shares", "volumes"):
        for index, table in enumerate(document.get(key, [])):
            if table.get("mountPoint") == mount_point:
                yield place((key, index, "mountPoint"))
                if option == "device" and key == "shares":
                    yield place((key, index, "tag"))
                if option == "fsType" and key == "volumes":
                    yield place((key, index, "fsType"))


def _dates(value: object, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _dates(inner, joined(at, key))
    elif isinstance(value, datetime.date | datetime.time):
        yield at
