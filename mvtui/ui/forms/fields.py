"""The fields of the forms, in the order in which people think: what, where, then the rest. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mvtui.model.edit import ItemKind
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.hypervisors import NO_DIRECT, NO_READ_ONLY_9P, NO_SERIAL

Values = Mapping[str, Any]


class FieldKind(StrEnum):
    """How a field is typed: a text; a path of the host, or a directory of it, which can be completed; a whole number;
    one of a few words; yes or no; words, each of which is an argument."""

    TEXT = "text"
    FILE = "file"
    DIRECTORY = "directory"
    NUMBER = "number"
    CHOICE = "choice"
    FLAG = "flag"
    WORDS = "words"

    @property
    def is_path(self) -> bool:
        """Whether what is typed can be completed with what is on the host."""
        return self in (FieldKind.FILE, FieldKind.DIRECTORY)

    @property
    def is_chosen(self) -> bool:
        """Whether it is chosen, not typed."""
        return self in (FieldKind.CHOICE, FieldKind.FLAG)


def _always(_values: Values, _hypervisor: Hypervisor) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class FormField:
    """`key` is the option of microvm.nix; `default` what holds where it is left out, as it is shown; `hint` a few words
    about it (in 30 cells), `more` what else there is to know. `choices` are all of a CHOICE, and what a text is
    completed with. `applies`: whether the option has an effect with these values of the item, on this hypervisor."""

    key: str
    kind: FieldKind = FieldKind.TEXT
    hint: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    applies: Callable[[Values, Hypervisor], bool] = _always
    more: str = ""


YES, NO = "yes", "no"


def _flag(
    key: str, hint: str, *, default: bool = False, applies: Callable[[Values, Hypervisor], bool] = _always
) -> FormField:
    return FormField(key, FieldKind.FLAG, hint, YES if default else NO, (YES, NO), applies)


def _virtiofs(values: Values, _hypervisor: Hypervisor) -> bool:
    return values.get("proto") == "virtiofs"


def _nine_p_of_qemu(values: Values, hypervisor: Hypervisor) -> bool:
    return not _virtiofs(values, hypervisor) and hypervisor is Hypervisor.QEMU


def _can_be_read_only(values: Values, hypervisor: Hypervisor) -> bool:
    return _virtiofs(values, hypervisor) or hypervisor not in NO_READ_ONLY_9P


def _made(values: Values, _hypervisor: Hypervisor) -> bool:
    return values.get("autoCreate", True) is True


def _has_serial(_values: Values, hypervisor: Hypervisor) -> bool:
    return hypervisor not in NO_SERIAL


def _has_direct(_values: Values, hypervisor: Hypervisor) -> bool:
    return hypervisor not in NO_DIRECT


def _other_images(values: Values, hypervisor: Hypervisor) -> bool:
    return hypervisor is Hypervisor.CLOUD_HYPERVISOR and not _made(values, hypervisor)


SHARE_FIELDS = (
    FormField("tag", hint="the guest finds it by this"),
    FormField("source", FieldKind.DIRECTORY, "the directory of the host"),
    FormField("mountPoint", hint="where the guest sees it"),
    FormField("proto", FieldKind.CHOICE, "", "9p", ("virtiofs", "9p")),
    _flag("readOnly", "the guest can't write", applies=_can_be_read_only),
    FormField("cache", FieldKind.CHOICE, "", "auto", ("auto", "always", "metadata", "never"), _virtiofs),
    FormField(
        "securityModel",
        FieldKind.CHOICE,
        "",
        "none",
        ("none", "passthrough", "mapped", "mapped-file"),
        _nine_p_of_qemu,
    ),
    _flag("posixAcl", "ACLs and extended attributes", default=True, applies=_virtiofs),
    FormField("socket", hint="where virtiofsd listens", applies=_virtiofs, more="Relative: in the state directory."),
    FormField("extraArgs", FieldKind.WORDS, "more arguments of virtiofsd", applies=_virtiofs),
)

VOLUME_FIELDS = (
    FormField("image", FieldKind.FILE, "the file on the host", more="Relative: in the state directory."),
    FormField("mountPoint", hint="where the guest sees it", more="Empty: not mounted."),
    FormField("size", FieldKind.NUMBER, "MiB", applies=_made),
    FormField(
        "fsType",
        hint="of the image that is made",
        default="ext4",
        choices=("ext4", "xfs", "btrfs", "vfat", "ext3", "ext2"),
    ),
    _flag("autoCreate", "made where there is none", default=True),
    FormField("label", hint="the guest mounts by it", applies=_made),
    _flag("readOnly", "the guest can't write"),
    _flag("direct", "the host caches nothing of it", applies=_has_direct),
    FormField("serial", hint="seen in /dev/disk/by-id", applies=_has_serial),
    FormField("imageType", FieldKind.CHOICE, "", "raw", ("raw", "qcow2", "vhd", "vhdx"), _other_images),
    FormField("mkfsExtraArgs", FieldKind.WORDS, "more arguments of mkfs", applies=_made),
)

OVERLAY = "writableStoreOverlay"
OVERLAY_FIELDS = (FormField(OVERLAY, hint="a path in the guest", more="As /nix/.rw-store. Empty: there is none."),)

FIELDS = {ItemKind.SHARES: SHARE_FIELDS, ItemKind.VOLUMES: VOLUME_FIELDS, None: OVERLAY_FIELDS}


def new_values(kind: ItemKind, able: tuple[str, ...]) -> dict[str, Any]:
    """What a new share or volume begins with; `able` are the protocols that the hypervisor has, the best first."""
    if kind is ItemKind.SHARES:
        return {"proto": able[0] if able else "virtiofs"}
    return {"size": 1024}
