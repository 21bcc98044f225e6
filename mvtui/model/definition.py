"""What a microVM has: shares, volumes, the writable store overlay. One shape for every stage (defined, built, booted).

The types are named tuples, because `mvtui list` makes thousands of them: an import of pydantic takes longer than all of
its work, dataclasses a third as long. Documents that people write are validated where they are read.
Field names are the options of `microvm.shares` and `microvm.volumes` in snake case. `None` always means "can't be
known from this stage", unless a field says otherwise.
"""

import posixpath
from enum import StrEnum
from typing import NamedTuple

from mvtui.model.hypervisor import Hypervisor

HOST_STORE = "/nix/store"


class ShareProto(StrEnum):
    """Values of `microvm.shares.*.proto`."""

    VIRTIOFS = "virtiofs"
    NINE_P = "9p"


class Share(NamedTuple):
    """One element of `microvm.shares`.

    `source` and `socket` are as written: absolute, or relative to the microVM's state directory. `socket` is None
    for 9p. `extra_args` are more arguments for virtiofsd.
    """

    tag: str | None
    proto: ShareProto
    source: str | None = None
    mount_point: str | None = None
    socket: str | None = None
    read_only: bool | None = None
    security_model: str | None = None
    cache: str | None = None
    posix_acl: bool | None = None
    extra_args: tuple[str, ...] | None = None


class Volume(NamedTuple):
    """One element of `microvm.volumes`.

    `image` is as written: absolute, or relative to the microVM's state directory. `size` is in MiB. `letter` is the
    one of the guest's `/dev/vdX`, where the hypervisor gives letters by order. `mount_point` None means "not mounted"
    where the definition's `fstab_read` is true, else "unknown"; `label` None means "none" where `auto_create` is true.
    """

    image: str
    letter: str | None = None
    mount_point: str | None = None
    size: int | None = None
    fs_type: str | None = None
    label: str | None = None
    auto_create: bool | None = None
    mkfs_extra_args: tuple[str, ...] | None = None
    read_only: bool | None = None
    direct: bool | None = None
    serial: str | None = None
    image_type: str | None = None


class Definition(NamedTuple):
    """What a microVM has, as one stage tells it.

    `mem` is in MiB. `socket` is the hypervisor's control socket (QMP, REST). `writable_store_overlay` None means
    "none" where `fstab_read` is true. `store_on_disk`: the guest's /nix/store comes from a store disk. `untold` are the
    options that a definition file does not name: what stands for them here is no more than a default.
    """

    hypervisor: Hypervisor | None = None
    host_name: str | None = None
    mem: int | None = None
    vcpu: int | None = None
    vsock_cid: int | None = None
    socket: str | None = None
    shares: tuple[Share, ...] = ()
    volumes: tuple[Volume, ...] = ()
    writable_store_overlay: str | None = None
    store_on_disk: bool | None = None
    fstab_read: bool = False
    untold: frozenset[str] = frozenset()

    def overlay_volume(self) -> Volume | None:
        """The volume that holds the writable store overlay; None where there is none or it can't be told."""
        return next((volume for volume in self.volumes if self.holds_overlay(volume.mount_point)), None)

    def holds_overlay(self, mount_point: str | None) -> bool:
        """Whether the writable store overlay lies on what is mounted there."""
        overlay = self.writable_store_overlay
        if overlay is None or mount_point is None:
            return False
        return posixpath.normpath(overlay) == posixpath.normpath(mount_point)


class Runner(NamedTuple):
    """A runner package of microvm.nix: the definition as built, and what the package can do.

    `path` is the store path. `definition` is None where nothing of the package could be read. `system` is the
    guest's toplevel (`share/microvm/system`), None with the store on disk. `problems` are sentences: what could not
    be read, and why.
    """

    path: str
    definition: Definition | None
    system: str | None = None
    can_shutdown: bool = False
    has_virtiofsd_run: bool = False
    problems: tuple[str, ...] = ()
