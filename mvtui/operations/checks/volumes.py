"""Checks of volumes: what the image on the host is, against what the guest expects of it."""

from collections.abc import Iterator

from mvtui.model.finding import Finding
from mvtui.operations.checks.check import Seen, warning

# An image with less than this left is full for whoever builds in it.
FULL_PERCENT = 95.0


def full(seen: Seen) -> Iterator[Finding]:
    """Builds and writes in the guest end with "no space left on device".

    Cause: the file system in the image has no room left. Seen: the free blocks of its superblock (of ext they lag
    behind while a guest has it mounted). Source: table 9.
    """
    for status in seen.microvm.volumes:
        used = status.image.fill_percent if status.image is not None else None
        if used is not None and used >= FULL_PERCENT:
            what = "The writable store overlay" if status.overlay else f"Volume {status.volume.image}"
            note = "ov full" if status.overlay else "vol full"
            yield warning(f"volume {status.volume.image}", note, f"{what} is {used:.0f}% full.")
