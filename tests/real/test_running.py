"""A microVM that mvtui started: what it is seen to have."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.host.systemd import SystemdUnits
from mvtui.model.unit import UnitVerb
from tests.real.host import Json, RealHost, sample
from tests.real.nested import CHECKOUT

UNITS = ("microvm-set-booted@web.service", "microvm-virtiofsd@web.service", "microvm@web.service")


@pytest.fixture(scope="module")
def web(host: RealHost) -> Iterator[Json]:
    host.add(sample("web"))
    host.mvtui("start", "web")
    host.wait_for_boot("web")
    yield json.loads(host.mvtui("show", "web", "--json").stdout)
    host.end("web")


def test_it_runs_and_says_why_and_since_when(web: Json) -> None:
    assert web["state"] == "running", web
    assert web["why"]
    assert web["since"].endswith("Z")
    assert web["note"] == ""
    assert web["hypervisor"] == "qemu"
    assert web["mem"] == 96 * 2**20


def test_its_units_are_systemds(host: RealHost, web: Json) -> None:
    active = {unit["name"] for unit in web["units"] if unit["activeState"] == "active"}
    assert active == set(UNITS)
    hypervisor = next(unit for unit in web["units"] if unit["name"] == "microvm@web.service")
    assert str(hypervisor["mainPid"]) == host.property("microvm@web.service", "MainPID")
    assert (hypervisor["subState"], hypervisor["nRestarts"], hypervisor["job"]) == ("running", 0, None)


def test_each_virtiofs_share_has_a_connected_daemon_and_its_sandboxed_child(host: RealHost, web: Json) -> None:
    shares = {share["tag"]: share for share in web["shares"]}
    assert list(shares) == ["ro-store", "home", "docs"]
    for tag in ("ro-store", "home"):
        share = shares[tag]
        assert (share["health"], share["socketExists"], share["connected"]) == ("up", True, True), share
        parent, child = (daemon["pid"] for daemon in share["daemons"])
        assert host.nested.path(f"/proc/{child}/stat").read_text().split()[3] == str(parent)
        assert f"--socket-path=web-virtiofs-{tag}.sock" in host.nested.path(f"/proc/{child}/cmdline").read_text()
    assert (shares["home"]["source"], shares["home"]["mountPoint"]) == ("/srv/web/home", "/home")


def test_a_9p_share_is_the_hypervisors_own(web: Json) -> None:
    docs = next(share for share in web["shares"] if share["tag"] == "docs")
    assert (docs["proto"], docs["health"], docs["daemons"]) == ("9p", "up", [])
    assert (docs["source"], docs["mountPoint"]) == ("/srv/web/docs", "/docs")


def test_the_volume_is_the_overlays_and_holds_what_the_guest_wrote(host: RealHost, web: Json) -> None:
    overlay = web["overlay"]
    assert overlay is not None
    assert [volume["image"] for volume in web["volumes"]] == ["nix-store-overlay.img"]
    assert (overlay["image"], overlay["mountPoint"], overlay["fsType"]) == (
        "nix-store-overlay.img",
        "/nix/.rw-store",
        "ext4",
    )
    image = host.nested.path("/var/lib/microvms/web/nix-store-overlay.img").stat()
    assert overlay["size"] == image.st_size == 64 * 2**20
    assert 0 < overlay["allocated"] < overlay["size"]
    assert overlay["allocated"] == image.st_blocks * 512
    assert not host.nested.path("/nix/store/from-guest").exists()


def test_qemu_is_seen_to_hold_and_to_lock_the_image(web: Json) -> None:
    qemu = next(process["pid"] for process in web["processes"] if process["role"] == "hypervisor")
    held = web["overlay"]["heldBy"]
    assert [(holder["pid"], holder["microvm"], holder["how"]) for holder in held] == [(qemu, "web", "lock")]
    assert held[0]["command"].startswith("qemu-system")
    assert web["overlay"]["heldByComplete"] is False, "outside of this pid namespace there may be others"


def test_a_source_is_described(host: RealHost, web: Json) -> None:
    facts = next(share for share in web["shares"] if share["tag"] == "home")["sourceFacts"]
    assert (facts["kind"], facts["user"], facts["group"], facts["mode"]) == ("directory", "microvm", "kvm", "0755")
    fs_type = host.nested.run("stat", "-f", "-c", "%T", "/srv/web/home").stdout.strip()
    assert facts["fsType"] == {"overlayfs": "overlay", "ext2/ext3": "ext4"}.get(fs_type, fs_type)
    assert 0 < facts["fsFree"] < facts["fsSize"]


def test_the_guest_can_write_the_hosts_store_where_its_share_is_not_read_only(host: RealHost, web: Json) -> None:
    assert next(share for share in web["shares"] if share["tag"] == "ro-store")["readOnly"] is not True
    assert host.nested.path("/nix/store/guest-was-here").stat().st_uid == 0


def test_its_processes_are_told_with_what_they_use(host: RealHost, web: Json) -> None:
    roles = [process["role"] for process in web["processes"]]
    assert roles.count("hypervisor") == 1
    assert roles.count("virtiofsd") == 4
    hypervisor = next(process for process in web["processes"] if process["role"] == "hypervisor")
    assert hypervisor["unit"] == "microvm@web.service"
    assert str(hypervisor["uid"]) == host.nested.run("id", "-u", "microvm").stdout.strip()
    assert hypervisor["rss"] > 50 * 2**20
    assert hypervisor["openFiles"] > 10


def test_a_look_leaves_the_monitor_socket_free(host: RealHost, web: Json) -> None:
    asked = '{"execute":"qmp_capabilities"}\n{"execute":"query-status"}\n'
    told = host.nested.run("socat", "-t3", "STDIO", "UNIX:/var/lib/microvms/web/web.sock", stdin=asked).stdout
    assert '"running": true' in told


def test_a_program_without_rights_is_told_what_would_give_them(host: RealHost, web: Json) -> None:
    for place in (Path(sys.executable).resolve(), Path(sys.executable), CHECKOUT / "mvtui"):
        host.nested.run("chmod", "a+x", *(str(parent) for parent in place.parents if parent != CHECKOUT), check=False)
    words = ["setpriv", "--reuid=microvm", "--regid=kvm", "--clear-groups", sys.executable, "-m", "mvtui"]
    environment = {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"}
    refused = host.nested.run(*words, "stop", "web", env=environment, check=False)
    assert refused.returncode == 77, refused
    assert "sudo" in refused.stderr or "root" in refused.stderr
    assert host.systemctl("is-active", "microvm@web.service") == "active"


async def test_the_units_adapter_over_the_real_bus(host: RealHost, web: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", host.nested.bus)
    host.add(sample("told"))
    units = SystemdUnits()
    try:
        async with asyncio.timeout(30):
            statuses = await units.statuses()
            assert {name for name, status in statuses.items() if status.active_state == "active"} >= set(UNITS)
            told_of_change = asyncio.ensure_future(anext(aiter(units.changes())))
            result = await units.run_job(UnitVerb.START, "microvm-set-booted@told.service")
            assert (result.result, result.ok) == ("done", True)
            await told_of_change
            assert (await units.statuses())["microvm-set-booted@told.service"].active_state == "active"
    finally:
        await units.close()
        host.end("told")
