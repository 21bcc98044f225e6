"""Rules of mount points, of the overlay and of what a hypervisor can do."""

import pytest

from mvtui.model.document import definition_of
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.finding import Defined
from mvtui.model.rules.hypervisors import ignored_on_volumes, image_type, read_only_9p, share_protocol
from mvtui.model.rules.mount_points import mount_point_spelling, same_mount_point, taken_by_the_store
from mvtui.model.rules.overlay import overlay_path, overlay_place, overlay_share, overlay_volume, store_on_disk
from tests.model.rules.cases import (
    OVERLAY,
    RW_SHARE,
    RW_VOLUME,
    SHARE,
    STORE,
    VIRTIOFS,
    VOLUME,
    Case,
    look,
    named,
    shares,
    volumes,
    warned,
)

_AT = "[0].mountPoint"


def _share(path: str, **more: object) -> dict[str, object]:
    return {**SHARE, "mountPoint": path, **more}


def _overlay(path: str, *subjects: str, **more: object) -> Case:
    return Case(overlay_path, {"writableStoreOverlay": path, **more}, subjects)


MOUNT_POINTS = (
    shares(same_mount_point, SHARE, _share("/b"), volumes=[VOLUME, {"image": "b"}, {"image": "c"}]),
    shares(same_mount_point, SHARE, _share("/b"), _share("/a"), bad=("[2].mountPoint",)),
    shares(same_mount_point, SHARE, _share("/b"), _share("//a/."), bad=("[2].mountPoint",)),
    shares(same_mount_point, _share("/var"), volumes=[VOLUME], bad=(_AT,)),
    volumes(same_mount_point, VOLUME, VOLUME, bad=("[1].mountPoint",)),
    shares(mount_point_spelling, SHARE, _share("/"), _share("/a b\tc"), _share("/..a/b.."), volumes=[{"image": "a"}]),
    *(
        shares(mount_point_spelling, _share(bad), bad=(_AT,))
        for bad in ("/a/", "//", "/a/../b", "/a\nb", "/a\\b", "/a\x1b")
    ),
    volumes(mount_point_spelling, {**VOLUME, "mountPoint": "/var/"}, bad=(_AT,)),
    warned(shares(mount_point_spelling, _share("//a"), _share("/./a"), bad=(_AT, "[1].mountPoint"))),
    shares(taken_by_the_store, SHARE, STORE, _share("/nix/storey"), _share("/nix")),
    shares(taken_by_the_store, {**STORE, "mountPoint": "/nix/store"}),
    shares(taken_by_the_store, {**STORE, "mountPoint": "/nix/store"}, bad=(_AT,), **OVERLAY),
    shares(taken_by_the_store, _share("/nix/store"), bad=(_AT,)),
    shares(taken_by_the_store, _share("/nix/store"), STORE, bad=(_AT,)),
    shares(taken_by_the_store, _share("/nix/store/x"), bad=(_AT,)),
    shares(taken_by_the_store, _share("/nix/.ro-store")),
    shares(taken_by_the_store, _share("/nix/.ro-store"), bad=(_AT,), **OVERLAY),
    shares(taken_by_the_store, STORE, **OVERLAY),
    volumes(taken_by_the_store, {**VOLUME, "mountPoint": "/nix/store"}, bad=(_AT,)),
)  # fmt: skip

STORES = (
    _overlay("/nix/.rw-store"),
    _overlay("/"),
    Case(overlay_path, {}),
    *(
        _overlay(bad, "writableStoreOverlay")
        for bad in ("", "rw", "/rw/", "//", "/a/../b", "/a,b", "/a:b", "/a b", "/a\n", "/nix/store", "/nix/store/rw")
    ),
    _overlay("/nix/.ro-store", "writableStoreOverlay"),
    _overlay("/nix/.ro-store/x", "writableStoreOverlay"),
    _overlay("/lower/rw", "writableStoreOverlay", shares=[{**STORE, "mountPoint": "/lower"}]),
    _overlay("/nix/.ro-store", shares=[{**STORE, "mountPoint": "/lower"}]),
    Case(overlay_place, {}),
    volumes(overlay_place, RW_VOLUME, **OVERLAY),
    shares(overlay_place, RW_SHARE, **OVERLAY),
    warned(volumes(overlay_place, VOLUME, **OVERLAY))._replace(subjects=("writableStoreOverlay",)),
    volumes(overlay_place, {**RW_VOLUME, "mountPoint": "/nix/./.rw-store"}, **OVERLAY)._replace(
        subjects=("writableStoreOverlay",)
    ),
    volumes(overlay_volume, RW_VOLUME, {**VOLUME, "readOnly": True, "fsType": "vfat"}, **OVERLAY),
    volumes(overlay_volume, {**RW_VOLUME, "readOnly": True, "fsType": "vfat"}),
    volumes(
        overlay_volume, {**RW_VOLUME, "readOnly": True, "fsType": "vfat"}, bad=("[0].readOnly", "[0].fsType"), **OVERLAY
    ),
    shares(overlay_share, {**SHARE, "readOnly": True}, **OVERLAY),
    shares(overlay_share, {**RW_SHARE, "proto": "9p"}, bad=("[0].proto",), **OVERLAY),
    warned(shares(overlay_share, RW_SHARE, bad=(_AT,), **OVERLAY)),
    warned(shares(overlay_share, {**RW_SHARE, "posixAcl": False, "extraArgs": ["--xattr"]}, bad=(_AT,), **OVERLAY)),
    Case(store_on_disk, {}),
    Case(store_on_disk, {"storeOnDisk": False}, ("storeOnDisk",)),
    shares(store_on_disk, STORE),
    shares(store_on_disk, STORE, storeOnDisk=True),
    shares(store_on_disk, {**STORE, "source": "/nix/store/"}, storeOnDisk=False)._replace(subjects=("storeOnDisk",)),
)  # fmt: skip


def _able(name: str, *, nine_p: bool, virtiofs: bool) -> tuple[Case, Case]:
    bad = ("[0].proto",)
    return (
        shares(share_protocol, SHARE, hypervisor=name, bad=() if nine_p else bad),
        shares(share_protocol, VIRTIOFS, hypervisor=name, bad=() if virtiofs else bad),
    )


_IGNORE_SERIAL = ("firecracker", "kvmtool", "alioth")
_IGNORE_DIRECT = ("firecracker", "alioth")

HYPERVISORS = (
    *_able("qemu", nine_p=True, virtiofs=True),
    *_able("cloud-hypervisor", nine_p=False, virtiofs=True),
    *_able("firecracker", nine_p=False, virtiofs=False),
    *_able("crosvm", nine_p=True, virtiofs=True),
    *_able("kvmtool", nine_p=True, virtiofs=False),
    *_able("stratovirt", nine_p=False, virtiofs=True),
    *_able("alioth", nine_p=False, virtiofs=True),
    shares(read_only_9p, {**SHARE, "readOnly": True}),
    shares(read_only_9p, {**VIRTIOFS, "readOnly": True}, SHARE, hypervisor="crosvm"),
    *(
        shares(read_only_9p, {**SHARE, "readOnly": True}, hypervisor=name, bad=("[0].readOnly",))
        for name in ("crosvm", "kvmtool")
    ),
    *(
        warned(volumes(ignored_on_volumes, {**VOLUME, "serial": "s"}, hypervisor=str(name), bad=bad))
        for name in Hypervisor
        for bad in [("[0].serial",) if name in _IGNORE_SERIAL else ()]
    ),
    *(
        warned(volumes(ignored_on_volumes, {**VOLUME, "direct": True}, hypervisor=str(name), bad=bad))
        for name in Hypervisor
        for bad in [("[0].direct",) if name in _IGNORE_DIRECT else ()]
    ),
    *(
        volumes(image_type, VOLUME, {**VOLUME, "imageType": "qcow2"}, hypervisor=str(name), bad=bad)
        for name in Hypervisor
        for bad in [() if name == "cloud-hypervisor" else ("[1].imageType",)]
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", MOUNT_POINTS + STORES + HYPERVISORS, ids=named)
def test_rule(case: Case) -> None:
    look(case)


def test_an_overlay_on_a_share_that_can_not_work_says_every_reason() -> None:
    document = {**OVERLAY, "shares": [{**RW_SHARE, "readOnly": True, "posixAcl": False}]}
    found = overlay_share(Defined(definition_of(document), Hypervisor.QEMU, document))
    assert [finding.subject for finding in found] == [
        f"shares[0].{key}" for key in ("readOnly", "posixAcl", "mountPoint")
    ]
