"""Resets of real files, by the child that has the rights of their owner."""

import asyncio
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.armed import made_path
from mvtui.host.images import read_image
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import read_changes
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.overlay import OverlayKind
from mvtui.operations import overlay
from mvtui.operations.closer import look_closer
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.fakes import FakeProcesses, FakeUnits
from tests.host.living import dies_with_us, found, loop_device, need_root
from tests.host.test_holders import holding

RW = "/nix/.rw-store"
OVERLAY = Volume("rw.img", mount_point=RW, size=16, fs_type="ext4", label="rw")
UPPER = Share("upper", ShareProto.VIRTIOFS, mount_point=RW)
# Whoever owns a microVM's files is not root.
OWNER = 65534 if os.geteuid() == 0 else os.geteuid()
CONTENT = b"built by the guest"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user can reach."""
    made = Path(os.path.realpath(tempfile.mkdtemp(prefix="mvtui-test-", dir="/var/tmp")))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def own(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, OWNER, OWNER)


def make_image(image: Path) -> None:
    """As a guest leaves it, with a file in it."""
    image.touch(0o640)
    os.truncate(image, 8 << 20)
    subprocess.run([found("mkfs.ext4"), "-q", "-L", "old", str(image)], check=True)
    script = f"write {image.parent / 'content'} built\n"
    (image.parent / "content").write_bytes(CONTENT)
    subprocess.run(
        [found("debugfs"), "-w", "-f", "-", str(image)], input=script.encode(), check=True, capture_output=True
    )
    own(image)


def content_of(image: Path) -> bytes:
    """What stands in the guest's file, b"" where there is none."""
    done = subprocess.run([found("debugfs"), "-R", "cat built", str(image)], check=True, capture_output=True)
    return done.stdout


@pytest.fixture
def host(folder: Path) -> Host:
    """The microVMs `web`, whose overlay is an image, and `lab`, where it is on a share; neither runs."""
    source = folder / "upper"
    source.mkdir()
    definitions: dict[str, Definition] = {
        "web": Definition(host_name="web", volumes=(OVERLAY,), writable_store_overlay=RW),
        "lab": Definition(host_name="lab", shares=(UPPER._replace(source=str(source)),), writable_store_overlay=RW),
    }
    state_dir = folder / "microvms"
    state_dir.mkdir()
    for name, definition in definitions.items():
        runner = build_runner(definition, folder / "store" / f"1-{name}", Tools(hypervisor="/bin/qemu"))
        (state_dir / name).mkdir()
        (state_dir / name / "current").symlink_to(runner)
        own(state_dir / name)
    make_image(state_dir / "web" / "rw.img")
    for name in ("store", "work"):
        (source / name).mkdir()
        own(source / name)
    (source / "store" / "built").write_bytes(CONTENT)
    own(source)
    own(state_dir)
    return Host("hv01", FakeUnits(), FakeProcesses(), state_dir, records=folder / "records")


def image_of(host: Host) -> Path:
    return host.state_dir / "web" / "rw.img"


def names_below(folder: Path) -> list[str]:
    """Of files and folders; some may go away meanwhile."""
    return [name for _, folders, files in os.walk(folder) for name in (*folders, *files)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_reset_and_restore(host: Host) -> None:
    image = image_of(host)
    before, old = image.read_bytes(), image.stat()
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert plan.ok, plan.refusal
    assert plan.facts is not None
    assert (plan.facts.file_id, plan.facts.label) == ((old.st_dev, old.st_ino), "old")
    assert image.read_bytes() == before, "a plan changes nothing"
    assert not (host.state_dir / "web" / ".mvtui").exists()

    outcome = await overlay.run_reset(host, "web")
    assert outcome.ok, outcome
    new = image.stat()
    facts = read_image(host.state_dir / "web", "rw.img")
    assert (facts.size, facts.fs_type, facts.label) == (16 << 20, "ext4", "rw")
    assert (new.st_uid, new.st_gid, stat.S_IMODE(new.st_mode)) == (old.st_uid, old.st_gid, 0o640)
    assert new.st_ino != old.st_ino
    assert content_of(image) == b""

    assert (await overlay.restore(host, "web")).ok
    assert image.stat().st_ino == old.st_ino
    assert image.read_bytes() == before
    assert content_of(image) == CONTENT
    assert [(change.action, change.ok) for change in read_changes(host.records)] == [("reset", True), ("restore", True)]


@pytest.mark.parametrize("name", ["web", "lab"])
async def test_an_unused_one_stays_unused_however_often_it_is_restored(host: Host, name: str) -> None:
    """A guest's overlay and the blank one that a reset made change places; that moves the ctime of both."""
    path = image_of(host) if name == "web" else host.state_dir.parent / "upper" / "store"
    assert (await overlay.run_reset(host, name)).ok
    blank = path.stat().st_ino
    for back in (False, True, False, True, False):
        assert (await overlay.restore(host, name)).ok
        assert (path.stat().st_ino == blank) is back
        assert (made_path(host.records, name) == str(path)) is back
    (kept,) = (path.parent / ".mvtui" / "overlay").rglob("2*.*")
    os.utime(kept if name == "web" else kept / "store", ns=(0, 0))
    assert (await overlay.restore(host, name)).ok
    assert path.stat().st_ino == blank
    assert made_path(host.records, name) is None, "it was used while it was set aside"


@pytest.mark.parametrize("name", ["web", "lab"])
async def test_what_a_guest_wrote_outlives_a_second_reset(host: Host, name: str) -> None:
    """A start that fails after its reset is tried again, or the key is pressed twice: no guest had the blank one."""
    path = image_of(host) if name == "web" else host.state_dir.parent / "upper" / "store"
    written = path.stat().st_ino
    holding = path.parent / ".mvtui" / "overlay"
    unused = "the last one was unused"
    for words, back in (("set aside", "it"), (unused, "the one before"), (unused, "the one before")):
        outcome = await overlay.run_reset(host, name)
        assert outcome.ok
        assert words in outcome.words
        assert outcome.hint == f"mvtui restore {name} brings {back} back"
        until(lambda: sum(kept.endswith((".img", ".dir")) for kept in names_below(holding)) < 3)
    assert (await overlay.restore(host, name)).ok
    assert path.stat().st_ino == written


async def test_what_is_left_to_others_is_freed_by_them(host: Host) -> None:
    for _ in range(3):
        assert (await overlay.run_reset(host, "web", starting=True)).ok
    directory = host.state_dir / "web" / ".mvtui" / "overlay" / "rw.img"
    assert len(list(directory.glob("2*.img"))) == 1
    assert len(list(directory.glob("freeing.*"))) == 2
    assert (await overlay.free_older(host, "web")).ok
    assert list(directory.glob("freeing.*")) == []
    assert (await overlay.free_older(host, "web")).nothing
    assert len(list(directory.glob("2*.img"))) == 1


async def test_what_is_kept_is_seen_and_freed(host: Host) -> None:
    for _ in range(3):
        os.utime(image_of(host))  # somebody has used it
        assert (await overlay.run_reset(host, "web")).ok
    kept = Kept(host, inline=False)
    await take_snapshot(host, kept)
    web = (await asyncio.to_thread(look_closer, host, kept, ["web"])).find("web")
    assert web is not None
    directory = host.state_dir / "web" / ".mvtui" / "overlay" / "rw.img"
    until(lambda: len(list(directory.glob("*.img"))) == 1)
    assert [Path(kept.path).parent for kept in web.kept][:1] == [directory]
    kept = Kept(host, inline=False)
    await take_snapshot(host, kept)
    kept.renew()
    web = (await take_snapshot(host, kept)).find("web")
    assert web is not None
    (aside,) = web.kept
    assert (aside.size, aside.path) == (16 << 20, str(next(directory.glob("*.img"))))
    outcome = await overlay.discard(host, "web")
    assert outcome.ok, outcome
    until(lambda: os.listdir(directory) == ["lock"])
    assert not (await overlay.restore(host, "web")).ok
    assert image_of(host).exists()


@pytest.mark.parametrize("verb", [overlay.run_reset, overlay.restore])
async def test_whoever_has_it_open_keeps_it(host: Host, verb: Callable[..., Awaitable[overlay.ResetOutcome]]) -> None:
    assert (await overlay.run_reset(host, "web")).ok
    inode = image_of(host).stat().st_ino
    with holding(image_of(host)) as pid:
        outcome = await verb(host, "web")
        assert (outcome.ok, outcome.refused) == (False, True)
        assert f"(pid {pid} of no microVM) has it open" in outcome.words
    assert image_of(host).stat().st_ino == inode


async def test_a_loop_device(host: Host) -> None:
    with loop_device(image_of(host)) as device:
        (plan,) = await overlay.plan_resets(host, ["web"])
        refused = {check.what: check.why for check in plan.checks if not check.ok}
        assert f"loop device {Path(device).name}" in refused["no loop device or mount uses it"]


async def test_whoever_opens_it_meanwhile_keeps_it(host: Host) -> None:
    inode = image_of(host).stat().st_ino
    opened = []

    def open_it(said: str) -> None:
        if said.startswith("Checking again"):
            opened.append(os.open(image_of(host), os.O_RDWR))

    outcome = await overlay.run_reset(host, "web", open_it)
    os.close(opened.pop())
    assert (outcome.ok, outcome.refused) == (False, True)
    assert image_of(host).stat().st_ino == inode
    assert content_of(image_of(host)) == CONTENT


async def test_two_at_once(host: Host) -> None:
    """One wins; the other finds nothing to do, or hears who works."""
    outcomes = await asyncio.gather(*(overlay.run_reset(host, "web") for _ in range(4)))
    assert any(outcome.ok for outcome in outcomes)
    for outcome in outcomes:
        assert outcome.ok or outcome.refused, outcome
    assert read_image(host.state_dir / "web", "rw.img").label == "rw"


async def test_many_look_at_once(host: Host) -> None:
    """Nobody takes another who only looks for one who uses it."""
    plans = await asyncio.gather(*(overlay.plan_resets(host, ["web"]) for _ in range(8)))
    assert [[check.why for check in plan.checks if not check.ok] for (plan,) in plans] == [[]] * 8


async def test_a_hard_link_and_a_link(host: Host, folder: Path) -> None:
    image = image_of(host)
    (folder / "other.img").hardlink_to(image)
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert not plan.ok
    image.unlink()
    image.symlink_to(folder / "other.img")
    outcome = await overlay.run_reset(host, "web")
    assert outcome.refused
    assert content_of(folder / "other.img") == CONTENT


async def test_an_image_that_is_not_there_yet(host: Host) -> None:
    image_of(host).unlink()
    outcome = await overlay.run_reset(host, "web")
    assert (outcome.ok, outcome.nothing) == (False, True)
    assert not image_of(host).exists()


async def test_a_share(host: Host, folder: Path) -> None:
    need_root("who has a directory open")
    store = folder / "upper" / "store"
    (plan,) = await overlay.plan_resets(host, ["lab"])
    assert plan.target.kind is OverlayKind.SHARE
    assert plan.ok, plan.refusal
    assert (await overlay.run_reset(host, "lab")).ok
    assert list(store.iterdir()) == []
    assert store.stat().st_uid == OWNER
    assert (await overlay.restore(host, "lab")).ok
    assert (store / "built").read_bytes() == CONTENT
    directory = os.open(store, os.O_RDONLY)
    child = await asyncio.create_subprocess_exec("sleep", "60", stdin=directory, preexec_fn=dies_with_us)
    os.close(directory)
    try:
        outcome = await overlay.run_reset(host, "lab")
    finally:
        child.kill()
        await child.wait()
    assert outcome.refused
    assert f"sleep (pid {child.pid} of no microVM) has it open" in outcome.words
    assert (store / "built").read_bytes() == CONTENT
