"""What root's mount of an image that a guest wrote can reach: the image, and nothing else."""

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from mvtui.host.overlay import mounting
from mvtui.host.overlay.stop import Stop
from tests.host.living import found, loop_device, need_root

MIB = 1 << 20
MICROVM = 993
# One more device, which has all of its trees; the first one is a little shorter in it, so that it can grow.
_FORGE = """
mount -t btrfs "$1" "$4"
btrfs device add -f "$3" "$4"
btrfs filesystem resize 1:260M "$4"
for only in 1 2; do
    btrfs balance start -f -mconvert=single -dconvert=single -sconvert=single "$4"
    btrfs balance start -f "-mdevid=$only" "-ddevid=$only" "-sdevid=$only" "$4"
done
umount "$4"
btrfs device scan --forget "$1"
btrfs device scan --forget "$2"
btrfs device scan --forget "$3"
"""


def run(*argv: str) -> None:
    done = subprocess.run([found(argv[0]), *argv[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr}"


def image_of(path: Path, size: int) -> Path:
    path.touch()
    os.truncate(path, size)
    return path


def grow(image: Path) -> None:
    os.chown(image, MICROVM, MICROVM)
    facts = image.stat()
    told = {"shown": str(image), "name": image.name, "directory": str(image.parent), "fs_type": "btrfs"}
    told |= {"uid": str(MICROVM), "device": str(facts.st_dev), "inode": str(facts.st_ino)}
    mounting.grow({key: [value] for key, value in told.items()})


def size_told(image: Path) -> int:
    """btrfs_super_block.total_bytes (btrfs-progs, kernel-shared/ctree.h)."""
    with open(image, "rb") as file:
        return int.from_bytes(os.pread(file.fileno(), 8, 0x10000 + 0x70), "little")


def test_btrfs_grows(tmp_path: Path) -> None:
    need_root("a mount")
    image = image_of(tmp_path / "data.img", 300 * MIB)
    run("mkfs.btrfs", "-q", str(image))
    os.truncate(image, 500 * MIB)
    grow(image)
    assert size_told(image) == 500 * MIB


def test_devices_of_the_host_are_no_part_of_an_image(tmp_path: Path) -> None:
    """By the UUIDs in an image, the kernel takes unmounted devices that it has seen for parts of its btrfs, and writes
    to them."""
    need_root("a mount")
    parts = [image_of(tmp_path / f"part{number}", 300 * MIB) for number in (1, 2)]
    forged = image_of(tmp_path / "data.img", 4096 * MIB)
    (tmp_path / "mnt").mkdir()
    with ExitStack() as stack:
        devices = [stack.enter_context(loop_device(part)) for part in parts]
        run("mkfs.btrfs", "-q", "-m", "raid1", "-d", "raid1", *devices)
    before = [part.read_bytes() for part in parts]
    copies = [Path(shutil.copy(part, f"{part}.copy")) for part in parts]
    with ExitStack() as stack:
        devices = [stack.enter_context(loop_device(part)) for part in (*copies, forged)]
        for device in devices[:2]:
            run("btrfs", "device", "scan", device)
        run("unshare", "--mount", "--propagation", "private", "sh", "-ec", _FORGE, "-", *devices, str(tmp_path / "mnt"))
    os.truncate(forged, 5120 * MIB)
    with ExitStack() as stack:
        devices = [stack.enter_context(loop_device(part)) for part in parts]
        for device in devices:
            run("btrfs", "device", "scan", device)
        try:
            with pytest.raises(Stop, match="has other devices than this image"):
                grow(forged)
        finally:
            for device in devices:
                run("btrfs", "device", "scan", "--forget", device)
        run("sync", *devices)
    assert [part.read_bytes() for part in parts] == before


@pytest.mark.parametrize("how", [os.O_RDONLY, os.O_RDWR])
def test_what_somebody_has_open_is_not_mounted(tmp_path: Path, how: int) -> None:
    """Who can write it could change what it is made of once it was looked at."""
    need_root("a mount")
    image = image_of(tmp_path / "data.img", 300 * MIB)
    run("mkfs.btrfs", "-q", str(image))
    os.truncate(image, 500 * MIB)
    other = os.open(image, how)
    try:
        with pytest.raises(Stop, match="is in use"):
            grow(image)
    finally:
        os.close(other)
    assert size_told(image) == 300 * MIB


def test_whoever_comes_while_it_is_looked_at_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at once more; nobody has changed it meanwhile."""
    need_root("a mount")
    image = image_of(tmp_path / "data.img", 300 * MIB)
    run("mkfs.btrfs", "-q", str(image))
    os.truncate(image, 500 * MIB)
    mounted, mounts = mounting._mount, list[bool]()

    def interrupted(*arguments: object) -> int:
        mounts.append("ro" in arguments[-1])  # type: ignore[operator]
        if len(mounts) == 1:
            with pytest.raises(BlockingIOError):
                os.open(image, os.O_RDWR | os.O_NONBLOCK)
        return mounted(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(mounting, "_mount", interrupted)
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        grow(image)
    finally:
        signal.signal(signal.SIGIO, before)
    assert mounts == [True, True, False]
    assert size_told(image) == 500 * MIB
