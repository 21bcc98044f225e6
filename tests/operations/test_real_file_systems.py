"""Images whose file system the kernel itself has mounted, filled and left: what the checks find in them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.living import found, loop_device, need_root
from tests.operations.sick_host import SickHost

# As a guest does: mount, write, unmount; in a mount namespace of its own, which ends with it.
_IN_GUEST = 'mount "$1" "$2" && cd "$2" && {script}; sync; cd / && umount "$2"'


@pytest.fixture(autouse=True)
def may_mount() -> None:
    need_root("mounts")


def guest(sick: SickHost, image: Path, script: str) -> None:
    """Run `script` where the image is mounted."""
    place = sick.folder / "mnt"
    place.mkdir(exist_ok=True)
    with loop_device(image) as device:
        command = [
            found("unshare"),
            "--mount",
            found("sh"),
            "-c",
            _IN_GUEST.format(script=script),
            "sh",
            device,
            str(place),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "mount" in done.stderr and done.returncode != 0:
        pytest.skip(f"no mount here: {done.stderr}")


def with_type(sick: SickHost, fs_type: str, size: int) -> Path:
    """`web`, whose volume data.img has this file system."""
    definition = sick.definition()
    data = definition.volumes[1]._replace(fs_type=fs_type, size=size)
    return sick.add(definition=definition._replace(volumes=(definition.volumes[0], data))) / "data.img"


SIZES = {"ext4": 64, "xfs": 320, "btrfs": 128}
EVERY = pytest.mark.parametrize("fs_type", SIZES)


@EVERY
async def test_a_volume_that_a_guest_has_used_is_fine(sick: SickHost, fs_type: str) -> None:
    image = with_type(sick, fs_type, SIZES[fs_type])
    guest(sick, image, "head -c 5M /dev/urandom > file")
    assert await sick.notes() == {}


@pytest.mark.parametrize("fs_type", ["ext4", "xfs"])
async def test_a_volume_that_a_guest_has_filled(sick: SickHost, fs_type: str) -> None:
    image = with_type(sick, fs_type, SIZES[fs_type])
    guest(sick, image, "cat /dev/urandom > file 2>/dev/null; true")
    assert await sick.notes() == {"web": ["vol full"]}


@EVERY
async def test_a_volume_that_was_shrunk_under_its_file_system(sick: SickHost, fs_type: str) -> None:
    image = with_type(sick, fs_type, SIZES[fs_type])
    guest(sick, image, "head -c 5M /dev/urandom > file")
    with image.open("r+b") as file:
        file.truncate((SIZES[fs_type] - 20) << 20)
    assert await sick.notes() == {"web": ["vol cut off"]}


@EVERY
async def test_a_volume_with_another_label(sick: SickHost, fs_type: str) -> None:
    image = with_type(sick, fs_type, SIZES[fs_type])
    sick.mkfs(image, fs_type, label="other", size=SIZES[fs_type])
    guest(sick, image, "touch file")
    assert await sick.notes() == {"web": ["vol label"]}


@pytest.fixture
def without_acls(sick: SickHost) -> Iterator[None]:
    """The share home is on a file system that has neither ACLs nor extended attributes: ramfs."""
    subprocess.run([found("mount"), "-t", "ramfs", "ramfs", str(sick.home)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([found("umount"), str(sick.home)], check=True)


async def test_a_source_on_a_file_system_without_acls(sick: SickHost, without_acls: None) -> None:
    sick.add()
    assert await sick.notes() == {"web": ["no ACL"]}
