"""The overlay of a guest that has written into it: reset, and brought back."""

from tests.real.host import STATE_DIR, RealHost
from tests.real.overlays import (
    HELD,
    IMAGE,
    asked,
    digests,
    kept,
    on_share,
    on_volume,
    refused,
    reset,
    running,
    started,
)


def everything_else(host: RealHost, name: str) -> dict[str, str]:
    """All files of the state directory and of the shares, but the overlay's."""
    state = host.nested.path(f"{STATE_DIR}/{name}")
    shares = host.nested.path(f"/srv/{name}")
    return digests([state, shares], but={IMAGE, ".mvtui", "overlay"})


def test_a_guest_loses_what_is_in_its_overlay_and_nothing_else(host: RealHost, ending: list[str]) -> None:
    name = host.add(on_volume("lives"))
    ending.append(name)
    started(host, name)
    write = "for at in /nix/store /data /home; do head -c 300000 /dev/urandom >$at/built; done; sync"
    assert host.in_guest(name, write) == ""
    sums = host.in_guest(name, "md5sum /data/built /home/built")

    why = refused(host, name)
    hypervisor = host.property(f"microvm@{name}.service", "MainPID")
    assert f"microvm@{name}.service" in why or hypervisor in why, why
    assert host.in_guest(name, "test -e /nix/store/built && echo there") == "there\n"

    host.mvtui("stop", name)
    before = everything_else(host, name)
    assert any(path.endswith("/home/built") for path in before)
    done = reset(host, name)
    assert everything_else(host, name) == before
    assert [one["path"] for one in kept(host, name)], done

    started(host, name)
    assert host.overlay_at_boot(name) == set()
    assert host.in_guest(name, "md5sum /data/built /home/built") == sums
    assert "FAIL" not in "\n".join(host.nested.journal("-u", f"microvm@{name}.service"))

    host.mvtui("stop", name)
    before = everything_else(host, name)
    assert asked(host, "restore", name)["result"] == "done"
    assert everything_else(host, name) == before
    started(host, name)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    assert host.in_guest(name, "md5sum /data/built /home/built") == sums


def test_an_overlay_on_a_share(host: RealHost, ending: list[str]) -> None:
    """Directories know no lease: who has one open is told by a look at every process that root sees."""
    name = host.add(on_share("shared"))
    ending.append(name)
    started(host, name)
    assert host.in_guest(name, "echo x >/nix/store/built; echo y >/home/built; sync") == ""
    assert f"microvm@{name}.service" in refused(host, name)
    host.mvtui("stop", name)
    inside = ("nsenter", "-t", str(host.nested.pid), "-a", "--")
    with running(*inside, "sh", "-c", f"exec 3</srv/{name}/overlay/store && {HELD}"):
        assert "has it open" in refused(host, name)

    before = everything_else(host, name)
    reset(host, name)
    assert everything_else(host, name) == before
    source = host.nested.path(f"/srv/{name}/overlay")
    assert (source.stat().st_uid != 0, (source / "store").stat().st_uid) == (True, 0), "its guest's root made it"
    aside = source / ".mvtui/overlay"
    assert len(list(aside.glob("*.dir/store/built"))) == 1, list(aside.iterdir())
    started(host, name)
    assert host.overlay_at_boot(name) == set()
    assert host.in_guest(name, "cat /home/built; stat -c %u:%g /nix/.rw-store/store") == "y\n0:0\n"

    host.mvtui("stop", name)
    assert asked(host, "restore", name)["result"] == "done"
    started(host, name)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    assert "FAIL" not in "\n".join(host.nested.journal("-u", f"microvm@{name}.service"))


def test_a_fresh_start(host: RealHost, ending: list[str]) -> None:
    name = host.add(on_volume("fresh"))
    ending.append(name)
    started(host, name)
    host.mvtui("stop", name)
    host.mvtui("start", "--fresh", name)
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == set()

    # Of one that runs: stopped, reset, started.
    assert host.in_guest(name, "echo x >/nix/store/second; sync") == ""
    script = """
import asyncio, sys
from mvtui.operations.hosts import open_host
from mvtui.operations.overlay import run_fresh
async def main():
    host = open_host()
    print(await run_fresh(host, sys.argv[1], stop=True))
    await host.units.close()
asyncio.run(main())
"""
    outcome = host.nested.python("-c", script, name, timeout=120).stdout
    assert "ok=True" in outcome, outcome
    host.wait_for_boot(name, 3)
    assert host.overlay_at_boot(name) == set()
    assert len(kept(host, name)) >= 1
