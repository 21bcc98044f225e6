"""Checks of volumes: what the image on the host is, against what the guest expects of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mvtui.model.format import size
from mvtui.model.growth import wanted_size
from mvtui.model.mkfs import EXT, label_command
from mvtui.model.own_command import own_command
from mvtui.model.state import StateWord
from mvtui.operations.checks.check import DISK, Seen, error, is_up, verb, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.model.definition import Volume
    from mvtui.model.finding import Finding
    from mvtui.model.microvm import ImageFacts, MicroVM, VolumeStatus

# An image with less than this left is full for whoever builds in it.
FULL_PERCENT = 95.0
# The host's own disk: what is left is for everybody on it.
DISK_PERCENT = 95.0
# mkfs leaves out what fills no block or group: so much of an image, or one part in so many of it.
_SLACK = 2**20
_SLACK_PART = 50
_MIB = 2**20


def blank(seen: Seen) -> Iterator[Finding]:
    """The guest waits for a disk, and ends in emergency mode.

    Cause: an mkfs that failed has left an image, and one that exists is never formatted again. Seen: nothing is written
    where the superblock of ext, xfs, btrfs and vfat is. Source: table 11, #229 #346.
    """
    if seen.microvm.state.word is StateWord.STARTING:  # mkfs may be at work
        return
    for status, image in _images(seen):
        volume = _built(seen.microvm, status)
        if image.blank and image.size and (volume.auto_create or volume.mount_point is not None):
            what = f"Volume {volume.image} is blank: it has no file system."
            why = "An image that exists is never formatted again, also where mkfs failed."
            fix = _made_anew(seen, status) if volume.auto_create else _formatted(volume, image.path)
            yield error(_subject(status), _note(status, "blank"), what, why, fix)


def missing(seen: Seen) -> Iterator[Finding]:
    """The hypervisor ends at once, at every start.

    Cause: an image that microvm.nix does not make (`autoCreate = false`) is not there. Seen: nothing has its name.
    Source: the runner's script, which makes those of `autoCreate` alone.
    """
    for status in seen.microvm.volumes:
        volume = _built(seen.microvm, status)
        if status.image is not None and status.image.missing and volume.auto_create is False and not status.gone:
            what = f"The image of volume {volume.image} does not exist."
            why = "Nothing makes it: autoCreate is false. A hypervisor that does not find its image ends."
            yield error(_subject(status), "no image", what, why, _made(seen, volume, status.image.path))


def removed(seen: Seen) -> Iterator[Finding]:
    """All that the guest has written is lost at its next stop, and nothing has told so.

    Cause: the image was moved or removed under a guest that runs. Seen: nothing has its name since the hypervisor was
    started. Source: unlink(2), the runner's script, which makes an empty one at the next start.
    """
    hypervisor = seen.microvm.hypervisor
    for status in seen.microvm.volumes:
        if status.gone and hypervisor is not None and seen.microvm.entry is not None:
            what = f"The image of volume {status.volume.image} is gone; its guest goes on with the open file."
            why = "Where it was removed, and not moved, a stop loses all that is in it."
            fix = f"before a stop: ls -l /proc/{hypervisor.pid}/fd shows where it is; move or copy it back"
            yield error(_subject(status), "no image", what, why, fix)


def cut_off(seen: Seen) -> Iterator[Finding]:
    """The guest can't mount the volume: "bad geometry", "attempt to access beyond end of device".

    Cause: the image was made smaller than the file system in it. Seen: the superblock's size against the file's.
    Source: table 10, #315.
    """
    for status, image in _images(seen):
        if image.fs_size is not None and image.fs_size > image.size:
            what = f"Volume {status.volume.image} is cut off: {size(image.size)} of its {size(image.fs_size)} are left."
            why = "The file system in it is larger than the image, and no kernel mounts that."
            fix = f"make the image as large as it was: truncate -s {image.fs_size} {shlex.quote(image.path)}"
            yield error(_subject(status), _note(status, "cut off"), what, why, fix)


def other_size(seen: Seen) -> Iterator[Finding]:
    """The guest's disk is not as large as its definition says.

    Cause: `size` was changed, and an image that exists is never touched again. Seen: the size that is built, against
    that of the image, and of the file system in it. Source: table 10, #315.
    """
    for status, image in _images(seen):
        volume = _built(seen.microvm, status)
        wanted = volume.size * _MIB if volume.size is not None and volume.auto_create is not False else None
        if wanted is None or image.blank or (image.fs_size or 0) > image.size:
            continue
        defined = wanted_size(seen.microvm, seen.microvm.defined, volume.image)
        is_grown = defined is not None and defined.size == image.size  # what is built follows with the rebuild
        if wanted != image.size and not is_grown:
            what = f"Volume {volume.image} has {size(image.size)}, its size says {size(wanted)}."
            why = "An image that exists is never made larger or smaller."
            yield warning(_subject(status), "≠ size", what, why, _grown(seen, status, wanted > image.size))
        elif image.fs_size is not None and image.size - image.fs_size > max(_SLACK, image.size // _SLACK_PART):
            what = f"Volume {volume.image} has {size(image.size)}, its file system {size(image.fs_size)}."
            why = "The image was made larger, and the file system in it was not."
            yield warning(_subject(status), "≠ size", what, why, _grown(seen, status, True))


def label(seen: Seen) -> Iterator[Finding]:
    """The guest waits 90 s for /dev/disk/by-label/…, and ends in emergency mode.

    Cause: mkfs cuts a label that is too long, or the label was changed after the image was made. Seen: the label in the
    superblock, against the one that is built. Source: table 12, #179.
    """
    for status, image in _images(seen):
        wanted = _built(seen.microvm, status).label
        if wanted and image.fs_type is not None and wanted != image.label:
            cut = image.label is not None and wanted.startswith(image.label)
            what = f'Volume {status.volume.image} has the label "{image.label or ""}", the guest looks for "{wanted}".'
            why = "mkfs cut it: it is too long." if cut else "A label is only written when the image is made."
            command = label_command(image.fs_type, image.path, wanted)
            fix = "give it a shorter label, and rebuild" if cut else f"stopped: {command}"
            yield error(_subject(status), _note(status, "label"), what, why, fix)


def other_type(seen: Seen) -> Iterator[Finding]:
    """The guest can't mount the volume: "wrong fs type, bad superblock".

    Cause: `fsType` was changed after the image was made. Seen: the superblock's kind, against what is built.
    Source: table 10, #315.
    """
    for status, image in _images(seen):
        wanted, found = _built(seen.microvm, status).fs_type, image.fs_type
        same = wanted == found or (wanted in EXT and found in EXT)
        if wanted is not None and found is not None and not same and wanted != "auto":
            what = f"Volume {status.volume.image} has {found} on it, the guest mounts it as {wanted}."
            why = "An image that exists is never formatted again."
            yield error(_subject(status), _note(status, "fs type"), what, why, f'fsType = "{found}", and rebuild')


def full(seen: Seen) -> Iterator[Finding]:
    """Builds and writes in the guest end with "no space left on device".

    Cause: the file system in the image has no room left. Seen: the free blocks of its superblock. Source: table 9.
    """
    for status in seen.microvm.volumes:
        used = status.image.fill_percent if status.image is not None else None
        if used is not None and used >= FULL_PERCENT:
            what = "The writable store overlay" if status.overlay else f"Volume {status.volume.image}"
            note = "ov full" if status.overlay else "vol full"
            why = "Builds in it fail soon." if status.overlay else "Writes to it fail soon."
            fix = "free space in the guest, or make it larger: mvtui grow"
            if status.overlay:
                fix = f"reset its overlay: {verb('reset', seen.microvm)}, or make it larger"
            yield warning(_subject(status), note, f"{what} is {int(used)}% full.", why, fix)


def overlay_written(seen: Seen) -> Iterator[Finding]:
    """As with `full`, while the guest runs: ext writes down now and then alone what is free.

    Cause: as above. Seen: how much of the sparse image was ever written; little is ever deleted from an overlay.
    Source: table 9, `st_blocks` against `st_size`.
    """
    status = seen.microvm.overlay
    image = status.image if status is not None else None
    if status is None or image is None or not image.size or not (is_up(seen) and status.volume.auto_create):
        return
    written, told = 100.0 * image.allocated / image.size, image.fill_percent
    if written >= FULL_PERCENT and (told is None or told < FULL_PERCENT):
        what = f"The writable store overlay has been written to {written:.0f}%: it may be full."
        why = "What is free, its file system only writes down now and then while it is mounted."
        fix = f"see df in the guest; a reset empties it: {verb('reset', seen.microvm)}"
        yield warning(_subject(status), "ov full", what, why, fix)


def disk_full(seen: Seen) -> Iterator[Finding]:
    """The guest's disk reports errors, and its file system becomes read-only; or a hypervisor stops it.

    Cause: an image is sparse, and the host's disk has no room for what it may still grow. Seen: statvfs(3) of the
    image's directory. Source: table 9.
    """
    for status, image in _images(seen):
        if not image.disk_size or image.disk_free is None or status.volume.read_only:
            continue
        used = 100.0 * (image.disk_size - image.disk_free) / image.disk_size
        if used >= DISK_PERCENT and image.allocated < image.size:
            what = f"The host's disk under volume {status.volume.image} is {int(used)}% full."
            why = f"It has {size(image.disk_free)} left; the image may take {size(image.size - image.allocated)} more."
            yield warning(DISK, f"disk {int(used)}%", what, why, f"free space where {image.path} is")
            return  # the others say the same


def used_twice(seen: Seen) -> Iterator[Finding]:
    """Two guests write into one file system and destroy it; or the second one does not start: "Failed to get "write"
    lock".

    Cause: two microVMs name one file, or a loop device, a mount or a hypervisor started by hand has it. Seen: the
    image's inode among those of every microVM and among the open files of every process. Source: table 13.
    """
    for status in seen.microvm.volumes:
        if status.twins and not status.volume.read_only:
            others = ", ".join(status.twins)
            what = f"Volume {status.volume.image} is also a volume of {others}."
            why = "Two guests that write into one file system destroy it."
            yield error(_subject(status), "image twice", what, why, "give each its own image")
            continue
        for holder in status.foreign_holders(seen.microvm.name):
            if holder.how in ("open", "mapped") and not _is_hypervisor(holder.command):
                continue  # a backup
            who = f"{holder.command or 'a process'} (pid {holder.pid})" if holder.pid else holder.how
            if holder.pid is None and holder.how == "lock":
                continue  # an open file description lock of who else was found, or of one who is not seen
            what = f"Volume {status.volume.image} is in use by {who}."
            why = "Two that write into one file system destroy it." if is_up(seen) else "A start may fail."
            give = error if is_up(seen) else warning
            yield give(_subject(status), "image used", what, why, f"end {who}" if holder.pid else f"detach {who}")
            break


_HYPERVISORS = ("qemu", "cloud-hyperviso", "firecracker", "crosvm", "lkvm", "kvmtool", "stratovirt", "alioth")


def _is_hypervisor(command: str | None) -> bool:
    return command is not None and command.removeprefix("microvm@").startswith(_HYPERVISORS)


def _images(seen: Seen) -> Iterator[tuple[VolumeStatus, ImageFacts]]:
    """The volumes whose image could be read, and holds no disk in a format of its own."""
    for status in seen.microvm.volumes:
        if status.image is not None and status.image.problem is None and status.volume.image_type in (None, "raw"):
            yield status, status.image


def _built(microvm: MicroVM, status: VolumeStatus) -> Volume:
    """The volume as built, which is what an image is made of; where that is not told, as shown."""
    definition = microvm.built.definition if microvm.built is not None else None
    volumes = definition.volumes if definition is not None else ()
    return next((volume for volume in volumes if volume.image == status.volume.image), status.volume)


def _subject(status: VolumeStatus) -> str:
    return f"volume {status.volume.image}"


def _note(status: VolumeStatus, words: str) -> str:
    return f"ov {words}" if status.overlay else f"vol {words}"


def _made(seen: Seen, volume: Volume, path: str) -> str:
    """What makes an image that microvm.nix does not make; without a size, a person knows what belongs there."""
    if not volume.size:
        return f"bring back {path}"
    owner = seen.microvm.entry.owner if seen.microvm.entry is not None else None
    image = shlex.quote(path)
    given = f" && chown {owner[0]}:{owner[1]} {image}" if owner is not None else ""
    return f"truncate -s {volume.size}M {image} && {_formatted(volume, path)}{given}"


def _formatted(volume: Volume, path: str) -> str:
    """The command that makes its file system."""
    fs_type = volume.fs_type or "ext4"
    label = f" {'-n' if fs_type == 'vfat' else '-L'} {shlex.quote(volume.label)}" if volume.label else ""
    return f"{shlex.quote(f'mkfs.{fs_type}')}{label} {shlex.quote(path)}"


def _made_anew(seen: Seen, status: VolumeStatus) -> str:
    """What makes an image be made at the next start."""
    stop = f"{verb('stop', seen.microvm)}, " if is_up(seen) else ""
    image = status.image.path if status.image is not None else status.volume.image
    empties = verb("reset", seen.microvm) if status.overlay else f"rm {shlex.quote(image)}"
    return f"{stop}{empties}, then {verb('start', seen.microvm)}"


def _grown(seen: Seen, status: VolumeStatus, larger: bool) -> str:
    if status.overlay:
        return f"reset its overlay: {verb('reset', seen.microvm)}"
    if not larger:
        return "size back to what the image has, and rebuild"
    wanted = _built(seen.microvm, status).size
    return own_command("grow", seen.microvm.name, status.volume.image, f"{wanted}M")
