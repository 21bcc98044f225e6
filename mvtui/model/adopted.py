"""What is built as the values of a definition file: what has no default, and what differs from microvm.nix's. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from mvtui.model.definition import HOST_STORE, Definition, Share, ShareProto, Volume
from mvtui.model.edit import AddItem, Edit, ItemKind, SetOverlay, Value

Values = dict[str, Value]


class Adopted(NamedTuple):
    """`edits` make the file's text of an empty one. `store_on_disk` is what has to be said of it, None where that is
    the default. `unknown` are the places (`shares[1].mountPoint`) that must be known and are not."""

    edits: tuple[Edit, ...]
    store_on_disk: bool | None
    unknown: tuple[str, ...]


def adopted(built: Definition) -> Adopted:
    """What a definition file must say so that `built` is what comes of it."""
    shares = [_share(share, built.host_name) for share in built.shares]
    volumes = [_volume(volume) for volume in built.volumes]
    edits: list[Edit] = []
    if built.writable_store_overlay is not None:
        edits.append(SetOverlay(built.writable_store_overlay))
    edits += [AddItem(ItemKind.SHARES, values) for values in shares]
    edits += [AddItem(ItemKind.VOLUMES, values) for values in volumes]
    default = all(share.source != HOST_STORE for share in built.shares)
    differs = built.store_on_disk is not None and built.store_on_disk is not default
    return Adopted(tuple(edits), built.store_on_disk if differs else None, tuple(_unknown(built)))


def completed(built: Definition, evaluated: Definition) -> Definition:
    """`built`, and where it can't tell, what Nix says of the share of that tag and the volume of that image."""
    shares = {share.tag: share for share in evaluated.shares}
    volumes = {volume.image: volume for volume in evaluated.volumes}
    overlay = built.writable_store_overlay if built.fstab_read else evaluated.writable_store_overlay
    return built._replace(
        shares=tuple(_completed_share(share, shares.get(share.tag)) for share in built.shares),
        volumes=tuple(
            _completed_volume(volume, volumes.get(volume.image), built.fstab_read) for volume in built.volumes
        ),
        writable_store_overlay=overlay,
        store_on_disk=evaluated.store_on_disk if built.store_on_disk is None else built.store_on_disk,
        fstab_read=True,
    )


def _completed_share(share: Share, other: Share | None) -> Share:
    if other is None:
        return share
    return Share._make(theirs if mine is None else mine for mine, theirs in zip(share, other, strict=True))


def _completed_volume(volume: Volume, other: Volume | None, fstab_read: bool) -> Volume:
    if other is None:
        return volume
    whole = Volume._make(theirs if mine is None else mine for mine, theirs in zip(volume, other, strict=True))
    # None is a word of its own there.
    return whole._replace(
        letter=volume.letter,
        mount_point=volume.mount_point if fstab_read else other.mount_point,
        label=volume.label if volume.auto_create else other.label,
    )


def _unknown(built: Definition) -> Iterator[str]:
    if not built.fstab_read and built.writable_store_overlay is None:
        yield "writableStoreOverlay"
    for number, share in enumerate(built.shares):
        needed = {"tag": share.tag, "source": share.source, "mountPoint": share.mount_point}
        yield from (f"shares[{number}].{key}" for key, value in needed.items() if value is None)
    for number, volume in enumerate(built.volumes):
        if volume.mount_point is None and not built.fstab_read:
            yield f"volumes[{number}].mountPoint"
        if volume.auto_create is None:
            yield f"volumes[{number}].autoCreate"
        if volume.auto_create and volume.size is None:
            yield f"volumes[{number}].size"


def _share(share: Share, host_name: str | None) -> Values:
    socket = share.socket
    if host_name is not None and socket == f"{host_name}-virtiofs-{share.tag}.sock":
        socket = None
    virtiofs = share.proto is ShareProto.VIRTIOFS
    return _without(
        {
            "proto": (str(share.proto), "9p"),
            "tag": (share.tag, None),
            "source": (share.source, None),
            "mountPoint": (share.mount_point, None),
            "readOnly": (share.read_only, False),
            "securityModel": (share.security_model, "none"),
            "cache": (share.cache, "auto"),
            "posixAcl": (share.posix_acl, True),
            "socket": (socket if virtiofs else None, None),
            "extraArgs": (share.extra_args, ()),
        }
    )


def _volume(volume: Volume) -> Values:
    return _without(
        {
            "image": (volume.image, None),
            "mountPoint": (volume.mount_point, None),
            "size": (volume.size, None),
            "autoCreate": (volume.auto_create, True),
            "fsType": (volume.fs_type, "ext4"),
            "label": (volume.label, None),
            "mkfsExtraArgs": (volume.mkfs_extra_args, ()),
            "readOnly": (volume.read_only, False),
            "direct": (volume.direct, False),
            "serial": (volume.serial, None),
            "imageType": (volume.image_type, "raw"),
        }
    )


def _without(values: dict[str, tuple[Value | None, object]]) -> Values:
    """What is known and is not the default."""
    return {key: value for key, (value, default) in values.items() if value is not None and value != default}
