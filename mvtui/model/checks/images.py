"""Checks of volumes' images against the host."""

import posixpath
from collections.abc import Iterator
from shlex import quote

from mvtui.model.checks.fields import Fields
from mvtui.model.definition import Volume
from mvtui.model.facts import SourceKind
from mvtui.model.field_facts import Barred, ImageLook
from mvtui.model.finding import Finding
from mvtui.model.format import size as written_size
from mvtui.model.microvm import ImageFacts
from mvtui.model.mkfs import EXT, label_command
from mvtui.model.own_command import own_command
from mvtui.model.rights import Account
from mvtui.model.rules.finding import error, info, warning
from mvtui.model.rules.paths import is_inside

MIB = 1 << 20

_IMAGES = (SourceKind.FILE, SourceKind.BLOCK_DEVICE)
# What mkfs leaves at an image's end: groups, blocks and zones that are not whole.
_ROUNDING = 16 * MIB
# With less than this left, the host's disk is as good as full.
_LITTLE_LEFT = 0.05


def image_untold(fields: Fields) -> Iterator[Finding]:
    """What can't be looked at is said, or nobody knows that the other checks did not see it."""
    for index, _, look in fields.volumes_seen():
        if look.problem:
            yield info(f"volumes[{index}].image", f"{look.path} can't be checked: {look.problem}.")
        elif look.kind in _IMAGES and look.facts is None:
            yield info(f"volumes[{index}].image", f"What is in {look.path} can't be checked: mvtui does not open it.")


def image_no_image(fields: Fields) -> Iterator[Finding]:
    """lib/volumes.nix leaves alone what exists (`[ ! -e`), and no hypervisor takes a directory for a disk."""
    for index, _, look in fields.volumes_seen():
        if look.kind is not None and look.kind not in (*_IMAGES, SourceKind.NOTHING, SourceKind.DANGLING):
            fix = f"a file in it: {look.path}/disk.img" if look.kind is SourceKind.DIRECTORY else "another path"
            yield error(f"volumes[{index}].image", f"{look.path} is a {look.kind}.", "An image is a file.", fix)


def image_of_another(fields: Fields) -> Iterator[Finding]:
    """Symptom: two kernels write one file system, and destroy it; firecracker and kvmtool take no lock. An image is the
    same one where the path is, or the inode (a hard link, a link, another mount)."""
    for index, volume in enumerate(fields.definition.volumes):
        path = posixpath.normpath(posixpath.join(fields.directory, volume.image))
        look = fields.images.get(index)
        for other in fields.others:
            same_file = look is not None and look.file_id is not None and look.file_id == other.file_id
            if (same_file or path == other.path) and not (volume.read_only and other.read_only):
                under = "" if path == other.path else f" as {other.path}"
                yield error(
                    f"volumes[{index}].image",
                    f"{path} is an image of {other.microvm} ({other.stage}){under}.",
                    "Two microVMs that write one image destroy the file system in it.",
                    "an image of its own, or readOnly on both",
                )
                break


def image_twice(fields: Fields) -> Iterator[Finding]:
    """As `image_of_another`, within the microVM: one file under two names. Two spellings of one path are a rule's."""
    first: dict[object, int] = {}
    for index, volume, look in fields.volumes_seen():
        other = first.setdefault(look.file_id, index) if look.file_id is not None else index
        if other != index and not (volume.read_only and fields.definition.volumes[other].read_only):
            yield error(
                f"volumes[{index}].image",
                f"{look.path} is the file of volumes[{other}] too.",
                "Two file systems in one image destroy each other.",
                "give each volume an image of its own",
            )


def image_barred(fields: Fields) -> Iterator[Finding]:
    """Symptom: "Permission denied", and no start (microvm.nix, issues 222, 246). Hypervisor and runner work as the
    microVM's user, also in a directory outside of the state directory."""
    for index, volume, look in fields.volumes_seen():
        if fields.account is None or look.missing_directory:
            continue
        barred = look.barred_reading if volume.read_only else look.barred_writing
        if look.kind is SourceKind.NOTHING:
            barred = look.barred_writing if volume.auto_create else None
        if barred is None:
            continue
        verb = "make" if look.kind is SourceKind.NOTHING else "read" if volume.read_only else "write"
        yield error(
            f"volumes[{index}].image",
            f"User {fields.account.name} can't {verb} {look.path}: it may not {barred.what} {barred.path}.",
            "The hypervisor runs as that user.",
            _right(fields.account, look, barred),
        )


def image_missing(fields: Fields) -> Iterator[Finding]:
    """lib/volumes.nix makes an image with autoCreate, and no directory for it."""
    for index, volume, look in fields.volumes_seen():
        if look.missing_directory:
            above = posixpath.dirname(look.path)
            directory = quote(above if is_inside(above, look.missing_directory) else look.missing_directory)
            owner = f" && chown {fields.account.uid} {directory}" if fields.account is not None else ""
            yield warning(
                f"volumes[{index}].image",
                f"{look.missing_directory} does not exist.",
                "No image can be made in it.",
                f"mkdir -p {directory}{owner}",
            )
        elif look.kind is SourceKind.NOTHING and not volume.auto_create:
            yield warning(
                f"volumes[{index}].image",
                f"{look.path} does not exist.",
                "Nobody makes it: autoCreate is false.",
                "autoCreate = true, or make the image yourself",
            )


def image_size(fields: Fields) -> Iterator[Finding]:
    """Symptom: a changed size has no effect (microvm.nix, issue 315): lib/volumes.nix never touches an image that
    exists."""
    for index, volume, facts in _existing(fields):
        is_file = fields.images[index].kind is SourceKind.FILE
        if volume.size is None or facts.size == volume.size * MIB or not volume.auto_create or not is_file:
            continue
        has = _told_size(facts.size)
        what = f"size has no effect on an image that exists: {facts.path} has {has}."
        if facts.size > volume.size * MIB:
            why, fix = "No image is ever made smaller.", f"size = {-(-facts.size // MIB)}"
        else:
            why, fix = (
                "microvm.nix leaves it as it is.",
                _growing(fields, volume),
            )
        if fields.holds_overlay(volume.mount_point):
            fix += f", or {own_command('reset', fields.name)} after the rebuild makes a new one"
        yield warning(f"volumes[{index}].size", what, why, fix)


def file_system_size(fields: Fields) -> Iterator[Finding]:
    """Symptom: a larger image, and no more room in the guest: only resize2fs and the like grow a file system."""
    for index, volume, facts in _existing(fields):
        if facts.fs_size is not None and facts.fs_size + _ROUNDING < facts.size:
            yield warning(
                f"volumes[{index}].size",
                f"The file system in {facts.path} has {_told_size(facts.fs_size)} of the image's "
                f"{_told_size(facts.size)}.",
                "The image was made larger, the file system was not.",
                _growing(fields, volume),
            )


def image_blank(fields: Fields) -> Iterator[Finding]:
    """Symptom: the guest waits for a device that it can't mount (microvm.nix, issues 229, 346). Where mkfs failed, the
    blank image stays, and nobody formats one that exists."""
    for index, volume, facts in _existing(fields):
        if volume.mount_point is None or facts.fs_type is not None or facts.allocated:
            continue
        yield error(
            f"volumes[{index}].image",
            f"{facts.path} is blank: there is no file system in it.",
            "microvm.nix formats no image that exists.",
            f"remove it while {fields.name} is stopped: its next start makes it",
        )


def image_fs_type(fields: Fields) -> Iterator[Finding]:
    """Symptom: "wrong fs type" in the guest. mounts.nix mounts with the defined type; mkfs was only run when the image
    was made."""
    for index, volume, facts in _existing(fields):
        there, wanted = facts.fs_type, volume.fs_type
        if volume.mount_point is None or there is None or there == wanted:
            continue
        if there in EXT and wanted in EXT and EXT.index(there) < EXT.index(wanted):
            continue  # ext4 mounts what is older
        yield error(
            f"volumes[{index}].fsType",
            f"{facts.path} exists, and there is {there} in it.",
            "microvm.nix formats no image that exists, and the guest mounts it as defined.",
            f'fsType = "{there}"',
        )


def image_label(fields: Fields) -> Iterator[Finding]:
    """Symptom: "Timed out waiting for device /dev/disk/by-label/…" in the guest (microvm.nix, issue 179). A label is
    written by mkfs alone."""
    for index, volume, facts in _existing(fields):
        if None in (volume.mount_point, volume.label, facts.fs_type) or facts.label == volume.label:
            continue
        there = f'labelled "{facts.label}"' if facts.label is not None else "without a label"
        keeps = f'label = "{facts.label}"' if facts.label is not None else "leave label out"
        command = label_command(facts.fs_type, facts.path, volume.label or "")
        yield error(
            f"volumes[{index}].label",
            f"{facts.path} exists, {there}.",
            "The guest waits for the defined label, which never appears.",
            f"{keeps}, or label it while {fields.name} is stopped: {command}",
        )


def no_space(fields: Fields) -> Iterator[Finding]:
    """Symptom: I/O errors in the guest when the host's disk is full. An image is sparse (`truncate`): it is made
    however large it is, and takes what is written to it. Those that are new count together."""
    promised: dict[int, int] = {}
    for index, volume, look in fields.volumes_seen():
        space = look.space
        if space is None or volume.size is None or not volume.auto_create:
            continue
        wanted = volume.size * MIB
        promised[space.device] = promised.get(space.device, 0) + wanted
        place, left = f"volumes[{index}].size", space.free - promised[space.device]
        free = f"{_told_size(space.free)} are free for {look.path}"
        if wanted > space.total:
            yield warning(
                place,
                f"The disk has {_told_size(space.total)}, the image would have {_told_size(wanted)}.",
                "It is made all the same, sparse; the guest gets I/O errors when the disk is full.",
                f"size = {space.free // MIB} or less",
            )
        elif left < 0:
            together = "" if promised[space.device] == wanted else " with the new images before it"
            yield warning(
                place,
                f"{free}: {_told_size(promised[space.device])}{together} are more.",
                "It is made all the same, sparse; the guest gets I/O errors when the disk is full.",
                f"size = {max(volume.size + left // MIB, 1)} or less",
            )
        elif left < space.total * _LITTLE_LEFT:
            yield info(place, f"{free}: when it is full, {_told_size(left)} are left.")


def _existing(fields: Fields) -> Iterator[tuple[int, Volume, ImageFacts]]:
    """The volumes whose image is there and was read. What is no raw image has a size and a file system of its own
    within."""
    for index, volume, look in fields.volumes_seen():
        if look.facts is not None and look.facts.problem is None and volume.image_type in (None, "raw"):
            yield index, volume, look.facts


def _told_size(count: int) -> str:
    """Exactly in MiB where that is how it is written in a definition."""
    return f"{count // MIB} MiB" if count % MIB == 0 and count < 10240 * MIB else f"{written_size(count)}"


def _growing(fields: Fields, volume: Volume) -> str:
    return f"save it, then grow it: {own_command('grow', fields.name, volume.image, option='--defined')}"


def _right(account: Account, look: ImageLook, barred: Barred) -> str:
    if barred.path == look.path:
        return f"chown {account.uid} {quote(look.path)}"
    return f"setfacl -m u:{account.uid}:{'x' if barred.what == 'enter' else 'rwx'} {quote(barred.path)}"
