"""Rules of `microvm.writableStoreOverlay` and of the guest's store."""

from collections.abc import Iterator

from mvtui.model.definition import HOST_STORE, ShareProto
from mvtui.model.finding import Finding
from mvtui.model.rules.finding import Defined, error, warning
from mvtui.model.rules.mount_points import RO_STORE, mounted
from mvtui.model.rules.paths import is_inside, normal, same_path

OVERLAY = "writableStoreOverlay"
# overlayfs (Documentation/filesystems/overlayfs.rst): the upper layer needs extended attributes and d_type.
_NO_UPPER = ("vfat",)


def overlay_path(defined: Defined) -> Iterator[Finding]:
    """mounts.nix makes `PATH/store` and `PATH/work` of it, which overlayfs gets as options, separated by commas."""
    path = defined.definition.writable_store_overlay
    if path is None:
        return
    if not path.startswith("/"):
        yield error(OVERLAY, f'"{path}" is no absolute path.', "It is one in the guest.", 'write "/nix/.rw-store"')
    elif path != "/" and path.endswith("/"):
        yield error(
            OVERLAY,
            f'"{path}" ends with a slash.',
            "microvm.nix compares it with mount points, which have none.",
            f'write "{path.rstrip("/") or "/"}"',
        )
    elif ".." in path.split("/") or not path.isprintable() or any(char in ',:\\" ' for char in path):
        yield error(
            OVERLAY,
            f'"{path}" has a character in it that overlayfs reads otherwise, or "..".',
            "It is given in the mount's options.",
            'write "/nix/.rw-store"',
        )
    elif is_inside(path, HOST_STORE):
        yield error(OVERLAY, "The overlay would lie in the store that it is laid over.", "", 'write "/nix/.rw-store"')
    elif is_inside(path, _lower(defined)):
        yield error(OVERLAY, "The overlay would lie on the read-only store below it.", "", 'write "/nix/.rw-store"')


def overlay_place(defined: Defined) -> Iterator[Finding]:
    """mounts.nix: the overlay's directories lie on what is mounted at the path, else on the guest's root, a tmpfs. It
    marks a volume or a share as needed for boot where the strings are equal."""
    path = defined.definition.writable_store_overlay
    if path is None or not path.startswith("/"):
        return
    at_it = [each for each in mounted(defined) if same_path(each.path, path)]
    if not at_it:
        yield warning(
            OVERLAY,
            f"Nothing is mounted at {normal(path)}: the overlay lies in the guest's memory.",
            "Neither a volume nor a share has this mount point.",
            f'a volume with mountPoint = "{normal(path)}"',
        )
    elif all(each.path != path for each in at_it):
        yield error(
            OVERLAY,
            f'"{path}" and {at_it[0].place}.mountPoint are spelled differently.',
            "microvm.nix compares the strings, and would mount it too late.",
            f'write "{at_it[0].path}"',
        )


def overlay_volume(defined: Defined) -> Iterator[Finding]:
    """overlayfs: the upper layer is written to, and needs extended attributes and d_type."""
    for index, volume in enumerate(defined.definition.volumes):
        if not _holds_overlay(defined, volume.mount_point):
            continue
        if volume.read_only:
            yield error(f"volumes[{index}].readOnly", "The overlay's volume is read-only.", "", "readOnly = false")
        if volume.fs_type in _NO_UPPER:
            yield error(
                f"volumes[{index}].fsType",
                f"{volume.fs_type} can't be the upper layer of an overlay.",
                "It has no extended attributes.",
                'fsType = "ext4"',
            )


def overlay_share(defined: Defined) -> Iterator[Finding]:
    """microvm.nix's documentation of shares: "9p/virtiofs shares don't work currently". With 9p the overlay mounts, and
    can't delete. virtiofs is mounted with `userxattr` (mounts.nix), which virtiofsd serves with `--xattr` alone, that
    comes with posixAcl."""
    for index, share in enumerate(defined.definition.shares):
        if not _holds_overlay(defined, share.mount_point):
            continue
        if share.proto is ShareProto.NINE_P:
            yield error(
                f"shares[{index}].proto",
                "9p can't be the upper layer of an overlay.",
                "It mounts, but nothing can be deleted.",
                "a volume at that mount point",
            )
            continue
        if share.read_only:
            yield error(f"shares[{index}].readOnly", "The overlay's share is read-only.", "", "readOnly = false")
        if not share.posix_acl and not any("--xattr" in word for word in share.extra_args or ()):
            yield error(
                f"shares[{index}].posixAcl",
                "Without extended attributes a share can't be the upper layer of an overlay.",
                "virtiofsd gets --xattr with posixAcl.",
                'posixAcl = true, or extraArgs = ["--xattr"]',
            )
        yield warning(
            f"shares[{index}].mountPoint",
            "The overlay lies on a virtiofs share.",
            "microvm.nix advises against it.",
            "a volume at that mount point",
        )


def store_on_disk(defined: Defined) -> Iterator[Finding]:
    """mounts.nix: without a store disk, the store is the first share whose source is /nix/store."""
    has_share = any(share.source == HOST_STORE for share in defined.definition.shares)
    if not defined.definition.store_on_disk and not has_share:
        yield error(
            "storeOnDisk",
            "The guest has no store: no disk, and no share of the host's.",
            "",
            f'storeOnDisk = true, or a share with source = "{HOST_STORE}"',
        )


def _holds_overlay(defined: Defined, mount_point: str | None) -> bool:
    overlay = defined.definition.writable_store_overlay
    return overlay is not None and mount_point is not None and same_path(mount_point, overlay)


def _lower(defined: Defined) -> str:
    """mounts.nix: the read-only store below the overlay."""
    for share in defined.definition.shares:
        if not defined.definition.store_on_disk and share.source == HOST_STORE and share.mount_point:
            return share.mount_point
    return RO_STORE
