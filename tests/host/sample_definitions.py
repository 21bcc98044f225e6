"""Definitions with everything that a hypervisor can have, and what its runner tells of them."""

from pathlib import Path

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner, with_defaults
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor

PROGRAMS = {Hypervisor.QEMU: "qemu-system-x86_64", Hypervisor.KVMTOOL: "lkvm"}
WITHOUT_VIRTIOFS = (Hypervisor.KVMTOOL, Hypervisor.FIRECRACKER)
WITH_9P = (Hypervisor.QEMU, Hypervisor.CROSVM, Hypervisor.KVMTOOL)
IGNORES_SERIAL = (Hypervisor.FIRECRACKER, Hypervisor.KVMTOOL, Hypervisor.ALIOTH)
IGNORES_DIRECT = (Hypervisor.FIRECRACKER, Hypervisor.ALIOTH)
TELLS_IMAGE_TYPE = (Hypervisor.QEMU, Hypervisor.CLOUD_HYPERVISOR, Hypervisor.STRATOVIRT)
HAS_SOCKET = tuple(h for h in Hypervisor if h not in (Hypervisor.KVMTOOL, Hypervisor.ALIOTH))

STORE = Share("ro-store", ShareProto.VIRTIOFS, "/nix/store", "/nix/.ro-store", read_only=True)
HOME = Share("home", ShareProto.VIRTIOFS, "/srv/it's mine", "/ho me", cache="always", posix_acl=False)
RELATIVE = Share("data", ShareProto.VIRTIOFS, "größe & $HOME `x`", "/data/ö", socket="a b.sock")
DOCS = Share("docs", ShareProto.NINE_P, "/srv/the docs", "/docs")

OVERLAY = Volume(
    "rw.img", mount_point="/nix/.rw-store", size=512, label="my store", mkfs_extra_args=("-O", "^x", "-E", "it's 'a b")
)
DISK = Volume(
    "/data/größe 2.img", mount_point="/big", size=300, fs_type="xfs", direct=True, read_only=True, serial="S1"
)
BYLABEL = Volume("esp.img", mount_point="/boot", size=64, fs_type="vfat", label="ESP")
PLAIN = Volume("made by hand.img", auto_create=False)


def sample(hypervisor: Hypervisor) -> Definition:
    """A definition that uses all that microvm.nix lets this hypervisor have."""
    shares = () if hypervisor in WITHOUT_VIRTIOFS else (STORE, HOME, RELATIVE)
    docs = DOCS._replace(security_model="mapped", read_only=True) if hypervisor is Hypervisor.QEMU else DOCS
    return Definition(
        hypervisor=hypervisor,
        host_name="web-1",
        mem=768,
        vcpu=3,
        vsock_cid=7,
        shares=(*shares, docs) if hypervisor in WITH_9P else shares,
        volumes=(OVERLAY, DISK, BYLABEL, PLAIN),
        writable_store_overlay="/nix/.rw-store",
    )


def as_told(definition: Definition) -> Definition:
    """`definition` complete, and without what its runner can't tell."""
    whole = with_defaults(definition)
    hypervisor = whole.hypervisor
    shares = []
    for share in whole.shares:
        if share.proto is ShareProto.VIRTIOFS:
            shares.append(share._replace(security_model=None))
        else:
            model = share.security_model if hypervisor is Hypervisor.QEMU else None
            shares.append(share._replace(security_model=model, cache=None, posix_acl=None))
    volumes = []
    for volume in whole.volumes:
        told = volume._replace(
            serial=None if hypervisor in IGNORES_SERIAL else volume.serial,
            direct=None if hypervisor in IGNORES_DIRECT else volume.direct,
            image_type=volume.image_type if hypervisor in TELLS_IMAGE_TYPE else None,
        )
        if not volume.auto_create:
            fs_type = volume.fs_type if volume.mount_point is not None else None
            told = told._replace(size=None, fs_type=fs_type, label=None, mkfs_extra_args=None)
        volumes.append(told)
    return whole._replace(
        socket=whole.socket if hypervisor in HAS_SOCKET else None,
        shares=tuple(shares),
        volumes=tuple(volumes),
        fstab_read=True,
    )


def tools(hypervisor: Hypervisor) -> Tools:
    """Programs by their names; nothing of them is run."""
    return Tools(hypervisor=f"/nix/store/h/bin/{PROGRAMS.get(hypervisor, str(hypervisor))}")


def build(definition: Definition, out: Path, *, store: str | None = None) -> Path:
    """The runner of `definition` at `out`, with `tools`."""
    return build_runner(definition, out, tools(definition.hypervisor or Hypervisor.QEMU), store=store)


def rewrite(path: Path, text: str | bytes) -> None:
    """Replace what a link or a read-only file holds."""
    target = path.resolve()
    target.unlink()
    target.write_bytes(text.encode() if isinstance(text, str) else text)
