"""Rules of `microvm.volumes`."""

import re
from collections.abc import Iterator

from mvtui.model.definition import Volume
from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.finding import Defined, error, info, warning
from mvtui.model.rules.paths import normal

# The smallest image that mkfs takes, in MiB, and the bytes that a label may have (mke2fs, mkfs.xfs, mkfs.btrfs and
# mkfs.fat, tried). These are also the types that microvm.nix can make (lib/volumes.nix).
SMALLEST = {"ext2": 1, "ext3": 1, "ext4": 1, "xfs": 300, "btrfs": 109, "vfat": 1}
LABEL_BYTES = {"ext2": 16, "ext3": 16, "ext4": 16, "xfs": 12, "btrfs": 254, "vfat": 11}
# virtio_blk.h: VIRTIO_BLK_ID_BYTES
SERIAL_BYTES = 20
# off_t has 63 bits.
LARGEST = 2**43 - 1

# What udev leaves as it is in /dev/disk/by-label (udev_replace_chars), beside letters and digits of any script.
_LABEL = re.compile(r"[#+\-.:=@_0-9A-Za-z\u0080-\U0010ffff]+")


def duplicate_image(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "check for duplicate volume images"; and two spellings of one path, which it does not see."""
    first: dict[str, int] = {}
    for index, volume in _volumes(defined):
        other = first.setdefault(normal(volume.image), index)
        if other != index:
            yield error(
                f"volumes[{index}].image",
                f"{normal(volume.image)} is the image of volumes[{other}] too.",
                "Two file systems in one image destroy each other.",
                "give each volume an image of its own",
            )


def image_characters(defined: Defined) -> Iterator[Finding]:
    """lib/volumes.nix puts the path between ' in a script, after options; the hypervisors' command lines separate
    options with commas (lib/runners/*.nix), but for Firecracker's, which is JSON."""
    for index, volume in _volumes(defined):
        image, bad = volume.image, ""
        if not image.strip() or image.endswith("/"):
            bad = "is no file's path"
        elif not image.isprintable():
            bad = "has a control character in it"
        elif volume.auto_create and ("'" in image or image.startswith("-")):
            bad = "has a ' in it" if "'" in image else "begins with -"
        elif "," in image and defined.hypervisor is not Hypervisor.FIRECRACKER:
            bad = "has a comma in it"
        elif image.startswith("~"):
            bad = "begins with a tilde, which nobody expands"
        if bad:
            yield error(
                f"volumes[{index}].image",
                f'"{image}" {bad}.',
                "The runner's script or the hypervisor's command line breaks there.",
                "another name",
            )


def size_needed(defined: Defined) -> Iterator[Finding]:
    """lib/volumes.nix: "Specify a size for volume … or use autoCreate = false"."""
    for index, volume in _volumes(defined):
        if volume.auto_create and volume.size is None:
            yield error(
                f"volumes[{index}].size",
                "size is missing.",
                "The image is made with it, unless autoCreate is false.",
                "size = 1024 (MiB)",
            )


def size_range(defined: Defined) -> Iterator[Finding]:
    """What `truncate -sM` and mkfs take (SMALLEST); without autoCreate nobody reads the size."""
    for index, volume in _volumes(defined):
        if not volume.auto_create or volume.size is None:
            continue
        smallest = SMALLEST.get(volume.fs_type or "", 1)
        if volume.size < smallest:
            yield error(
                f"volumes[{index}].size",
                f"{volume.size} MiB is too small for {volume.fs_type}.",
                f"mkfs.{volume.fs_type} takes {smallest} MiB or more; an image that it refuses stays blank.",
                f"size = {smallest}",
            )
        elif volume.size > LARGEST:
            yield error(
                f"volumes[{index}].size", f"{volume.size} MiB is more than a file can have.", "", "a smaller one"
            )


def fs_type_known(defined: Defined) -> Iterator[Finding]:
    """lib/volumes.nix: "Do not know how to handle …", for every volume as soon as one is made by microvm.nix. Of those
    that are mounted it is a non-empty string (nixpkgs, tasks/filesystems.nix)."""
    some_made = any(volume.auto_create for volume in defined.definition.volumes)
    for index, volume in _volumes(defined):
        fs_type = volume.fs_type or ""
        if some_made and fs_type not in SMALLEST:
            why = "" if volume.auto_create else "It does so for all volumes where one has autoCreate."
            yield error(
                f"volumes[{index}].fsType",
                f'microvm.nix can\'t make "{fs_type}".',
                why,
                f"one of {', '.join(SMALLEST)}; or autoCreate = false on every volume",
            )
        elif volume.mount_point is not None and not fs_type.strip(" \t\n"):
            yield error(f"volumes[{index}].fsType", "The type of the file system is empty.", "", 'fsType = "ext4"')


def label_length(defined: Defined) -> Iterator[Finding]:
    """LABEL_BYTES. mke2fs cuts a label and says nothing, mkfs.btrfs one of 255 bytes; the guest then waits for one that
    never appears."""
    for index, volume in _volumes(defined):
        if volume.label is None or not volume.auto_create:
            continue
        limit, size = LABEL_BYTES.get(volume.fs_type or "", 255), len(volume.label.encode())
        if size > limit:
            yield error(
                f"volumes[{index}].label",
                f"The label has {size} bytes, {volume.fs_type} takes {limit}.",
                "The guest waits for a label that never appears.",
                f'label = "{volume.label.encode()[:limit].decode(errors="ignore")}"',
            )


def label_characters(defined: Defined) -> Iterator[Finding]:
    """lib/volumes.nix puts it between ' in a script. The guest mounts /dev/disk/by-label/LABEL (mounts.nix), where udev
    writes other characters as \\x20 and the like (udev_replace_chars)."""
    for index, volume in _volumes(defined):
        if volume.label is not None and not _LABEL.fullmatch(volume.label):
            yield error(
                f"volumes[{index}].label",
                f'The label "{volume.label}" is not found by the guest.' if volume.label else "The label is empty.",
                "udev has it in /dev/disk/by-label under another name.",
                "use letters, digits and # + - . : = @ _",
            )


def duplicate_label(defined: Defined) -> Iterator[Finding]:
    """mounts.nix: the guest mounts by label; of two devices with one label, either. The store disk's is `nix-store`
    (store-disk.nix)."""
    first: dict[str, int] = {}
    for index, volume in _volumes(defined):
        if volume.label is None:
            continue
        other = first.setdefault(volume.label, index)
        if other != index:
            yield error(
                f"volumes[{index}].label",
                f'The label "{volume.label}" is that of volumes[{other}] too.',
                "The guest mounts by label, and would take either.",
                "give each volume a label of its own",
            )
        elif volume.label == "nix-store" and defined.definition.store_on_disk:
            yield error(
                f"volumes[{index}].label",
                'The label "nix-store" is the store disk\'s.',
                "The guest mounts its store by that label, and would take either.",
                "another label",
            )


def too_many(defined: Defined) -> Iterator[Finding]:
    """lib/default.nix, `withDriveLetters`: there are 26 letters, the store disk takes one, and what gets none is not
    there."""
    count = 25 if defined.definition.store_on_disk else 26
    for index in range(count, len(defined.definition.volumes)):
        yield error(
            f"volumes[{index}]",
            f"A microVM has {count} volumes at most; this one would not be there.",
            "microvm.nix gives each a letter; nobody says so when they are used up.",
            "one volume less",
        )


def serial(defined: Defined) -> Iterator[Finding]:
    """virtio_blk.h: VIRTIO_BLK_ID_BYTES. The command lines separate options with commas (lib/runners/*.nix)."""
    for index, volume in _volumes(defined):
        if volume.serial is None:
            continue
        size = len(volume.serial.encode())
        if size > SERIAL_BYTES or not size:
            yield error(
                f"volumes[{index}].serial",
                f"The serial number has {size} bytes, virtio takes 1 to {SERIAL_BYTES}.",
                "",
                "a shorter one" if size else "leave serial out",
            )
        elif "," in volume.serial or not volume.serial.isprintable():
            yield error(
                f"volumes[{index}].serial",
                "The serial number has a comma or a control character in it.",
                "The hypervisor's command line breaks there.",
                "use letters and digits",
            )


def only_made(defined: Defined) -> Iterator[Finding]:
    """lib/volumes.nix: label and mkfsExtraArgs are given to mkfs, which runs with autoCreate alone."""
    for index, volume in _volumes(defined):
        if volume.auto_create:
            continue
        if volume.label is not None:
            yield warning(
                f"volumes[{index}].label",
                "Nobody writes this label: autoCreate is false.",
                "The guest waits for it.",
                f"label the file system in {volume.image} yourself",
            )
        if volume.mkfs_extra_args:
            yield warning(
                f"volumes[{index}].mkfsExtraArgs",
                "mkfsExtraArgs has no effect: autoCreate is false.",
                "",
                "leave it out",
            )


def made_raw(defined: Defined) -> Iterator[Finding]:
    """options.nix, `imageType`: it "does not change format of the image created if autoCreate is true"."""
    for index, volume in _volumes(defined):
        if volume.auto_create and volume.image_type != "raw":
            yield error(
                f"volumes[{index}].imageType",
                f"The image is made raw, and the hypervisor told that it is {volume.image_type}.",
                "autoCreate makes raw images alone.",
                f'imageType = "raw", or autoCreate = false and an image that is {volume.image_type}',
            )


def not_mounted(defined: Defined) -> Iterator[Finding]:
    """options.nix: `mountPoint` is null or a path, without a default; TOML has no null. Since 26.05, lib/types.nix of
    nixpkgs takes null for what is left out."""
    for index, volume in _volumes(defined):
        if volume.mount_point is None:
            yield info(
                f"volumes[{index}].mountPoint",
                "The guest does not mount this volume.",
                "Without mountPoint, nixpkgs before 26.05 refuses the file.",
            )


def _volumes(defined: Defined) -> Iterator[tuple[int, Volume]]:
    return iter(enumerate(defined.definition.volumes))
