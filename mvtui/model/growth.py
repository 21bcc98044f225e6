"""A volume's image that is to become larger: `microvm.volumes.*.size` has no effect on one that exists. Pure."""

import shlex
from enum import StrEnum
from typing import NamedTuple

from mvtui.model.definition import Definition, Volume
from mvtui.model.format import size
from mvtui.model.microvm import ImageFacts, MicroVM
from mvtui.model.mkfs import EXT
from mvtui.model.overlay import Check, OverlayFacts, OverlayKind, OverlayTarget, ToldBy, first_against
from mvtui.model.overlay_target import overlay_path
from mvtui.model.text import clean

MIB = 1 << 20
# What only a kernel that has it mounted can grow, and the command that asks for it there.
MOUNTED = {"xfs": "xfs_growfs", "btrfs": "btrfs filesystem resize max"}

# resize2fs leaves out a last block group that has no room for its own tables: with 4 KiB blocks and 256 byte inodes
# these are 2 MiB, and less where the whole is small.
_EXT_SLACK, _SLACK_PART = 4 * MIB, 16


class GrowWay(StrEnum):
    """Who grows the file system: resize2fs in the unmounted file, with the rights of the microVM's user; the guest,
    once it runs with the larger file; or this host's kernel, which has it mounted for a moment."""

    RESIZE = "resize"
    GUEST = "guest"
    MOUNT = "mount"


class GrowTools(NamedTuple):
    """What the host has for it: the programs that are `missing`; `lazy`: its kernel lets resize2fs leave new tables of
    inodes unwritten; `total`: the size (bytes) of the file system on which the image lies."""

    missing: tuple[str, ...] = ()
    lazy: bool = False
    total: int = 0


class WantedSize(NamedTuple):
    """The size (bytes) that an image is to have, and who says so (`as its definition file says`)."""

    size: int
    by: str


class GrowPlan(NamedTuple):
    """What growing one image would do; the panel, `grow --dry-run` and `--json` show the same.

    `image` is as `microvm.volumes` has it. `size` is the wanted one (bytes), None where nobody tells. `way` is how it
    is done, `ways` are those in which it could be; `in_guest` is the command for the guest (GUEST), else "". `risks`,
    `notes` and `steps` are sentences. `nothing` says why there is nothing to do, "" otherwise. `rights_missing`: this
    user may not look at it. `overlay`: it is the writable store overlay. `tools`: the directories in which programs
    were looked for first.
    """

    microvm: str
    image: str
    target: OverlayTarget
    facts: OverlayFacts | None = None
    size: WantedSize | None = None
    way: GrowWay = GrowWay.RESIZE
    ways: tuple[GrowWay, ...] = ()
    in_guest: str = ""
    checks: tuple[Check, ...] = ()
    steps: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    nothing: str = ""
    rights_missing: bool = False
    overlay: bool = False
    tools: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it may be done now."""
        return first_against(self.nothing, self.checks).ok

    @property
    def refusal(self) -> str:
        """Why it can't be done, in one sentence; "" where it can."""
        return first_against(self.nothing, self.checks).why

    @property
    def fix(self) -> str:
        """What mends the first that stands against it, or ""."""
        return first_against(self.nothing, self.checks).fix


def find_volume(microvm: MicroVM, defined: Definition | None, image: str) -> tuple[Volume, ToldBy] | None:
    """The volume of that image, by what is built, else by what runs, else by the definition file; None where none of
    them has it."""
    built = microvm.built.definition if microvm.built is not None else None
    stages = ((built, ToldBy.BUILT), (microvm.booted, ToldBy.BUILT), (defined, ToldBy.DEFINED))
    for definition, by in stages:
        found = _volume(microvm.path, definition, image)
        if found is not None:
            return found, by
    return None


def images_of(microvm: MicroVM, defined: Definition | None) -> tuple[str, ...]:
    """The images of all of its volumes, each once."""
    built = microvm.built.definition if microvm.built is not None else None
    stages = (built, microvm.booted, defined)
    return tuple(dict.fromkeys(one.image for each in stages if each is not None for one in each.volumes))


def target_of(microvm: MicroVM, volume: Volume, by: ToldBy) -> OverlayTarget:
    """Where its image is."""
    return OverlayTarget(OverlayKind.VOLUME, overlay_path(microvm.path, volume.image), volume, told_by=by)


def wanted_size(microvm: MicroVM, defined: Definition | None, image: str) -> WantedSize | None:
    """The size that the definition file gives it, else what is built; None where neither does."""
    built = microvm.built.definition if microvm.built is not None else None
    for definition, by in ((defined, "as its definition file says"), (built, "as it is built")):
        volume = _volume(microvm.path, definition, image)
        if volume is not None and volume.size is not None and volume.size > 0:
            return WantedSize(volume.size * MIB, by)
    return None


def is_short(fs_type: str | None, fs_size: int | None, size: int) -> bool:
    """Whether a file system leaves more of a file of `size` bytes unused than it must."""
    slack = min(_EXT_SLACK, size // _SLACK_PART) if fs_type in EXT else MIB
    return fs_size is not None and size - fs_size > slack


def out_of_step(microvm: MicroVM, volume: Volume, image: ImageFacts) -> tuple[str, bool] | None:
    """How the size of an image that exists differs from what is defined, or its file system from it, and whether
    growing mends that; None where nothing does."""
    if image.problem is not None or image.fs_type is None or volume.image_type not in (None, "raw"):
        return None
    wanted = wanted_size(microvm, microvm.defined, volume.image)
    if is_short(image.fs_type, image.fs_size, image.size):
        return f"its file system has {size(image.fs_size)} of the {size(image.size)}", True
    if wanted is None or wanted.size == image.size or image.path.startswith("/dev/"):
        return None
    told = f"{size(wanted.size)} {wanted.by}: no effect on an image that exists"
    return (told, True) if wanted.size > image.size else (f"{told}; none is ever made smaller", False)


def guest_command(volume: Volume, fs_type: str) -> str:
    """What the guest has to run."""
    where = shlex.quote(clean(volume.mount_point)) if volume.mount_point is not None else "MOUNTPOINT"
    return f"{MOUNTED[fs_type]} {where}"


def _volume(directory: str, definition: Definition | None, image: str) -> Volume | None:
    wanted = overlay_path(directory, image)
    volumes = definition.volumes if definition is not None else ()
    return next((each for each in volumes if overlay_path(directory, each.image) == wanted), None)
