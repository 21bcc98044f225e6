"""The same guest without systemd: mvtui does what the units do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.host import DIRECT_STATE_DIR, Json, RealHost, sample, wait_until

DIRECT = ("--manager", "direct", "--state-dir", DIRECT_STATE_DIR)


@pytest.fixture(scope="module")
def lone(host: RealHost) -> Iterator[str]:
    name = host.add(sample("lone"), state_dir=DIRECT_STATE_DIR)
    host.mvtui(*DIRECT, "start", name)
    host.wait_for_boot(name)
    yield name
    host.mvtui(*DIRECT, "kill", name, check=False)


def shown(host: RealHost, name: str) -> Json:
    listed: dict[str, Any] = json.loads(host.mvtui(*DIRECT, "list", "--json").stdout)
    assert listed["manager"] == "direct"
    found: Json = next(microvm for microvm in listed["microvms"] if microvm["name"] == name)
    return found


def test_start_and_stop(host: RealHost, lone: str) -> None:
    seen = shown(host, lone)
    assert seen["state"] == "running", seen
    assert {share["tag"]: share["health"] for share in seen["shares"]} == {"ro-store": "up", "home": "up", "docs": "up"}
    assert [len(share["daemons"]) for share in seen["shares"]] == [2, 2, 0]

    hypervisor = next(process for process in seen["processes"] if process["role"] == "hypervisor")
    identity = host.nested.path(f"/proc/{hypervisor['pid']}/status").read_text()
    microvm = host.nested.run("id", "-u", "microvm").stdout.strip()
    kvm = host.nested.run("id", "-g", "microvm").stdout.strip()
    assert "Uid:\t" + "\t".join([microvm] * 4) in identity
    assert "Gid:\t" + "\t".join([kvm] * 4) in identity
    daemon = seen["shares"][0]["daemons"][0]["pid"]
    assert "Uid:\t0\t" in host.nested.path(f"/proc/{daemon}/status").read_text()

    booted = host.nested.path(f"{DIRECT_STATE_DIR}/{lone}/booted")
    assert booted.readlink() == host.nested.path(f"{DIRECT_STATE_DIR}/{lone}/current").readlink()
    assert host.systemctl("is-active", f"microvm@{lone}.service", check=False) == "inactive"

    host.mvtui(*DIRECT, "stop", lone)
    pids = [process["pid"] for process in seen["processes"]]
    assert not [pid for pid in pids if host.nested.path(f"/proc/{pid}").exists()]
    assert not booted.is_symlink()
    assert shown(host, lone)["state"] == "stopped"
    logs = host.nested.run("grep", "-rl", "MVTUI-GUEST ctrl-alt-del", f"{DIRECT_STATE_DIR}/{lone}").stdout
    assert logs, "the guest's console is in a log of the microVM's directory, and it was told to shut down"
    assert not list(host.nested.path("/tmp").glob("*supervisor*")), "supervisord leaves its children's logs in /tmp"
    assert not host.nested.path("/run/mvtui").exists()


def test_killed_hypervisor_is_noticed(host: RealHost, lone: str) -> None:
    host.mvtui(*DIRECT, "start", lone)
    seen = shown(host, lone)
    hypervisor = next(process for process in seen["processes"] if process["role"] == "hypervisor")
    host.kill(hypervisor["pid"])
    wait_until(lambda: shown(host, lone)["state"] not in ("running", "degraded"), "it was not noticed")
