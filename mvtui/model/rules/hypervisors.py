"""Rules of what each hypervisor can do: lib/runners/*.nix of microvm.nix, whose `throw`s fail the evaluation."""

from collections.abc import Iterator

from mvtui.model.definition import ShareProto
from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.finding import Defined, error, warning

_QEMU, _CLOUD, _FIRECRACKER = Hypervisor.QEMU, Hypervisor.CLOUD_HYPERVISOR, Hypervisor.FIRECRACKER
_CROSVM, _KVMTOOL, _STRATOVIRT, _ALIOTH = (
    Hypervisor.CROSVM,
    Hypervisor.KVMTOOL,
    Hypervisor.STRATOVIRT,
    Hypervisor.ALIOTH,
)

# "9p/virtiofs shares not implemented for Firecracker", "cloud-hypervisor supports only shares that are virtiofs",
# "virtiofs shares not implemented for kvmtool", "9p shares not implemented for alioth"; stratovirt.nix has no attribute
# "9p".
SHARES = {
    _QEMU: (ShareProto.VIRTIOFS, ShareProto.NINE_P),
    _CLOUD: (ShareProto.VIRTIOFS,),
    _FIRECRACKER: (),
    _CROSVM: (ShareProto.VIRTIOFS, ShareProto.NINE_P),
    _KVMTOOL: (ShareProto.NINE_P,),
    _STRATOVIRT: (ShareProto.VIRTIOFS,),
    _ALIOTH: (ShareProto.VIRTIOFS,),
}
# "Readonly 9p share is not supported", "kvmtool does not support readonly 9p share"
NO_READ_ONLY_9P = (_CROSVM, _KVMTOOL)
# "Volume serial is not supported for …", "Volume direct IO is not supported for …": warnings, and it is ignored.
NO_SERIAL = (_FIRECRACKER, _KVMTOOL, _ALIOTH)
NO_DIRECT = (_FIRECRACKER, _ALIOTH)


def share_protocol(defined: Defined) -> Iterator[Finding]:
    """SHARES"""
    able = SHARES[defined.hypervisor]
    for index, share in enumerate(defined.definition.shares):
        if share.proto not in able:
            yield error(
                f"shares[{index}].proto",
                f"{defined.hypervisor} has no shares."
                if not able
                else f"{defined.hypervisor} has no {share.proto} shares.",
                "",
                f'proto = "{able[0]}"' if able else "a volume, or another hypervisor",
            )


def read_only_9p(defined: Defined) -> Iterator[Finding]:
    """NO_READ_ONLY_9P"""
    if defined.hypervisor not in NO_READ_ONLY_9P:
        return
    for index, share in enumerate(defined.definition.shares):
        if share.proto is ShareProto.NINE_P and share.read_only:
            yield error(
                f"shares[{index}].readOnly",
                f"{defined.hypervisor} has no read-only 9p shares.",
                "",
                'proto = "virtiofs"' if ShareProto.VIRTIOFS in SHARES[defined.hypervisor] else "readOnly = false",
            )


def ignored_on_volumes(defined: Defined) -> Iterator[Finding]:
    """NO_SERIAL, NO_DIRECT"""
    for index, volume in enumerate(defined.definition.volumes):
        for key, is_set, ignored in (
            ("serial", volume.serial is not None, NO_SERIAL),
            ("direct", volume.direct, NO_DIRECT),
        ):
            if is_set and defined.hypervisor in ignored:
                yield warning(f"volumes[{index}].{key}", f"{defined.hypervisor} ignores {key}.", "", f"leave {key} out")


def image_type(defined: Defined) -> Iterator[Finding]:
    """options.nix, `imageType`: "Only supported with cloud-hypervisor"; the others are told that the image is raw, or
    nothing."""
    if defined.hypervisor is _CLOUD:
        return
    for index, volume in enumerate(defined.definition.volumes):
        if volume.image_type != "raw":
            yield error(
                f"volumes[{index}].imageType",
                f"{defined.hypervisor} would take the {volume.image_type} image as raw.",
                "imageType is for cloud-hypervisor alone.",
                'a raw image, or hypervisor = "cloud-hypervisor"',
            )
