import os
import random
import socket
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.host.images import read_image
from mvtui.model.microvm import ImageFacts
from tests.host.ext_images import use_blocks
from tests.host.living import found, loop_device

MIB = 1 << 20


def mkfs(path: Path, program: str, *arguments: str, size: int = 320 * MIB) -> Path:
    """A sparse file with a file system, as microvm.nix makes its volumes."""
    with path.open("wb") as file:
        file.truncate(size)
    return mkfs_again(path, program, *arguments)


def mkfs_again(path: Path, program: str, *arguments: str) -> Path:
    subprocess.run([found(program), *arguments, str(path)], check=True, capture_output=True)
    return path


@pytest.mark.parametrize(
    ("program", "arguments", "fs_type"),
    [
        ("mkfs.ext2", ("-L", "overlay"), "ext2"),
        ("mkfs.ext3", ("-L", "overlay"), "ext3"),
        ("mkfs.ext4", ("-L", "overlay"), "ext4"),
        ("mkfs.ext4", ("-L", "overlay", "-O", "^64bit", "-b", "1024"), "ext4"),
        ("mkfs.ext4", ("-L", "overlay", "-O", "^has_journal"), "ext4"),
        ("mkfs.xfs", ("-L", "overlay"), "xfs"),
        ("mkfs.btrfs", ("-L", "overlay"), "btrfs"),
        ("mkfs.vfat", ("-n", "overlay", "-F", "32"), "vfat"),
    ],
)
def test_a_new_file_system(tmp_path: Path, program: str, arguments: tuple[str, ...], fs_type: str) -> None:
    image = mkfs(tmp_path / "disk.img", program, *arguments)
    facts = read_image(tmp_path, "disk.img")
    assert facts.path == str(image)
    assert facts.size == 320 * MIB
    assert facts.allocated == image.stat().st_blocks * 512 < 80 * MIB
    assert facts.fs_type == fs_type
    assert facts.label in ("overlay", "OVERLAY")
    assert facts.fs_size is not None
    assert 315 * MIB < facts.fs_size <= 320 * MIB
    assert facts.fs_used is not None
    assert 0 <= facts.fs_used < 100 * MIB
    assert facts.fs_room is not None
    assert facts.fs_used < facts.fs_room <= facts.fs_size
    assert facts.problem is None


@pytest.mark.parametrize("bits", ["12", "16"])
def test_a_small_fat_does_not_tell_what_is_used(tmp_path: Path, bits: str) -> None:
    mkfs(tmp_path / "disk.img", "mkfs.vfat", "-F", bits, size=12 * MIB)
    facts = read_image(tmp_path, "disk.img")
    assert (facts.fs_type, facts.label, facts.fs_used) == ("vfat", None, None)
    assert facts.fs_size == 12 * MIB


@pytest.mark.parametrize("program", ["mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkfs.vfat"])
def test_no_label(tmp_path: Path, program: str) -> None:
    mkfs(tmp_path / "disk.img", program)
    assert read_image(tmp_path, "disk.img").label is None


def test_the_longest_ext_label(tmp_path: Path) -> None:
    mkfs(tmp_path / "disk.img", "mkfs.ext4", "-L", "x" * 16)
    assert read_image(tmp_path, "disk.img").label == "x" * 16


def test_a_file_system_of_more_than_4_gi_blocks(tmp_path: Path) -> None:
    """Block counts have more than 32 bits (feature 64bit); only the superblock of such an image is made here."""
    block = bytearray(1024)
    struct.pack_into("<II", block, 0x4, 7, 0)
    struct.pack_into("<I", block, 0xC, 5)
    struct.pack_into("<I", block, 0x18, 2)
    block[0x38:0x3A] = b"\x53\xef"
    struct.pack_into("<III", block, 0x5C, 0x4, 0x2C2, 0)
    struct.pack_into("<I", block, 0x150, 2)
    struct.pack_into("<I", block, 0x158, 1)
    (tmp_path / "disk.img").write_bytes(bytes(1024) + block)
    facts = read_image(tmp_path, "disk.img")
    assert facts.fs_size == ((2 << 32) + 7) * 4096
    assert facts.fs_used == ((1 << 32) + 2) * 4096


def test_what_is_written_counts_as_used(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (content / "file").write_bytes(os.urandom(50 * MIB))
    mkfs(tmp_path / "empty.img", "mkfs.ext4")
    mkfs(tmp_path / "full.img", "mkfs.ext4", "-d", str(content))
    used = [read_image(tmp_path, name).fs_used or 0 for name in ("empty.img", "full.img")]
    assert 49 * MIB <= used[1] - used[0] <= 52 * MIB
    assert used[0] < MIB, "its tables and its journal are no files"


@pytest.mark.parametrize("options", [("-t", "ext4"), ("-t", "ext4", "-b", "1024"), ("-t", "ext2"), ("-O", "^64bit")])
def test_ext_tells_what_is_used_while_it_is_mounted(tmp_path: Path, options: tuple[str, ...]) -> None:
    """The kernel writes the descriptors of the groups, and the superblock's own count at the end alone."""
    image = mkfs(tmp_path / "a.img", "mkfs.ext4", *options, size=64 * MIB)
    before = read_image(tmp_path, "a.img")
    assert before.fs_used is not None
    assert before.fs_used < 20 * MIB
    use_blocks(image, 1)
    after = read_image(tmp_path, "a.img")
    assert after.fs_used is not None
    assert after.fs_size == before.fs_size
    assert after.fs_room == before.fs_room
    assert after.fill_percent is not None
    assert 98 < after.fill_percent < 100


@pytest.mark.parametrize("damage", [(0x20, 0), (0x20, 1), (0x14, 1 << 31), (0xFE, 8)])
def test_descriptors_that_can_t_be_believed(tmp_path: Path, damage: tuple[int, int]) -> None:
    image = mkfs(tmp_path / "a.img", "mkfs.ext4", size=64 * MIB)
    used = read_image(tmp_path, "a.img").fs_used
    use_blocks(image, 1)
    offset, value = damage
    with image.open("r+b") as file:
        file.seek(1024 + offset)
        file.write(value.to_bytes(2 if offset == 0xFE else 4, "little"))
    assert read_image(tmp_path, "a.img").fs_used == used, "the superblock's own count"


def test_ext_tells_when_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E2FSPROGS_FAKE_TIME", "3000000000")
    mkfs(tmp_path / "disk.img", "mkfs.ext4")
    assert read_image(tmp_path, "disk.img").made == datetime.fromtimestamp(3_000_000_000, UTC)


def test_a_time_that_no_clock_tells_is_none(tmp_path: Path) -> None:
    image = mkfs(tmp_path / "disk.img", "mkfs.ext4")
    with image.open("r+b") as file:
        file.seek(1024 + 0x276)
        file.write(b"\xff")
    facts = read_image(tmp_path, "disk.img")
    assert (facts.fs_type, facts.made) == ("ext4", None)


def test_a_written_image_without_a_file_system_is_not_blank(tmp_path: Path) -> None:
    (tmp_path / "data.img").write_bytes(b"LUKS\xba\xbe" + bytes(100_000))
    (tmp_path / "zeros.img").write_bytes(bytes(100_000))
    assert [read_image(tmp_path, name).blank for name in ("data.img", "zeros.img")] == [False, True]


@pytest.mark.parametrize("before", ["mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkfs.vfat"])
@pytest.mark.parametrize("after", ["mkfs.ext4 -F", "mkfs.xfs -f", "mkfs.btrfs -f", "mkfs.vfat -F 32"])
def test_the_newer_of_two_file_systems_is_told(tmp_path: Path, before: str, after: str) -> None:
    image = mkfs(tmp_path / "disk.img", before)
    program, *arguments = after.split()
    mkfs_again(image, program, *arguments)
    assert read_image(tmp_path, "disk.img").fs_type == program.removeprefix("mkfs.")


def test_a_blank_image_holds_no_file_system(tmp_path: Path) -> None:
    (tmp_path / "disk.img").touch()
    os.truncate(tmp_path / "disk.img", 64 * MIB)
    facts = read_image(tmp_path, "disk.img")
    assert (facts.size, facts.allocated, facts.fs_type, facts.blank) == (64 * MIB, 0, None, True)


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\x53\xef" * 1024, random.Random(1).randbytes(100_000), b"\xeb" + b"\xff" * 5000],
    ids=["empty", "short", "magic", "noise", "jump"],
)
def test_what_is_no_file_system(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "disk.img").write_bytes(content)
    facts = read_image(tmp_path, "disk.img")
    assert (facts.fs_type, facts.problem, facts.size) == (None, None, len(content))


@pytest.mark.parametrize("cut", [1, 1000, 1080, 2047, 65536, 65700])
def test_a_cut_superblock_is_none(tmp_path: Path, cut: int) -> None:
    for program in ("mkfs.ext4", "mkfs.btrfs"):
        image = mkfs(tmp_path / "disk.img", program)
        os.truncate(image, cut)
        assert read_image(tmp_path, "disk.img").problem is None


@pytest.mark.parametrize("magic", [b"QFI\xfb", b"conectix", b"vhdxfile"])
def test_an_image_in_a_format_of_its_own_shows_no_file_system(tmp_path: Path, magic: bytes) -> None:
    image = mkfs(tmp_path / "disk.img", "mkfs.ext4")
    with image.open("r+b") as file:
        file.write(magic)
    facts = read_image(tmp_path, "disk.img")
    assert (facts.fs_type, facts.label, facts.problem) == (None, None, None)


def test_absolute_images_and_paths_of_the_host_are_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "disk.img").write_bytes(b"abc")
    facts = read_image("/var/lib/microvms/web", "/srv/disk.img", tmp_path)
    status = (tmp_path / "srv/disk.img").stat()
    assert facts[:3] == ("/srv/disk.img", 3, status.st_blocks * 512)
    assert facts.identity == (status.st_dev, status.st_ino)
    assert read_image("/srv", "disk.img", tmp_path).size == 3
    assert read_image(tmp_path / "srv", str(tmp_path / "srv/disk.img")).size == 3


def test_a_block_device_is_wholly_allocated(tmp_path: Path) -> None:
    image = mkfs(tmp_path / "disk.img", "mkfs.ext4")
    with loop_device(image) as device:
        facts = read_image("/var/lib/microvms/web", device)
        (tmp_path / "link").symlink_to(device)
        through_link = read_image(tmp_path, "link")
    assert (facts.size, facts.allocated, facts.fs_type) == (320 * MIB, 320 * MIB, "ext4")
    assert through_link.problem == f"{tmp_path}/link: is a link, which is not followed"


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("missing.img", "does not exist"),
        ("file/below", "does not exist"),
        ("link.img", "is a link, which is not followed"),
        ("loop.img", "is a link, which is not followed"),
        ("pipe", "is neither a file nor a block device"),
        ("sock", "is neither a file nor a block device"),
        (".", "is neither a file nor a block device"),
        ("/dev/zero", "is neither a file nor a block device"),
        ("x" * 300, "file name too long"),
        ("a\0b", "is no path"),
    ],
)
def test_what_can_not_be_read_says_why(tmp_path: Path, image: str, says: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link.img").symlink_to("file")
    (tmp_path / "loop.img").symlink_to("loop.img")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        facts = read_image(tmp_path, image)
    path = os.path.join(tmp_path, image)
    assert facts == ImageFacts(path, problem=f"{path}: {says}")


def test_an_image_without_rights(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_text("x")
    image.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        problem = read_image(tmp_path, "disk.img").problem
    finally:
        if root:
            os.seteuid(0)
    assert problem == f"{image}: permission denied; root or group kvm can read it"


def test_reading_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(bytes(4096))
    before = os.listdir("/proc/self/fd")
    for image in ("disk.img", "missing", ".", "/dev/zero"):
        read_image(tmp_path, image)
    assert os.listdir("/proc/self/fd") == before
