"""What a hypervisor's command line tells of the guest's network, and whose address is whose."""

import json
from pathlib import Path

import pytest

from mvtui.host.calls import CallLog
from mvtui.host.guest_network import GuestNetwork, addresses, network_of, ranked

MAC = "02:00:00:00:00:01"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ("qemu -device virtio-net-pci,netdev=vm-a,mac=02:00:00:00:00:01,romfile=", GuestNetwork((MAC,))),
        ("cloud-hypervisor --net tap=vm-a,mac=02:00:00:00:00:01", GuestNetwork((MAC,))),
        ("lkvm run -n mode=tap,tapif=vm-a,guest_mac=02:00:00:00:00:01", GuestNetwork((MAC,))),
        ("qemu -device x,mac=02:00:00:00:00:AB", GuestNetwork(("02:00:00:00:00:ab",))),
        (
            "qemu -netdev user,id=a,hostfwd=tcp::2222-:22,hostfwd=tcp:10.0.0.1:80-:80",
            GuestNetwork(forwards=(("127.0.0.1", 2222),)),
        ),
        ("qemu -netdev user,id=a,hostfwd=tcp:0.0.0.0:1-10.0.2.15:22", GuestNetwork(forwards=(("127.0.0.1", 1),))),
        ("qemu -netdev user,id=a,hostfwd=tcp:[::1]:7-:22", GuestNetwork(forwards=(("::1", 7),))),
        ("qemu -netdev user,id=a,hostfwd=udp::2222-:22", GuestNetwork()),
        ("qemu -netdev user,id=a,hostfwd=tcp::2222-:2200", GuestNetwork()),
        ("cloud-hypervisor --vsock cid=3,socket=notify.vsock", GuestNetwork(mux="notify.vsock")),
        ("crosvm run --vsock 3", GuestNetwork()),
        ("qemu -device x,mac=-oProxyCommand=x", GuestNetwork()),
    ],
)
def test_what_is_told(argv: str, told: GuestNetwork) -> None:
    assert network_of(argv.split()) == told


@pytest.mark.parametrize("text", ["{", "[]", '{"network-interfaces": 3, "vsock": []}', "[" * 100_000])
def test_a_configuration_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    assert network_of(["firecracker", "--config-file", str(tmp_path / "config")]) == GuestNetwork()


def test_firecracker(tmp_path: Path) -> None:
    told = {"network-interfaces": [{"guest_mac": MAC}, {}], "vsock": {"guest_cid": 3, "uds_path": "notify.vsock"}}
    (tmp_path / "config").write_text(json.dumps(told))
    argv = ["firecracker", "--config-file", str(tmp_path / "config")]
    assert network_of(argv) == GuestNetwork((MAC,), mux="notify.vsock")


def test_neighbours_that_answered_come_first_and_others_are_not_taken() -> None:
    def one(dst: str, state: str, lladdr: str = MAC, dev: str = "br0") -> dict[str, object]:
        return {"dst": dst, "dev": dev, "lladdr": lladdr, "state": [state]}

    told = [
        one("fe80::1", "REACHABLE"),
        one("2001:db8::1", "REACHABLE"),
        one("10.0.0.1", "STALE"),
        one("10.0.0.2", "REACHABLE"),
        one("10.0.0.3", "FAILED"),
        one("10.0.0.4", "REACHABLE", "02:00:00:00:00:99"),
        one("fe80::2", "REACHABLE", dev="x -oProxyCommand"),
        one("-oProxyCommand=x", "REACHABLE"),
        {"dst": "10.0.0.5"},
        "nonsense",
    ]
    assert ranked(told, (MAC,)) == ["10.0.0.2", "10.0.0.1", "2001:db8::1", "fe80::1%br0"]
    assert ranked({"no": "list"}, (MAC,)) == []


def test_leases_of_dnsmasq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    leases = tmp_path / "var/lib/misc/dnsmasq.leases"
    leases.parent.mkdir(parents=True)
    leases.write_text(f"1 {MAC} 10.0.0.7 web *\n2 02:00:00:00:00:99 10.0.0.8 db *\n3 {MAC} -oX web *\nduid 00\n")
    calls = CallLog()
    assert addresses((MAC,), calls, tmp_path) == ("10.0.0.7",)
    assert [call.what for call in calls.calls] == ["ip -json neighbour show"]
    assert addresses((), calls, tmp_path) == ()
