from collections.abc import Mapping

import pytest

from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules import RULES
from mvtui.model.rules.finding import Rule
from mvtui.model.rules.others import (
    INTERFACES,
    REFUSED,
    control_socket,
    cut_string,
    device_bus,
    duplicate_interface,
    forwarded_ports,
    interface_bridge,
    interface_length,
    interface_macvtap,
    interface_type,
    narrow_memory,
    oem_strings,
    refused_option,
    vsock_cid,
    vsock_ssh,
)
from tests.model.rules import test_places, test_shares, test_volumes
from tests.model.rules.cases import TAP, Case, look, named, warned


def _net(rule: Rule, *tables: Mapping[str, object], bad: tuple[str, ...] = (), **top: object) -> Case:
    return Case(rule, {**top, "interfaces": list(tables)}, tuple(f"interfaces{place}" for place in bad))


_FORWARD = {"host": {"port": 2222}, "guest": {"port": 22}}
_USER = {**TAP, "type": "user"}
_MACVTAP = {**TAP, "type": "macvtap"}
_GIVEN: dict[str, object] = {
    "user": "web",
    "balloon": True,
    "initialBalloonMem": 1,
    "hotplugMem": 1,
    "hotpluggedMem": 1,
    "credentialFiles": {"KEY": "/run/key"},
    "devices": [{"bus": "pci", "path": "x"}],
}
_OEM = {"cloud-hypervisor": {"platformOEMStrings": ["a", "oem_strings=[b]"]}}

CASES = (
    _net(duplicate_interface, TAP, {**TAP, "id": "b"}),
    _net(duplicate_interface, TAP, {**TAP, "id": "b"}, TAP, bad=("[2].id",)),
    _net(interface_bridge, TAP, {**TAP, "type": "bridge", "bridge": "br0"}),
    _net(interface_bridge, {**TAP, "type": "bridge"}, {**TAP, "bridge": "br0"}, bad=("[0].bridge", "[1].bridge")),
    _net(interface_length, {**TAP, "id": "i" * 15}),
    _net(interface_length, {**TAP, "id": "i" * 16}, {**TAP, "id": "ä" * 8}, bad=("[0].id", "[1].id")),
    _net(interface_macvtap, TAP, {**_MACVTAP, "macvtap": {"link": "eth0", "mode": "bridge"}}),
    _net(interface_macvtap, _MACVTAP, bad=("[0].macvtap.link", "[0].macvtap.mode")),
    _net(interface_macvtap, {**_MACVTAP, "macvtap": {"link": "eth0"}}, bad=("[0].macvtap.mode",)),
    *(
        _net(interface_type, {**TAP, "type": kind}, hypervisor=str(name), bad=() if kind in able else ("[0].type",))
        for name, able in INTERFACES.items()
        for kind in ("user", "tap", "macvtap", "bridge")
    ),
    _net(forwarded_ports, _USER, forwardPorts=[_FORWARD]),
    _net(forwarded_ports, TAP, forwardPorts=[]),
    Case(forwarded_ports, {"interfaces": [TAP], "forwardPorts": [_FORWARD]}, ("forwardPorts",)),
    _net(forwarded_ports, _USER, forwardPorts=[_FORWARD], hypervisor="crosvm")._replace(subjects=("forwardPorts",)),
    Case(oem_strings, _OEM),
    Case(oem_strings, {**_OEM, "hypervisor": "cloud-hypervisor"}, ("cloud-hypervisor.platformOEMStrings[1]",)),
    Case(vsock_ssh, {"vsock": {"cid": 3, "ssh": {"enable": True}}}),
    Case(vsock_ssh, {"vsock": {"ssh": {"enable": False}}}),
    Case(vsock_ssh, {"vsock": {"ssh": {"enable": True}}}, ("vsock.cid",)),
    *(Case(vsock_cid, {"vsock": {"cid": cid}}) for cid in (3, 2**32 - 2)),
    *(Case(vsock_cid, {"vsock": {"cid": cid}}, ("vsock.cid",)) for cid in (-1, 0, 1, 2, 2**32 - 1)),
    Case(vsock_cid, {}),
    *(Case(narrow_memory, {"mem": mem}) for mem in (32, 2047, 2049)),
    *(warned(Case(narrow_memory, {"mem": mem}, ("mem",))) for mem in (31, 2048)),
    Case(narrow_memory, {"mem": 2048, "hypervisor": "crosvm"}),
    *(
        Case(refused_option, {key: value, "hypervisor": str(name)}, (key,) if name in REFUSED[key] else ())
        for key, value in _GIVEN.items()
        for name in Hypervisor
        if not (key == "hotplugMem" and name is Hypervisor.QEMU)
    ),
    Case(refused_option, {"hotplugMem": 1}, ("hotplugMem",)),
    Case(refused_option, {"hotplugMem": 1, "qemu": {"machine": "q35"}}),
    *(
        Case(refused_option, {key: type(value)(), "hypervisor": "firecracker"})
        for key, value in _GIVEN.items()
        if key != "user"
    ),
    *(
        Case(device_bus, {"devices": [{"bus": bus, "path": "x"}], "hypervisor": name}, subjects)
        for name, bus, subjects in (
            ("qemu", "usb", ()),
            ("qemu", "pci", ()),
            ("crosvm", "pci", ()),
            ("crosvm", "usb", ("devices[0].bus",)),
            ("cloud-hypervisor", "usb", ("devices[0].bus",)),
            ("stratovirt", "pci", ("devices[0].bus",)),
        )
    ),
    *(Case(control_socket, {"socket": name}) for name in ("a.sock", "s" * 107)),
    *(Case(control_socket, {"socket": name}, ("socket",)) for name in ("", "s" * 108)),
    Case(cut_string, {"user": "a", "preStart": "\n"}),
    Case(cut_string, {"user": "a\0"}, ("user",)),
    Case(cut_string, {"kernelParams": ["a", "\0"], "a b": {"c": "\0"}}, ("kernelParams[1]", '"a b".c')),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=named)
def test_rule(case: Case) -> None:
    look(case)


def test_every_rule_has_good_and_bad_cases_and_names_its_source() -> None:
    tables = (
        *CASES,
        *test_shares.CASES,
        *test_volumes.CASES,
        *test_places.MOUNT_POINTS,
        *test_places.STORES,
        *test_places.HYPERVISORS,
    )
    for rule in RULES:
        assert rule.__doc__, rule
        assert {bool(case.subjects) for case in tables if case.rule is rule} == {True, False}, rule.__name__
