"""How much of the disk a new image takes."""

_MIB = 1 << 20

# Up to so many MiB: KiB that mkfs has written when it has ended, without arguments of one's own (e2fsprogs 1.47.0,
# xfsprogs 6.1, btrfs-progs 6.2, dosfstools 4.2; ext keeps most of it for its journal, xfs for its log).
_Steps = tuple[tuple[int, int], ...]
_EXT2: _Steps = ((32, 240), (128, 448), (512, 528), (2048, 780), (16384, 5300), (102400, 11052), (1 << 20, 74512))
_EXT4: _Steps = (
    (16, 1256),
    (128, 4560),
    (300, 8752),
    (512, 16772),
    (1024, 33428),
    (2048, 66716),
    (10240, 69868),
    (16384, 136504),
    (32768, 268784),
    (102400, 535860),
    (262144, 1071180),
    (1 << 20, 1124132),
)
_XFS: _Steps = ((102400, 65868), (262144, 131404), (524288, 262476), (1 << 20, 524620))
_BTRFS: _Steps = ((1 << 20, 4684),)
_VFAT: _Steps = (
    (32, 84),
    (256, 276),
    (512, 1044),
    (1024, 2068),
    (2048, 4108),
    (4096, 8196),
    (65536, 16448),
    (102400, 25664),
    (262144, 65600),
    (524288, 131140),
    (1 << 20, 262212),
)
_STEPS = {"ext2": _EXT2, "ext3": _EXT4, "ext4": _EXT4, "xfs": _XFS, "btrfs": _BTRFS, "vfat": _VFAT}


def space_needed(fs_type: str, size: int) -> int:
    """Bytes that must be free for mkfs of an image of `size` bytes, rounded up to what the next larger measured size
    took; 0 for a type that microvm.nix does not make."""
    steps = _STEPS.get(fs_type, ())
    for mib, kib in steps:
        if size <= mib * _MIB:
            return kib * 1024
    if not steps:
        return 0
    mib, kib = steps[-1]
    return size * kib // (mib * 1024)
