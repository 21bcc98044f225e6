"""A volume's status has what the guest sees of it and what is on disk, for each file system that microvm.nix makes."""

import os
import subprocess
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.model.definition import Definition, Volume
from mvtui.model.microvm import VolumeStatus
from mvtui.operations.inventory import take_snapshot
from tests.fakes import FakeProcesses, FakeUnits, fake_host
from tests.host.living import found

# A size (MiB) that mkfs takes, and the longest label (bytes) that it writes whole; mkfs.btrfs of 6.2 takes 255 and
# writes 254.
FILE_SYSTEMS = {
    "ext2": (1, 16),
    "ext3": (8, 16),
    "ext4": (8, 16),
    "xfs": (300, 12),
    "btrfs": (109, 254),
    "vfat": (64, 11),
}


def make(image: Path, volume: Volume) -> None:
    """As microvm.nix's script does it."""
    image.touch()
    os.truncate(image, (volume.size or 0) << 20)
    option = "-n" if volume.fs_type == "vfat" else "-L"
    label = [option, volume.label] if volume.label is not None else []
    subprocess.run([found(f"mkfs.{volume.fs_type}"), *label, str(image)], check=True, capture_output=True)


async def statuses(
    folder: Path, volumes: tuple[Volume, ...], *, store_on_disk: bool = False
) -> tuple[VolumeStatus, ...]:
    """The volumes of a microVM that does not run, whose images stand there."""
    definition = Definition(host_name="web", volumes=volumes, store_on_disk=store_on_disk)
    runner = build_runner(definition, folder / "store" / "1-runner", Tools(hypervisor="/bin/qemu-system-x86_64"))
    web = folder / "microvms" / "web"
    web.mkdir(parents=True)
    (web / "current").symlink_to(runner)
    for volume in volumes:
        make(web / volume.image, volume)
    (microvm,) = (await take_snapshot(fake_host(folder / "microvms", FakeUnits(), FakeProcesses()))).microvms
    return microvm.volumes


@pytest.mark.parametrize("fs_type", FILE_SYSTEMS)
@pytest.mark.parametrize("label", ["none", "longest"])
async def test_each_file_system(tmp_path: Path, fs_type: str, label: str) -> None:
    size, longest = FILE_SYSTEMS[fs_type]
    name = "L" * longest if label == "longest" else None
    (status,) = await statuses(tmp_path, (Volume("a.img", mount_point="/a", size=size, fs_type=fs_type, label=name),))
    volume, image = status.volume, status.image
    assert (volume.letter, volume.mount_point, volume.fs_type, volume.label) == ("a", "/a", fs_type, name)
    assert image is not None
    assert (image.fs_type, image.label, image.problem) == (fs_type, name, None)
    assert image.fs_size is not None
    assert 0.8 * (size << 20) < image.fs_size <= size << 20


@pytest.mark.parametrize(("store_on_disk", "letters"), [(False, "abc"), (True, "bcd")])
async def test_letters_go_on_and_only_what_is_mounted_has_a_mount_point(
    tmp_path: Path, store_on_disk: bool, letters: str
) -> None:
    volumes = tuple(
        Volume(f"{name}.img", mount_point=mount, size=8, fs_type="ext4")
        for name, mount in (("x", "/x"), ("y", None), ("z", "/z with blank"))
    )
    seen = [each.volume for each in await statuses(tmp_path, volumes, store_on_disk=store_on_disk)]
    assert [volume.letter for volume in seen] == list(letters)
    assert [volume.mount_point for volume in seen] == ["/x", None, "/z with blank"]


async def test_what_is_on_disk_is_told_where_it_is_not_what_was_defined(tmp_path: Path) -> None:
    """mkfs cuts the label of an ext4."""
    (status,) = await statuses(tmp_path, (Volume("a.img", size=8, fs_type="ext4", label="a label that is too long"),))
    assert status.volume.label == "a label that is too long"
    assert status.image is not None
    assert status.image.label == "a label that is "
