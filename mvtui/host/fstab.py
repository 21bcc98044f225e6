"""The guest's /etc/fstab: where it mounts its shares and volumes, and where its writable store overlay is."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from mvtui.model.definition import Definition, Share, Volume

# fstab(5): how a space, a tab, a newline and a backslash are written within a field.
_ESCAPE = re.compile(r"\\(040|011|012|134)")
_FIELD = re.compile(r"[^ \t]+")
_LABEL = "/dev/disk/by-label/"
# NixOS writes an overlay's directories as the systemd initrd sees them.
_SYSROOT = "/sysroot"


class Mount(NamedTuple):
    """One entry, unescaped."""

    device: str
    mount_point: str
    fs_type: str
    options: tuple[str, ...] = ()


# The guests of a host often have the same one.
@lru_cache(maxsize=64)
def read_fstab(text: str) -> tuple[tuple[Mount, ...], tuple[str, ...]]:
    """The entries, and a sentence about the lines that are none."""
    mounts: list[Mount] = []
    bad: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        fields = _FIELD.findall(line)
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) < 3 or not (fields[1].startswith("/") or fields[1] in ("none", "swap")):
            bad.append(number)
            continue
        if "\\" in line:
            fields = [_unescaped(field) for field in fields]
        device, mount_point, fs_type, options = (*fields[:4], "")[:4]
        mounts.append(Mount(device, mount_point, fs_type, tuple(options.split(","))))
    if not bad:
        return tuple(mounts), ()
    lines = f"line {bad[0]} is no entry" if len(bad) == 1 else f"{len(bad)} lines are no entries, the first is {bad[0]}"
    return tuple(mounts), (lines,)


def store_overlay(mounts: Sequence[Mount]) -> str | None:
    """`microvm.writableStoreOverlay`: the directory with `store` and `work` that are the upper layer of /nix/store."""
    for mount in mounts:
        if mount.fs_type == "overlay" and mount.mount_point == "/nix/store":
            options = dict(option.partition("=")[::2] for option in mount.options)
            upper, work = options.get("upperdir", ""), options.get("workdir", "")
            base = upper.removesuffix("/store")
            if base != upper and work == f"{base}/work":
                return base.removeprefix(_SYSROOT) if base.startswith(f"{_SYSROOT}/") else base or "/"
    return None


def with_mounts(definition: Definition, mounts: tuple[Mount, ...]) -> Definition:
    """`definition` with the mount points of its shares (by tag and type) and volumes (by letter or label), and with
    the writable store overlay."""
    by_type, devices, overlay = _index(mounts)
    return definition._replace(
        shares=tuple(_mounted_share(share, by_type) for share in definition.shares),
        volumes=tuple(_mounted_volume(volume, devices) for volume in definition.volumes),
        writable_store_overlay=overlay,
        fstab_read=True,
    )


@lru_cache(maxsize=64)
def _index(mounts: tuple[Mount, ...]) -> tuple[dict[tuple[str, str], Mount], dict[str, Mount], str | None]:
    """The first mount of each device and type, and of each device, and the writable store overlay."""
    somewhere = [mount for mount in reversed(mounts) if mount.mount_point.startswith("/")]
    by_type = {(mount.device, mount.fs_type): mount for mount in somewhere}
    return by_type, {mount.device: mount for mount in somewhere}, store_overlay(mounts)


def _mounted_share(share: Share, mounts: dict[tuple[str, str], Mount]) -> Share:
    mount = mounts.get((share.tag or "", share.proto.value))
    return share if mount is None else share._replace(mount_point=mount.mount_point)


def _mounted_volume(volume: Volume, mounts: dict[str, Mount]) -> Volume:
    mount = mounts.get(f"/dev/vd{volume.letter}") if volume.letter is not None else None
    if mount is None and volume.label is not None:
        mount = mounts.get(_LABEL + volume.label)
    if mount is None:
        return volume
    return volume._replace(mount_point=mount.mount_point, fs_type=volume.fs_type or mount.fs_type)


def _unescaped(field: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), field)
