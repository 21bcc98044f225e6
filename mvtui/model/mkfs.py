"""What makes each file system that `microvm.volumes.*.autoCreate` knows, what that writes, and what labels it. Pure."""

import shlex

# Where mkfs.TYPE comes from; the names are those of Debian and of nixpkgs.
PACKAGES = {
    "ext2": "e2fsprogs",
    "ext3": "e2fsprogs",
    "ext4": "e2fsprogs",
    "xfs": "xfsprogs",
    "btrfs": "btrfs-progs",
    "vfat": "dosfstools",
}
# One driver of Linux mounts all three, but under an older one's name it takes no newer one's features.
EXT = ("ext2", "ext3", "ext4")
_MIB = 1 << 20
# The journal of an ext3 or ext4 (MiB) below a size (MiB): ext2fs_default_journal_size of e2fsprogs.
_JOURNALS = ((1024, 16), (2048, 32), (16384, 64), (32768, 128), (65536, 256), (131072, 512))
_LARGEST_JOURNAL = 1024


def package_of(fs_type: str) -> str | None:
    """The package that has the `mkfs` of a file system; None for one that is not made automatically."""
    return PACKAGES.get(fs_type)


def written_by_mkfs(fs_type: str, size: int) -> int:
    """The most (bytes) that mkfs with its own defaults writes of an image of `size` bytes: it is sparse, and the rest
    stays so. As measured from 1 MiB to 1 TiB with e2fsprogs 1.47, xfsprogs 6.1, btrfs-progs 6.2, dosfstools 4.2."""
    mib = max(size // _MIB, 1)
    match fs_type:
        case "ext2":
            needed = 4 + mib // 8192
        case "ext3" | "ext4":
            journal = next((journal for limit, journal in _JOURNALS if mib < limit), _LARGEST_JOURNAL)
            needed = 4 + mib // 8192 + min(journal, mib)
        case "xfs":
            needed = 4 + max(64, min(mib // 2048, 2048))
        case "btrfs":
            needed = 8
        case _:
            needed = 1 + mib // 512
    return min(needed * _MIB, size)


def label_command(fs_type: str | None, path: str, label: str) -> str:
    """What gives the file system of the image at `path` a label, while nothing uses it."""
    image, word = shlex.quote(path), shlex.quote(label)
    commands = {
        "xfs": f"xfs_admin -L {word} {image}",
        "btrfs": f"btrfs filesystem label {image} {word}",
        "vfat": f"fatlabel {image} {word}",
    }
    return commands.get(fs_type or "", f"e2label {image} {word}")
