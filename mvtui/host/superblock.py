"""Which file system an image holds, from its superblock alone: type, label, size, used. Bytes of a device that a guest
may be writing, so everything in them is only believed."""

import struct
from collections.abc import Callable
from typing import NamedTuple

Read = Callable[[int, int], bytes]


class FileSystem(NamedTuple):
    """Sizes in bytes; None where the superblock does not tell. `label` is None where there is none. `room` is what
    files can take of `size`, as df(1) counts it, and `used` what they do. `made` is when, in seconds since 1970; ext
    alone tells."""

    fs_type: str
    label: str | None = None
    size: int | None = None
    room: int | None = None
    used: int | None = None
    made: int | None = None


# Images that hold a disk in a format of their own: what looks like a superblock in them is none.
_CONTAINERS = (b"QFI\xfb", b"vhdxfile", b"conectix")

# Features (ext4 kernel documentation, "Super Block"): what only ext4 has is what ext3 does not know.
_EXT_JOURNAL = 0x4
_EXT_JOURNAL_DEVICE = 0x8
_EXT_64BIT = 0x80
_EXT3_INCOMPAT = 0x2 | 0x4 | 0x10
_EXT3_RO_COMPAT = 0x1 | 0x2 | 0x4
_EXT_META_BG = 0x10
_EXT_BIGALLOC = 0x200
_EXT_OVERHEAD = 0x248  # s_overhead_clusters
_LARGEST_EXT_BLOCK = 6  # 64 KiB: 1024 << 6
# xfs_default_resblks of the kernel: a twentieth, and at most so many blocks, it keeps for itself.
_XFS_MOST_KEPT = 8192
# Descriptors of 2 TiB with blocks of 4 KiB.
_MOST_EXT_DESCRIPTORS = 1 << 20

_FAT32_FREE_UNKNOWN = 0xFFFFFFFF
_FAT_NO_LABEL = "NO NAME"


def read_superblock(read: Read) -> FileSystem | None:
    """The file system that `read(count, offset)` shows; None where there is none that microvm.nix makes.

    Looks in the order in which an older superblock survives a newer mkfs: mkfs.ext4 leaves one of btrfs alone.
    """
    start = read(4096, 0)
    if start.startswith(_CONTAINERS):
        return None
    return _ext(start, read) or _xfs(start) or _btrfs(read(4096, 0x10000)) or _vfat(start, read)


def is_blank(read: Read) -> bool:
    """Whether nothing is written where the superblocks are that `read_superblock` knows."""
    return not any(read(4096, 0)) and not any(read(4096, 0x10000))


def _ext(start: bytes, read: Read) -> FileSystem | None:
    """ext2, ext3, ext4: little endian, at byte 1024."""
    block = start[1024:2048]
    if len(block) < 1024 or block[0x38:0x3A] != b"\x53\xef":
        return None
    blocks, free, log_size = _u32(block, 0x4), _u32(block, 0xC), _u32(block, 0x18)
    compat, incompat, ro_compat = struct.unpack_from("<III", block, 0x5C)
    if incompat & _EXT_JOURNAL_DEVICE or log_size > _LARGEST_EXT_BLOCK:
        return None
    if incompat & _EXT_64BIT:
        blocks |= _u32(block, 0x150) << 32
        free |= _u32(block, 0x158) << 32
    if incompat & ~_EXT3_INCOMPAT or ro_compat & ~_EXT3_RO_COMPAT:
        fs_type = "ext4"
    else:
        fs_type = "ext3" if compat & _EXT_JOURNAL else "ext2"
    if not (incompat & _EXT_META_BG or ro_compat & _EXT_BIGALLOC):
        in_groups = _free_in_groups(block, blocks, 64 if incompat & _EXT_64BIT else 32, read)
        free = in_groups if in_groups is not None else free
    # Older programs of e2fsprogs, and newer ones of a file system in clusters, do not tell.
    taken = 0 if ro_compat & _EXT_BIGALLOC else _u32(block, _EXT_OVERHEAD)
    made = _u32(block, 0x108) | block[0x276] << 32
    found = _file_system(fs_type, block[0x78:0x88], blocks, free, 1024 << log_size, taken)
    return found._replace(made=made or None)


def _free_in_groups(block: bytes, blocks: int, least: int, read: Read) -> int | None:
    """The free blocks by the group descriptors (ext4 kernel documentation, "Block Group Descriptors"), which are behind
    the superblock. While it is mounted, the kernel writes these back, the superblock's own count at the end alone. None
    where they can't be believed."""
    first, log_size, per_group = _u32(block, 0x14), _u32(block, 0x18), _u32(block, 0x20)
    size = int.from_bytes(block[0xFE:0x100], "little") if least == 64 else least
    if not per_group or size < least or first >= blocks:
        return None
    groups = -(-(blocks - first) // per_group)
    if groups * size > _MOST_EXT_DESCRIPTORS:
        return None
    table = read(groups * size, (first + 1) * (1024 << log_size))
    if len(table) < groups * size:
        return None
    low = sum(int.from_bytes(table[at + 0xC : at + 0xE], "little") for at in range(0, len(table), size))
    high = sum(int.from_bytes(table[at + 0x2C : at + 0x2E], "little") for at in range(0, len(table), size))
    free = low + (high << 16 if least == 64 else 0)
    return free if free <= blocks else None


def _xfs(start: bytes) -> FileSystem | None:
    """Big endian, at byte 0 (xfs_dsb of the kernel's xfs_format.h)."""
    if len(start) < 512 or not start.startswith(b"XFSB"):
        return None
    block_size, blocks = struct.unpack_from(">IQ", start, 4)
    (free,) = struct.unpack_from(">Q", start, 144)
    kept = min(blocks // 20, _XFS_MOST_KEPT)
    return _file_system("xfs", start[108:120], blocks, max(0, free - kept), block_size, kept)


def _btrfs(block: bytes) -> FileSystem | None:
    """Little endian, at byte 0x10000 (btrfs_super_block of linux/btrfs_tree.h)."""
    if len(block) < 4096 or block[0x40:0x48] != b"_BHRfS_M":
        return None
    size, used = struct.unpack_from("<QQ", block, 0x70)
    return _file_system("btrfs", block[0x12B:0x22B], size, size - used)


def _vfat(start: bytes, read: Read) -> FileSystem | None:
    """FAT12, FAT16, FAT32: the boot sector, and for FAT32 its FSInfo sector, which alone tells what is free."""
    if len(start) < 512 or start[510:512] != b"\x55\xaa" or start[0] not in (0xEB, 0xE9):
        return None
    sector, per_cluster, _, tables, _, sectors = struct.unpack_from("<HBHBHH", start, 11)
    sectors = sectors or _u32(start, 32)
    if sector not in (512, 1024, 2048, 4096) or per_cluster & (per_cluster - 1) or not per_cluster or not tables:
        return None
    size = sectors * sector
    if start[82:90] != b"FAT32   ":
        if start[54:57] != b"FAT":
            return None
        return _file_system("vfat", start[43:54], size, None)
    info = read(512, int.from_bytes(start[48:50], "little") * sector)
    free = None
    if info[:4] == b"RRaA" and len(info) == 512 and (clusters := _u32(info, 488)) != _FAT32_FREE_UNKNOWN:
        free = clusters * per_cluster * sector
    return _file_system("vfat", start[71:82], size, free)


def _file_system(
    fs_type: str, label: bytes, blocks: int, free: int | None, block_size: int = 1, taken: int = 0
) -> FileSystem:
    """`taken` blocks are what no file can have; where they can't be believed, files can have all."""
    text = label.partition(b"\0")[0].decode("utf-8", "replace")
    if fs_type == "vfat":  # padded with spaces
        text = text.rstrip(" ")
        text = "" if text == _FAT_NO_LABEL else text
    room = blocks - taken if (free or 0) <= blocks - taken else blocks
    used = room - free if free is not None and free <= room else None
    return FileSystem(fs_type, text or None, blocks * block_size, room * block_size, used and used * block_size)


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")
