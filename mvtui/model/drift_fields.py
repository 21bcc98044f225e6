"""What one stage knows of each option, by microvm.nix's names: what it can't tell, or what does not apply, is left out.
Pure."""

import posixpath
from enum import StrEnum

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor

# None: there is none (a volume that is not mounted, no label, no serial). Sizes are in MiB.
Value = str | int | bool | tuple[str, ...] | None
Fields = dict[str, Value]


class Stage(StrEnum):
    """Where a definition stands, in the order in which it moves on."""

    DEFINED = "defined"
    BUILT = "built"
    BOOTED = "booted"


# The hypervisors whose command line has it, as microvm.nix writes them (lib/runners/*.nix); the others ignore it.
_HAVE_SERIAL = (Hypervisor.QEMU, Hypervisor.CLOUD_HYPERVISOR, Hypervisor.CROSVM, Hypervisor.STRATOVIRT)
_HAVE_DIRECT = (*_HAVE_SERIAL, Hypervisor.KVMTOOL)

_HOST_PATHS = ("source", "socket", "image")
_GUEST_PATHS = ("mountPoint", "writableStoreOverlay")


def tells(definition: Definition, stage: Stage, option: str) -> bool:
    """Whether `stage` says all of `option` (`shares`, `volumes`): a file that names it, or a command line that was
    read, which always has the number of CPUs."""
    if stage is Stage.DEFINED:
        return option not in definition.untold
    return definition.vcpu is not None


def top_fields(definition: Definition, stage: Stage) -> Fields:
    """What stands beside shares and volumes."""
    fields: Fields = {
        "hypervisor": str(definition.hypervisor) if definition.hypervisor is not None else None,
        "mem": definition.mem,
        "vcpu": definition.vcpu,
        "vsock.cid": definition.vsock_cid,
        "socket": definition.socket,
        "storeOnDisk": definition.store_on_disk if tells(definition, stage, "storeOnDisk") else None,
    }
    known = _known(fields)
    if definition.fstab_read and "writableStoreOverlay" not in definition.untold:
        known["writableStoreOverlay"] = definition.writable_store_overlay
    return known


def share_fields(share: Share, hypervisor: Hypervisor | None) -> Fields:
    """Of a share of a microVM that `hypervisor` runs; None where nobody knows which."""
    fields: Fields = {
        "tag": share.tag,
        "proto": str(share.proto),
        "source": share.source,
        "mountPoint": share.mount_point,
        "readOnly": share.read_only,
    }
    if share.proto is ShareProto.VIRTIOFS:
        fields |= {
            "socket": share.socket,
            "cache": share.cache,
            "posixAcl": share.posix_acl,
            "extraArgs": share.extra_args,
        }
    elif hypervisor is Hypervisor.QEMU:
        fields["securityModel"] = share.security_model
    else:
        del fields["readOnly"]  # the others have no such 9p share, and say nothing of it
    return _known(fields)


def volume_fields(volume: Volume, definition: Definition, stage: Stage, hypervisor: Hypervisor | None) -> Fields:
    """Of a volume of `definition`, which `hypervisor` runs; None where nobody knows which."""
    fields: Fields = {
        "image": volume.image,
        "mountPoint": volume.mount_point,
        "fsType": volume.fs_type,
        "autoCreate": volume.auto_create,
        "readOnly": volume.read_only,
    }
    if volume.auto_create is not False:
        fields |= {"size": volume.size, "mkfsExtraArgs": volume.mkfs_extra_args}
    if hypervisor in _HAVE_DIRECT:
        fields["direct"] = volume.direct
    if hypervisor is Hypervisor.CLOUD_HYPERVISOR:
        fields["imageType"] = volume.image_type
    known = _known(fields)
    if volume.auto_create:
        known["label"] = volume.label
    if hypervisor in _HAVE_SERIAL:
        known["serial"] = volume.serial
    if definition.fstab_read and (stage is Stage.DEFINED or _is_found_in_fstab(volume)):
        known["mountPoint"] = volume.mount_point
    return known


def _is_found_in_fstab(volume: Volume) -> bool:
    """Whether the guest's fstab would show that it is mounted: by its label, where that is known, or by its letter."""
    return bool(volume.auto_create) and (volume.label is not None or volume.letter is not None)


def _known(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def same(field: str, one: Value, other: Value, directory: str) -> bool:
    """Whether both mean the same: of a path, not how it is spelled. The host's begin in `directory`."""
    return one == other or _meant(field, one, directory) == _meant(field, other, directory)


def _meant(field: str, value: Value, directory: str) -> Value:
    if not isinstance(value, str) or field not in _HOST_PATHS + _GUEST_PATHS:
        return value
    path = posixpath.join(directory, value) if field in _HOST_PATHS else value
    # `..` stays: it may stand behind a link.
    return "/".join(part for part in path.split("/") if part not in ("", "."))
