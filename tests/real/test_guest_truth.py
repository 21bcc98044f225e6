"""What a real guest tells: QEMU over its socket, and the console in the real journal and in a keeper's log."""

import json
import shlex
import time
from collections.abc import Iterator

import pytest

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.real.host import DIRECT_STATE_DIR, Json, RealHost, sample, wait_until

DIRECT = ("--manager", "direct", "--state-dir", DIRECT_STATE_DIR)
# From the moment that the console said so to the first snapshot that has it.
FOUND_WITHIN = 3.0

# Looks as the panel does, until the microVM named has a finding; then says how long after it began that was.
WATCH = """
import asyncio, json, sys, time
from mvtui.operations.hosts import open_host
from mvtui.operations.monitor import snapshots

async def watch(name, note):
    host = open_host()
    async for snapshot in snapshots(host):
        one = snapshot.find(name)
        for finding in one.findings if one is not None else ():
            if finding.note == note:
                late = time.time() - finding.since.timestamp()
                print(json.dumps([str(one.state.word), one.state.why, finding.why, finding.fix, late]))
                return

asyncio.run(watch(*sys.argv[1:]))
"""


def show(host: RealHost, name: str, *words: str) -> Json:
    shown: Json = json.loads(host.mvtui(*words, "show", name, "--json").stdout)
    return shown


def notes(shown: Json) -> list[str]:
    return [finding["note"] for finding in shown["findings"]]


def broken(name: str) -> Definition:
    """Its volume is no file system."""
    return Definition(
        host_name=name,
        mem=96,
        shares=(Share("docs", ShareProto.NINE_P, f"/srv/{name}/docs", "/docs"),),
        volumes=(Volume("data.img", mount_point="/var/lib/data", auto_create=False, fs_type="ext4"),),
        store_on_disk=False,
    )


def blank_image(host: RealHost, name: str, state_dir: str = "/var/lib/microvms") -> None:
    image = f"{state_dir}/{name}/data.img"
    host.nested.run("truncate", "-s", "8M", image)
    host.nested.run("chown", "microvm:kvm", image)


@pytest.fixture(scope="module")
def told(host: RealHost) -> Iterator[Json]:
    name = host.add(sample("told-truth"))
    host.mvtui("start", name)
    host.wait_for_boot(name)
    wait_until(lambda: show(host, name)["guest"]["stage"] == "up", "the console does not say so")
    yield show(host, name)
    host.end(name)


def test_a_guest_that_runs_is_told_by_qemu_and_by_its_console(told: Json) -> None:
    assert told["state"] == "running", told
    assert told["why"].endswith("The guest has booted.")
    guest = told["guest"]
    assert (guest["against"], guest["unanswered"]) == (None, None)
    assert (guest["hypervisor"]["status"], guest["hypervisor"]["memory"]) == ("running", 96 << 20)
    (disk,) = guest["hypervisor"]["disks"]
    assert (disk["name"], disk["image"], disk["readOnly"]) == ("vda", "nix-store-overlay.img", False)
    assert (disk["ioStatus"], disk["failed"]) in ((None, 0), ("ok", 0)), disk
    shares = {share["name"]: share["connected"] for share in guest["hypervisor"]["shares"]}
    assert shares == {"ro-store": True, "home": True}
    assert guest["console"]["complaints"] == []
    assert guest["console"]["complete"]
    assert [finding["note"] for finding in told["findings"] if finding["severity"] == "error"] == []


def test_a_stop_beside_looks_is_as_fast_as_without(host: RealHost, ending: list[str]) -> None:
    """`microvm-shutdown` needs the same socket, which serves one client; and who stopped is asked nothing."""
    name = host.add(sample("stop-truth"))
    ending.append(name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    with host.nested.python_running("-c", WATCH, name, "never") as looker:
        began = time.monotonic()
        host.mvtui("stop", name)
        took = time.monotonic() - began
        assert looker.poll() is None, looker.stderr.read() if looker.stderr else ""
    assert took < 15, took
    assert show(host, name)["guest"] is None


def test_a_broken_mount_is_found_within_seconds_with_its_cause(host: RealHost, ending: list[str]) -> None:
    name = host.add(broken("emergency"), kernel_params=["mvtui.needs-mounts"])
    ending.append(name)
    blank_image(host, name)
    with host.nested.python_running("-c", WATCH, name, "emergency") as looker:
        host.mvtui("start", name)
        out, errors = looker.communicate(timeout=60)
    assert looker.returncode == 0, errors
    state, why, cause, fix, late = json.loads(out)
    assert late < FOUND_WITHIN, late
    assert state == "degraded"
    assert cause == "/var/lib/data is not mounted: EXT4-fs (vda): VFS: Can't find ext4 filesystem."
    assert why == f"The guest is in emergency mode: {cause.removesuffix('.')}"
    assert fix == f"mend volume data.img, then mvtui restart {name}"
    shown = show(host, name)
    assert (shown["state"], shown["guest"]["stage"]) == ("degraded", "emergency mode")
    assert "emergency" in notes(shown)
    assert shown["guest"]["hypervisor"]["status"] == "running", "QEMU knows nothing of it"


def test_a_guest_that_writes_anything_to_its_console(host: RealHost, ending: list[str]) -> None:
    name = host.add(sample("shouting"), kernel_params=["mvtui.shouts"])
    ending.append(name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    wait_until(lambda: show(host, name)["guest"]["stage"] == "up", "the console does not say so")
    command = ["journalctl", "-q", "-a", "-o", "cat", f"_SYSTEMD_UNIT=microvm@{name}.service"]
    written = host.nested.run("sh", "-c", f"{shlex.join(command)} | LC_ALL=C grep -c -a 'xxxxxxxx'").stdout
    assert int(written) > 1, "it was written, and is more than one entry"
    shown = host.mvtui("show", name).stdout
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert notes(show(host, name)) == []


def test_a_keepers_log_tells_of_this_run_alone(host: RealHost) -> None:
    """The first run ends in emergency mode; mended and started again, it is well, though the log has both."""
    name = host.add(broken("kept-truth"), state_dir=DIRECT_STATE_DIR, kernel_params=["mvtui.needs-mounts"])
    blank_image(host, name, DIRECT_STATE_DIR)
    try:
        host.mvtui(*DIRECT, "start", name)
        wait_until(lambda: "emergency" in notes(show(host, name, *DIRECT)), "it is not seen", within=60)
        assert show(host, name, *DIRECT)["state"] == "degraded"
        host.mvtui(*DIRECT, "stop", name)
        assert show(host, name, *DIRECT)["guest"] is None
        host.nested.run("mkfs.ext4", "-q", f"{DIRECT_STATE_DIR}/{name}/data.img")
        host.mvtui(*DIRECT, "start", name)
        wait_until(lambda: show(host, name, *DIRECT)["guest"]["stage"] == "up", "it does not boot", within=60)
        shown = show(host, name, *DIRECT)
        assert (shown["state"], shown["guest"]["console"]["complaints"]) == ("running", [])
    finally:
        host.mvtui(*DIRECT, "kill", name, check=False)
