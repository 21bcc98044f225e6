"""Resets that are refused, or undone, since something has the overlay in use, or is about to."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.host.living import loop_device
from tests.real.host import STATE_DIR, RealHost, wait_until
from tests.real.overlays import (
    HELD,
    IMAGE,
    MAPPED,
    REFUSED,
    image,
    kept,
    on_volume,
    refused,
    reset,
    running,
    started,
    stopped,
)


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
