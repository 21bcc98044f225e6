"""Images made by mkfs are grown, their file systems with them: sound, with what was in them, and as large as the
superblock says. Those of xfs and btrfs are grown by this machine's kernel, and nothing stays mounted or attached."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.images import read_image
from mvtui.host.records_place import records_of
from mvtui.model.definition import Definition, Volume
from tests.host.living import missing, need_root
from tests.real.host import RealHost
from tests.real.overlays import on_volume, started
from tests.real.packages import SEARCHED

MIB = 1 << 20
OWNER = (54321, 54321)
SIZES = {"ext4": (64, 600), "ext2": (16, 128), "xfs": (300, 900), "btrfs": (128, 400)}
SOUND = {"ext2": "e2fsck -fn", "ext4": "e2fsck -fn", "xfs": "xfs_repair -n", "btrfs": "btrfs check"}
CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def folder() -> Iterator[Path]:
    need_root("a loop device, and files of another user")
    made = Path(tempfile.mkdtemp(prefix="mvtui-growing-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)
        shutil.rmtree(records_of(made / "microvms"), ignore_errors=True)


def run(*argv: str) -> str:
    if shutil.which(argv[0], path=SEARCHED) is None:
        missing(f"{argv[0]} is not installed")
    return subprocess.run(argv, capture_output=True, text=True, check=True, env={"PATH": SEARCHED}).stdout


def made(folder: Path, fs_type: str) -> Path:
    """The image of a microVM that does not run, with CONTENT in it."""
    directory = folder / "microvms" / "web"
    directory.mkdir(parents=True)
    size = SIZES[fs_type][0]
    volume = Volume("data.img", mount_point="/data", size=size, fs_type=fs_type, label="data", auto_create=True)
    definition = Definition(host_name="web", volumes=(volume,))
    runner = build_runner(definition, folder / "store" / "1-web", Tools(hypervisor="/bin/qemu"))
    (directory / "current").symlink_to(runner)
    image = directory / "data.img"
    with image.open("wb") as file:
        file.truncate(size * MIB)
    run(f"mkfs.{fs_type}", "-q", "-L", "data", str(image))
    on_it(image, "cp /dev/stdin {}/content", CONTENT)
    for path in (directory.parent, directory, image):
        os.chown(path, *OWNER)
    return image


def on_it(image: Path, script: str, given: bytes = b"") -> bytes:
    """Run it where the image is mounted as `{}`, out of sight of everybody else; how it ends, nothing stays."""
    at = image.parent.parent.parent / "mounted"
    at.mkdir(exist_ok=True)
    command = f"mount -o loop {image} {at} && {script.format(at)} && umount {at}"
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", command]
    return subprocess.run(argv, input=given, capture_output=True, check=True, env={"PATH": SEARCHED}).stdout


def grow(folder: Path, *words: str, exit_code: int = 0) -> dict[str, str]:
    state_dir = ("--state-dir", str(folder / "microvms"), "--manager", "direct")
    argv = [sys.executable, "-m", "mvtui", "grow", *state_dir, "--yes", "--json", "web", "data.img", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == exit_code, done
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


def attached(image: Path) -> list[str]:
    """The loop devices that have it."""
    names = Path("/sys/block").glob("loop*/loop/backing_file")
    return [str(name) for name in names if name.read_text().strip().startswith(str(image))]


def must_be_grown(image: Path, fs_type: str, *, least: int) -> None:
    size = SIZES[fs_type][1] * MIB
    facts = read_image(image.parent, image.name)
    assert (facts.size, facts.fs_type, facts.label) == (size, fs_type, "data")
    assert facts.fs_size is not None
    assert size - least <= facts.fs_size <= size
    run(*SOUND[fs_type].split(), str(image))
    assert on_it(image, "cat {}/content") == CONTENT
    assert attached(image) == []
    assert (image.stat().st_uid, image.stat().st_gid, image.stat().st_nlink) == (*OWNER, 1)


@pytest.mark.parametrize("fs_type", ["ext4", "ext2"])
def test_an_ext_is_grown_unmounted(folder: Path, fs_type: str) -> None:
    image = made(folder, fs_type)
    told = grow(folder, f"{SIZES[fs_type][1]}M")
    assert told["result"] == "done"
    must_be_grown(image, fs_type, least=MIB)
    assert grow(folder, f"{SIZES[fs_type][1]}M", exit_code=3)["result"] == "nothing"


@pytest.mark.parametrize("fs_type", ["xfs", "btrfs"])
def test_the_guest_grows_what_only_a_kernel_can(folder: Path, fs_type: str) -> None:
    image = made(folder, fs_type)
    before, size = read_image(image.parent, image.name), f"{SIZES[fs_type][1]}M"
    told = grow(folder, size)
    command = {"xfs": "xfs_growfs", "btrfs": "btrfs filesystem resize max"}[fs_type]
    assert (told["result"], told["hint"]) == ("done", f"in the guest, once it runs: {command} /data")
    after = read_image(image.parent, image.name)
    assert (after.size, after.fs_size) == (SIZES[fs_type][1] * MIB, before.fs_size)
    assert command in grow(folder, size, exit_code=3)["words"]
    on_it(image, f"{command} {{}} >&2")  # as the guest does it
    must_be_grown(image, fs_type, least=MIB)


@pytest.mark.parametrize("fs_type", ["xfs", "btrfs"])
def test_this_hosts_kernel_grows_it(folder: Path, fs_type: str) -> None:
    image, size = made(folder, fs_type), f"{SIZES[fs_type][1]}M"
    assert grow(folder, size, "--mount")["result"] == "done"
    must_be_grown(image, fs_type, least=MIB)


@pytest.mark.parametrize("fs_type", ["xfs", "btrfs"])
def test_a_file_that_is_larger_already_is_gone_on_with(folder: Path, fs_type: str) -> None:
    image, size = made(folder, fs_type), f"{SIZES[fs_type][1]}M"
    grow(folder, size)
    assert grow(folder, size, "--mount")["result"] == "done"
    must_be_grown(image, fs_type, least=MIB)


def test_what_is_no_xfs_is_not_mounted(folder: Path) -> None:
    """A superblock that promises one: the kernel refuses, its words are told, and nothing stays attached."""
    image = made(folder, "xfs")
    with image.open("rb+") as file:
        file.seek(200)  # after what says which file system it is
        file.write(b"\xff" * 3000)
    told = grow(folder, f"{SIZES['xfs'][1]}M", "--mount", exit_code=1)
    assert "can't be mounted" in told["words"]
    assert attached(image) == []


def test_a_guest_has_the_room_of_its_grown_image(host: RealHost, ending: list[str]) -> None:
    name = host.add(on_volume("grows"))
    ending.append(name)
    image = f"/var/lib/microvms/{name}/data.img"
    host.nested.run("truncate", "-s", "16M", image)
    host.nested.run("mkfs.ext4", "-q", image)
    host.nested.run("debugfs", "-w", "-R", "write /etc/services kept", image)
    host.nested.run("chown", "microvm:kvm", image)
    host.mvtui("grow", name, "data.img", "96M", "--yes")
    assert host.nested.path(image).stat().st_size == 96 * MIB
    started(host, name)
    assert blocks(host, name) > 80 << 10
    kept = host.nested.run("md5sum", "/etc/services").stdout.split()[0]
    assert host.in_guest(name, "md5sum /data/kept").split()[0] == kept
    refused = host.mvtui("grow", name, "data.img", "128M", "--yes", check=False)
    assert refused.returncode == 3
    assert f"mvtui stop {name}" in refused.stderr
    entries = host.nested.journal("-t", "mvtui", "MVTUI_COMMAND=grow", f"MVTUI_MICROVM={name}", "MVTUI_OK=yes")
    assert [f"{name}: data.img has 96M now" in entry for entry in entries] == [True]


def blocks(host: RealHost, name: str) -> int:
    """How large the guest's /data is, in KiB."""
    return int(host.in_guest(name, "df -k /data | tail -n 1").split()[1])
