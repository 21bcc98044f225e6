"""What breaks under a guest that runs is in the list within three seconds, with its cause, and alone."""

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.real.host import Json, RealHost, wait_until

FOUND_WITHIN = 3.0
DOCS = Share("docs", ShareProto.NINE_P, "/srv/{}/docs", "/docs")
OVERLAY = Volume("nix-store-overlay.img", mount_point="/nix/.rw-store", size=64)

# Looks as the panel does: says once that it has looked and found nothing, then what it finds, and when that was.
WATCH = """
import asyncio, json, sys, time
from mvtui.operations.hosts import open_host
from mvtui.operations.monitor import snapshots

async def watch(name):
    looks = 0
    async for snapshot in snapshots(open_host()):
        one, at = snapshot.find(name), time.time()
        looks += 1
        if one is not None and one.findings:
            found = [[each.severity.name.lower(), each.note, each.what, each.why, each.fix] for each in one.findings]
            print(json.dumps({"at": at, "state": str(one.state.word), "findings": found}), flush=True)
            return
        known = one is not None and all(share.source is not None for share in one.shares)
        if known and one.state.word == "running" and all(volume.image is not None for volume in one.volumes):
            if looks >= 3:
                print(json.dumps({"well": True}), flush=True)

asyncio.run(watch(sys.argv[1]))
"""

# Makes the missing source as M does: planned, then done.
MAKE = """
import asyncio, json, sys
from mvtui.model.source_plan import missing_sources
from mvtui.operations.hosts import open_host
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.making_source import plan_source, run_source

async def make(name):
    host = open_host()
    microvm = (await take_snapshot(host, Kept(host))).find(name)
    (status,) = missing_sources(microvm)
    plan = await plan_source(host, microvm, status.share)
    outcome = await run_source(host, plan)
    await host.units.close()
    print(json.dumps([plan.path, plan.owner, outcome.ok, outcome.words]))

asyncio.run(make(sys.argv[1]))
"""


def small(name: str, *shares: Share, volumes: tuple[Volume, ...] = (), overlay: str | None = None) -> Definition:
    docs = DOCS._replace(source=f"/srv/{name}/docs")
    return Definition(
        host_name=name,
        mem=96,
        shares=(docs, *shares),
        volumes=volumes,
        writable_store_overlay=overlay,
        store_on_disk=False,
    )


@contextlib.contextmanager
def watched(host: RealHost, name: str) -> Iterator["subprocess.Popen[str]"]:
    """A looker that has found nothing so far."""
    with host.nested.python_running("-c", WATCH, name) as looker:
        assert looker.stdout is not None
        first = looker.stdout.readline()
        assert first, looker.communicate()[1]
        assert json.loads(first) == {"well": True}, first
        yield looker


def found(looker: "subprocess.Popen[str]", since: float) -> Json:
    """What it finds, in time."""
    out, errors = looker.communicate(timeout=60)
    assert looker.returncode == 0, errors
    told: Json = json.loads(out.splitlines()[-1])
    assert told["at"] - since < FOUND_WITHIN, told
    return told


def checked(host: RealHost, name: str) -> list[Json]:
    """What `mvtui check` finds."""
    done = host.mvtui("check", name, "--json", check=False)
    (told,) = json.loads(done.stdout)["microvms"]
    findings: list[Json] = told["findings"]
    return findings


def test_a_source_is_removed_and_made_again(host: RealHost, ending: list[str]) -> None:
    home = "/srv/sourceless/home"
    name = host.add(small("sourceless", Share("home", ShareProto.VIRTIOFS, home, "/home")))
    ending.append(name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    with watched(host, name) as looker:
        at = time.time()
        host.nested.run("rm", "-r", home)
        told = found(looker, at)
    what = f'Share "home": {home} does not exist.'
    why = "The guest keeps the directory that was there; the next start fails."
    assert (told["state"], told["findings"]) == ("running", [["error", "no source", what, why, f"mkdir -p {home}"]])

    made = json.loads(host.nested.python("-c", MAKE, name).stdout)
    words = f"{name}: {home} is there now, root:root 0755"
    assert made == [home, "root:root", True, words]
    assert host.nested.run("stat", "-c", "%U:%G %a", home).stdout == "root:root 755\n"
    assert words in "\n".join(host.nested.journal("-t", "mvtui"))
    host.mvtui("restart", name)
    host.wait_for_boot(name, 2)
    assert checked(host, name) == []
    assert host.in_guest(name, "echo here >/home/file && cat /home/file") == "here\n"


def test_an_overlay_is_filled_by_its_guest(host: RealHost, ending: list[str]) -> None:
    store = Share("ro-store", ShareProto.VIRTIOFS, "/nix/store", "/nix/.ro-store")
    name = host.add(small("filled", store, volumes=(OVERLAY,), overlay="/nix/.rw-store"))
    ending.append(name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    with watched(host, name) as looker:
        said = host.in_guest(name, "tr '\\0' x </dev/zero >/nix/store/filling; sync")
        at = time.time()
        assert "No space left on device" in said, said
        told = found(looker, at)
    assert told["state"] == "running"
    ((severity, note, what, why, fix),) = told["findings"]
    assert (severity, note) == ("warning", "ov full"), told
    assert why == "Builds in it fail soon."
    percent = re.fullmatch(r"The writable store overlay is (\d+)% full\.", what)
    assert percent is not None, what
    assert int(percent[1]) >= 95
    assert fix == f"reset its overlay: mvtui reset {name}, or make it larger"
    # What is deleted is free again, while it still runs.
    host.in_guest(name, "rm /nix/store/filling; sync")
    wait_until(lambda: checked(host, name) == [], "it is still told", FOUND_WITHIN)
