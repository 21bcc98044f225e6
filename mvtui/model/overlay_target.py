"""Which of its volumes or shares holds a microVM's writable store overlay. Pure."""

import posixpath
from collections.abc import Iterator

from mvtui.model.definition import Definition, Share, Volume
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay import OverlayKind, OverlayTarget, ToldBy


def find_target(microvm: MicroVM, defined: Definition | None, chosen: str | None) -> OverlayTarget:
    """The overlay that the next start of `microvm` has.

    What is built decides, by the guest's fstab; where that can't be read (the store is on disk), the definition file
    `defined`, as far as what it names is built; else `chosen`, the image that a person named, as
    `microvm.volumes.*.image` or as a path. Names are never guessed from. A volume without `autoCreate` is
    completed from `defined`.

    An overlay that lies within a larger volume or share (a volume at `/`) is UNKNOWN, told by BUILT: `volume` or `tag`
    say what holds it.
    """
    built = microvm.built.definition if microvm.built is not None else None
    if built is not None and built.fstab_read:
        return _told(microvm.path, built, built.writable_store_overlay, defined, ToldBy.BUILT)
    known = _joined(microvm.path, built, defined)
    if defined is not None and defined.writable_store_overlay is not None:
        found = _told(microvm.path, known, defined.writable_store_overlay, defined, ToldBy.DEFINED)
        if found.kind is not OverlayKind.TMPFS or _all_built(microvm.path, built, defined):
            return found
    if chosen is not None:
        wanted = overlay_path(microvm.path, chosen)
        for volume in known.volumes:
            if overlay_path(microvm.path, volume.image) == wanted:
                return _volume(microvm.path, volume, defined, ToldBy.CHOSEN)
    return OverlayTarget(OverlayKind.UNKNOWN)


def candidates(microvm: MicroVM, defined: Definition | None) -> tuple[str, ...]:
    """The images of which one may be the overlay, for a person to choose from: those of what is built, or of the
    definition where nothing is."""
    built = microvm.built.definition if microvm.built is not None else None
    return tuple(volume.image for volume in _joined(microvm.path, built, defined).volumes if not volume.read_only)


def overlay_path(directory: str, path: str) -> str:
    """An image or a source as an absolute path. `..` stays: only the kernel knows where it leads."""
    joined = posixpath.join(directory, path)
    return "/" + "/".join(part for part in joined.split("/") if part not in ("", "."))


def _joined(directory: str, built: Definition | None, defined: Definition | None) -> Definition:
    """What is built, with the mount points that only the definition tells; the definition where nothing is built."""
    if built is None or defined is None:
        return built or defined or Definition()
    return built._replace(
        volumes=tuple(_with_mount_point(directory, volume, defined) for volume in built.volumes),
        shares=tuple(_share_with_mount_point(share, defined) for share in built.shares),
    )


def _with_mount_point(directory: str, volume: Volume, defined: Definition) -> Volume:
    same = _same_volume(directory, volume, defined)
    if volume.mount_point is not None or same is None:
        return volume
    return volume._replace(mount_point=same.mount_point)


def _share_with_mount_point(share: Share, defined: Definition) -> Share:
    same = next((other for other in defined.shares if other.tag == share.tag), None)
    if share.mount_point is not None or same is None:
        return share
    return share._replace(mount_point=same.mount_point)


def _all_built(directory: str, built: Definition | None, defined: Definition) -> bool:
    """Whether every volume and share that the definition mounts is among what is built: else it tells nothing of what
    is not mounted."""
    if built is None:
        return True
    images = {overlay_path(directory, volume.image) for volume in built.volumes}
    tags = {share.tag for share in built.shares}
    return all(overlay_path(directory, volume.image) in images for volume in defined.volumes) and all(
        share.tag in tags for share in defined.shares
    )


def _told(
    directory: str, definition: Definition, overlay: str | None, defined: Definition | None, by: ToldBy
) -> OverlayTarget:
    if overlay is None:
        return OverlayTarget(OverlayKind.NONE, told_by=by)
    wanted = _normal(overlay)
    holders = sorted(_mounted_above(definition, wanted), key=lambda found: len(found[0]))
    if not holders:
        return OverlayTarget(OverlayKind.TMPFS, told_by=by)
    mount_point, holder = holders[-1]
    if isinstance(holder, Volume):
        found = _volume(directory, holder, defined, by)
    else:
        source = overlay_path(directory, holder.source) if holder.source is not None else None
        found = OverlayTarget(OverlayKind.SHARE, source, tag=holder.tag, told_by=by)
    return found if mount_point == wanted else found._replace(kind=OverlayKind.UNKNOWN, path=None)


def _mounted_above(definition: Definition, wanted: str) -> Iterator[tuple[str, Volume | Share]]:
    """What is mounted at `wanted` or above it, with its mount point."""
    things: tuple[Volume | Share, ...] = (*definition.volumes, *definition.shares)
    for thing in things:
        if thing.mount_point is not None:
            mount_point = _normal(thing.mount_point)
            if wanted == mount_point or wanted.startswith(f"{mount_point.rstrip('/')}/"):
                yield mount_point, thing


def _normal(path: str) -> str:
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _volume(directory: str, volume: Volume, defined: Definition | None, by: ToldBy) -> OverlayTarget:
    same = _same_volume(directory, volume, defined)
    if volume.fs_type == "auto":  # as mount(8) has it; no mkfs has
        volume = volume._replace(fs_type=None)
    if same is not None and not volume.auto_create:
        volume = volume._replace(
            size=volume.size if volume.size is not None else same.size,
            fs_type=volume.fs_type or same.fs_type,
            label=volume.label if volume.label is not None else same.label,
            mkfs_extra_args=volume.mkfs_extra_args or same.mkfs_extra_args,
            auto_create=volume.auto_create if volume.auto_create is not None else same.auto_create,
        )
    return OverlayTarget(OverlayKind.VOLUME, overlay_path(directory, volume.image), volume, told_by=by)


def _same_volume(directory: str, volume: Volume, defined: Definition | None) -> Volume | None:
    if defined is None:
        return None
    wanted = overlay_path(directory, volume.image)
    return next((other for other in defined.volumes if overlay_path(directory, other.image) == wanted), None)
