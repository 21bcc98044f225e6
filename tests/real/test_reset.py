"""The overlay of a guest that has written into it: reset, brought back, refused where something stands against it."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.host.living import dies_with_us, loop_device
from tests.real.host import STATE_DIR, Json, RealHost, wait_until
from tests.real.overlays import IMAGE, digests, image, on_share, on_volume

REFUSED = 3


def asked(host: RealHost, *words: str, exit_code: int = 0) -> Json:
    """The one result of `mvtui reset …` or `restore …`."""
    ran = host.mvtui(*words, "--json", check=False)
    assert ran.returncode == exit_code, ran
    (result,) = json.loads(ran.stdout)["resets"]
    assert isinstance(result, dict)
    return result


def reset(host: RealHost, name: str) -> Json:
    result = asked(host, "reset", "--yes", name)
    assert result["result"] == "done", result
    return result


def refused(host: RealHost, name: str) -> str:
    """Why it is refused, with all that the plan says."""
    result = asked(host, "reset", "--yes", name, exit_code=REFUSED)
    assert result["result"] == "refused", result
    assert result["words"], result
    return json.dumps(result)


def kept(host: RealHost, name: str) -> list[Json]:
    found: list[Json] = json.loads(host.mvtui("show", name, "--json").stdout)["overlay"]["kept"]
    return found


def stopped(host: RealHost, name: str) -> str:
    """A microVM that has never run, its overlay made as at its first start, by the user that it runs as."""
    host.add(on_volume(name))
    path = f"{STATE_DIR}/{name}/{IMAGE}"
    make = f"truncate -s 64M {path} && mkfs.ext4 -q {path}"
    host.nested.run("setpriv", "--reuid=microvm", "--regid=kvm", "--clear-groups", "sh", "-c", make)
    return name


def started(host: RealHost, name: str) -> None:
    """Start it by mvtui, until its guest is ready once more."""
    boots = host.boots(name)
    host.mvtui("start", name)
    host.wait_for_boot(name, boots + 1)


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
    host.nested.run("chown", "root:root", f"/srv/{name}/overlay")  # as what virtiofsd makes in it
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
    aside = host.nested.path(f"/srv/{name}/overlay/.mvtui/overlay")
    assert len(list(aside.glob("*.dir/store/built"))) == 1, list(aside.iterdir())
    started(host, name)
    assert host.overlay_at_boot(name) == set()
    assert host.in_guest(name, "cat /home/built") == "y\n"

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


@contextmanager
def by_a_loop_device(host: RealHost, path: Path) -> Iterator[None]:
    with loop_device(path):
        yield


@contextmanager
def mounted_elsewhere(host: RealHost, path: Path) -> Iterator[None]:
    """In a mount namespace out here, of which nothing is seen within."""
    with (
        loop_device(path) as device,
        running("unshare", "-m", "sh", "-c", f"mount -o ro,noload {device} /mnt && {HELD}"),
    ):
        yield


@contextmanager
def open_elsewhere(host: RealHost, path: Path) -> Iterator[None]:
    """By a process out here, which within has no pid."""
    with running("sh", "-c", f"exec 3<{path} && {HELD}"):
        yield


@contextmanager
def mapped_elsewhere(host: RealHost, path: Path) -> Iterator[None]:
    """And not open."""
    with running(host.tools.python, "-c", MAPPED, str(path)):
        yield


@contextmanager
def as_the_volume_of_another(host: RealHost, path: Path) -> Iterator[None]:
    other = on_volume(f"{path.parent.name}-b")
    name = host.add(
        other._replace(volumes=(other.volumes[0]._replace(image=f"{STATE_DIR}/{path.parent.name}/{IMAGE}"),))
    )
    yield
    host.nested.run("rm", "-r", f"{STATE_DIR}/{name}")


HELD = "echo held && read line"
# Python's own mmap keeps a descriptor.
MAPPED = """
import ctypes, os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
mmap = ctypes.CDLL(None).mmap
mmap.restype, mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, *[ctypes.c_long] * 5]
assert mmap(None, 4096, 1, 1, file, 0) not in (None, ctypes.c_void_p(-1).value)
os.close(file)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def running(*argv: str) -> Iterator[None]:
    """While a process runs that has said `held`."""
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.stdin.close()


@pytest.mark.parametrize(
    "used", [by_a_loop_device, mounted_elsewhere, open_elsewhere, mapped_elsewhere, as_the_volume_of_another]
)
def test_an_image_that_something_uses_is_left(
    host: RealHost, used: Callable[[RealHost, Path], AbstractContextManager[None]]
) -> None:
    name = stopped(host, used.__name__.replace("_", "-"))
    path = image(host, name)
    before = path.stat()
    with used(host, path):
        why = refused(host, name)
        after = path.stat()
        assert (after.st_ino, after.st_mtime_ns, after.st_nlink) == (before.st_ino, before.st_mtime_ns, 1), why
        assert kept(host, name) == []
    reset(host, name)
    assert path.stat().st_ino != before.st_ino
    host.nested.run("rm", "-r", f"{STATE_DIR}/{name}")


def slow_mkfs(host: RealHost, name: str) -> tuple[str, Path]:
    """The directory of a mkfs.ext4 that waits until a file `go` appears in the folder, and says `began` there."""
    directory = f"/nix/store/{name}-mkfs"
    host.nested.run("mkdir", "-p", directory)
    host.nested.run("install", "-d", "-m", "0777", f"/srv/{name}/mkfs")
    program = host.nested.path(f"{directory}/mkfs.ext4")
    wait = f"touch /srv/{name}/mkfs/began; until [ -e /srv/{name}/mkfs/go ]; do sleep 0.05; done"
    program.write_text(f'#!/bin/sh\n{wait}\nPATH=/usr/sbin:/sbin exec mkfs.ext4 "$@"\n')
    program.chmod(0o755)
    return directory, host.nested.path(f"/srv/{name}/mkfs")


@contextmanager
def reset_in_mkfs(host: RealHost, name: str, gate: Path) -> Iterator["subprocess.Popen[str]"]:
    """A reset that is just making the new image, until `go` is in `gate`."""
    with host.nested.python_running("-m", "mvtui", "reset", "--yes", "--json", name) as process:
        wait_until((gate / "began").exists, "mkfs was not run")
        yield process


def test_of_two_at_once_one_is_told_who_works(host: RealHost) -> None:
    name = "two"
    tools_path, gate = slow_mkfs(host, name)
    host.add(on_volume(name), tools=replace(host.tools, mkfs_path=(tools_path, *host.tools.mkfs_path)))
    path = image(host, name)
    path.touch()
    host.nested.run("chown", "microvm:kvm", f"{STATE_DIR}/{name}/{IMAGE}")
    with reset_in_mkfs(host, name, gate) as first:
        why = refused(host, name)
        assert "pid" in why or "works" in why, why
        (gate / "go").touch()
        said, complaints = first.communicate(timeout=30)
    assert first.returncode == 0, said + complaints
    assert len(kept(host, name)) == 1


def test_what_is_started_while_the_new_image_is_made_keeps_its_own(host: RealHost, ending: list[str]) -> None:
    name = "hasty"
    tools_path, gate = slow_mkfs(host, name)
    tools = replace(host.tools, mkfs_path=(tools_path, *host.tools.mkfs_path))
    host.add(on_volume(name), tools=tools)
    ending.append(name)
    (gate / "go").touch()
    started(host, name)
    assert host.in_guest(name, "echo x >/nix/store/built; sync") == ""
    host.mvtui("stop", name)
    for left in gate.iterdir():
        left.unlink()
    before = image(host, name).stat().st_ino
    with reset_in_mkfs(host, name, gate) as process:
        host.systemctl("start", f"microvm@{name}.service")
        host.wait_for_boot(name, 2)
        (gate / "go").touch()
        said, complaints = process.communicate(timeout=30)
    assert process.returncode == REFUSED, said + complaints
    assert image(host, name).stat().st_ino == before
    assert kept(host, name) == []
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    assert host.in_guest(name, "echo y >/nix/store/after; sync; cat /nix/store/built /nix/store/after") == "x\ny\n"


def test_a_start_that_is_queued_counts_as_one(host: RealHost, ending: list[str]) -> None:
    """Between two runs its unit is inactive, and systemd is about to start it."""
    name = host.add(on_volume("queued"))
    ending.append(name)
    # The start waits for the daemons to have ended: without this for 1 to 4 s.
    host.drop_in(f"microvm-virtiofsd@{name}.service", "[Service]\nExecStop=/bin/sleep 8\n")
    started(host, name)
    before = image(host, name).stat().st_ino
    host.power_off_from_within(name)
    unit = f"microvm@{name}.service"
    wait_until(lambda: host.property(unit, "ActiveState") == "inactive", "it did not power off", 60)
    assert host.property(unit, "Job") not in ("", "0")
    why = refused(host, name)
    assert host.property(unit, "ActiveState") == "inactive", "the window was over"
    assert unit in why, why
    host.wait_for_boot(name, 2)
    assert image(host, name).stat().st_ino == before
    assert host.overlay_at_boot(name) == {"from-guest"}
