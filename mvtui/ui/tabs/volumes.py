"""The volumes of a microVM: the image on the host, its file system, its place in the guest, who holds it."""

from collections.abc import Iterator

from mvtui.model.definition import Definition, Volume
from mvtui.model.drift_fields import same
from mvtui.model.format import size
from mvtui.model.growth import out_of_step
from mvtui.model.microvm import ImageFacts, MicroVM, VolumeStatus
from mvtui.model.telling import told_holders
from mvtui.model.text import clean
from mvtui.operations.checks.volumes import FULL_PERCENT
from mvtui.ui.lines import Line, clipped
from mvtui.ui.sparkline import gauge
from mvtui.ui.tabs.details import detail, elsewhere, none_of, not_yet, stages
from mvtui.ui.tabs.overlay import overlay_details
from mvtui.ui.tabs.page import Entry, Page

_GAUGE_WIDTH = 20


def entries(page: Page, width: int) -> list[Entry]:
    """One for each volume; or that there is none."""
    shown = [status.volume.image for status in page.microvm.volumes]
    others = elsewhere(page, "volumes", shown)
    if not shown and not others:
        return none_of("volumes", page.microvm, width)
    return [
        *[
            Entry(tuple(clipped(line, width) for line in _volume(page, status, width)), status.volume.image)
            for status in page.microvm.volumes
        ],
        *[Entry(tuple(clipped(line, width) for line in _elsewhere(page, image, width)), image) for image in others],
    ]


def _volume(page: Page, status: VolumeStatus, width: int) -> Iterator[Line]:
    volume, image = status.volume, status.image
    letter = f"/dev/vd{volume.letter}" if volume.letter else ""
    target = f"→ {clean(volume.mount_point)}" if volume.mount_point else _not_mounted(page.microvm)
    overlay = "   writable store overlay" if status.overlay else ""
    yield ((f"{clean(volume.image)}  ", "strong"), (f"{letter} {target}", "text"), (overlay, "key"))
    if image is not None and image.problem is not None:
        yield from detail("image", image.problem, width, "warning")
    elif image is not None:
        yield from _image(page, image, width)
        yield from _size(page, volume, image, width)
    yield from _holders(page.microvm, status, width)
    yield from _stages(page, volume.image, width)
    if status.overlay:
        yield from overlay_details(page, width)
    yield ()


def _holders(microvm: MicroVM, status: VolumeStatus, width: int) -> Iterator[Line]:
    """Who holds the image; anybody but the microVM itself stands out."""
    told = told_holders(status)
    if told:
        yield from detail("held by", told, width, "warning" if status.foreign_holders(microvm.name) else "text")


def _not_mounted(microvm: MicroVM) -> str:
    read = microvm.definition is not None and microvm.definition.fstab_read
    return "not mounted" if read else "mount point unknown"


def _image(page: Page, image: ImageFacts, width: int) -> Iterator[Line]:
    label = f'label "{image.label}"' if image.label else "no label"
    kind = f"{image.fs_type}, {label}, " if image.fs_type else ""
    yield from detail("image", f"{kind}{size(image.size)}, of it {size(image.allocated)} allocated on the host", width)
    if not image.fs_type:
        yield from detail("on disk", "none: it was never formatted", width, "warning")
    fill = image.fill_percent
    if fill is not None:
        bar = gauge(fill / 100, _GAUGE_WIDTH, ascii_only=page.ascii_only)
        text = f"{bar} {int(fill)}%  {size(image.fs_used)} of {size(image.fs_room)}"
        yield from detail("used", text, width, "warning" if fill >= FULL_PERCENT else "text")


def _size(page: Page, volume: Volume, image: ImageFacts, width: int) -> Iterator[Line]:
    """Where its size is not the one that is defined, and the key that mends it."""
    told = out_of_step(page.microvm, volume, image)
    if told is not None:
        yield from detail("size", told[0], width, "warning")
        if told[1]:
            yield ((" " * 11, "text"), *page.offer("grow", "grows it"))


def _elsewhere(page: Page, image: str, width: int) -> Iterator[Line]:
    """A volume that the guest does not have yet, or will not have any more."""
    yield ((f"{clean(image)}  ", "strong"), (not_yet(page), "warning"))
    yield from _stages(page, image, width)
    yield ()


def _stages(page: Page, image: str, width: int) -> Iterator[Line]:
    directory = page.microvm.path

    def told(definition: Definition) -> str | None:
        return next((_stage(one) for one in definition.volumes if same("image", one.image, image, directory)), None)

    yield from stages(page, "volumes", image, told, width)


def _stage(volume: Volume) -> str:
    facts = [
        f"size {volume.size} MiB" if volume.size is not None else "",
        volume.fs_type or "",
        f'label "{volume.label}"' if volume.label else "",
        " ".join(volume.mkfs_extra_args or ()),
        {True: "read-only", False: "writable", None: ""}[volume.read_only],
        "direct" if volume.direct else "",
        f"serial {volume.serial}" if volume.serial else "",
        volume.image_type if volume.image_type not in (None, "raw") else "",
        {True: "autoCreate", False: "no autoCreate", None: ""}[volume.auto_create],
    ]
    return ", ".join(fact for fact in facts if fact) or "nothing is told"
