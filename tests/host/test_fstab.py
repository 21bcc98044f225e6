"""The guest's fstab, as NixOS writes it and as it may look."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvtui.host.fstab import Mount, read_fstab, store_overlay, with_mounts
from mvtui.model.definition import Definition, Share, ShareProto, Volume

NIXOS = """\
# This is a generated file.  Do not edit!
#
# <file system> <mount point>   <type>  <options>       <dump>  <pass>

# Filesystems.
rootfs / tmpfs x-initrd.mount,size=50%,mode=0755 0 0
ro-store /nix/.ro-store virtiofs x-initrd.mount,defaults,x-systemd.after=systemd-modules-load.service 0 2
/dev/disk/by-label/my\\040store /nix/.rw-store ext4 x-initrd.mount 0 2
overlay /nix/store overlay x-initrd.mount,x-systemd.requires-mounts-for=/sysroot/nix/.ro-store,\
lowerdir=/sysroot/nix/.ro-store,upperdir=/sysroot/nix/.rw-store/store,workdir=/sysroot/nix/.rw-store/work 0 0
/dev/vdb /da\\040ta xfs defaults 0 2
docs /srv/docs 9p trans=virtio,version=9p2000.L,msize=65536 0 0

# Swap devices.
/dev/vdz none swap defaults
"""


def test_a_fstab_of_nixos() -> None:
    mounts, problems = read_fstab(NIXOS)

    assert problems == ()
    assert [(mount.device, mount.mount_point, mount.fs_type) for mount in mounts] == [
        ("rootfs", "/", "tmpfs"),
        ("ro-store", "/nix/.ro-store", "virtiofs"),
        ("/dev/disk/by-label/my store", "/nix/.rw-store", "ext4"),
        ("overlay", "/nix/store", "overlay"),
        ("/dev/vdb", "/da ta", "xfs"),
        ("docs", "/srv/docs", "9p"),
        ("/dev/vdz", "none", "swap"),
    ]
    assert mounts[5].options == ("trans=virtio", "version=9p2000.L", "msize=65536")
    assert store_overlay(mounts) == "/nix/.rw-store"


def test_mount_points_of_shares_and_volumes() -> None:
    virtiofs, nine_p = ShareProto.VIRTIOFS, ShareProto.NINE_P
    definition = Definition(
        shares=(Share("ro-store", virtiofs), Share("docs", nine_p), Share("docs", virtiofs), Share(None, virtiofs)),
        volumes=(
            Volume("a", letter="a", label="my store", fs_type="ext4"),
            Volume("b", letter="b"),
            Volume("c", letter="c", label="other"),
            Volume("z", letter="z"),
            Volume("n"),
        ),
    )

    found = with_mounts(definition, read_fstab(NIXOS)[0])

    assert [share.mount_point for share in found.shares] == ["/nix/.ro-store", "/srv/docs", None, None]
    assert [(volume.mount_point, volume.fs_type) for volume in found.volumes] == [
        ("/nix/.rw-store", "ext4"),
        ("/da ta", "xfs"),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert found.writable_store_overlay == "/nix/.rw-store"
    assert found.fstab_read
    assert found.overlay_volume() == found.volumes[0]


def test_the_first_of_two_entries_counts() -> None:
    mounts, _ = read_fstab("t /one virtiofs\nt /two virtiofs\n/dev/vda /x ext4\n/dev/vda /y ext4\n")

    found = with_mounts(
        Definition(shares=(Share("t", ShareProto.VIRTIOFS),), volumes=(Volume("i", letter="a"),)), mounts
    )

    assert found.shares[0].mount_point == "/one"
    assert found.volumes[0].mount_point == "/x"


def test_the_hosts_store_bound_to_its_place_is_no_share() -> None:
    mounts, _ = read_fstab("ro-store /nix/.ro virtiofs defaults 0 0\n/nix/.ro /nix/store virtiofs ro,bind 0 0\n")

    found = with_mounts(Definition(shares=(Share("ro-store", ShareProto.VIRTIOFS),)), mounts)

    assert found.shares[0].mount_point == "/nix/.ro"
    assert found.writable_store_overlay is None


OVERLAYS = {
    "lowerdir=/l,upperdir=/o/store,workdir=/o/work": "/o",
    "workdir=/o/work,ro,lowerdir=/l,upperdir=/o/store": "/o",
    "upperdir=/sysroot/o/store,workdir=/sysroot/o/work": "/o",
    "upperdir=/sysrooted/store,workdir=/sysrooted/work": "/sysrooted",
    "upperdir=/o\\040x/store,workdir=/o\\040x/work": "/o x",
    "upperdir=/store,workdir=/work": "/",
    "upperdir=/sysroot//store,workdir=/sysroot//work": "/",
    "upperdir=/o/,workdir=/o/work": None,
    "upperdir=/o/store,workdir=/p/work": None,
    "upperdir=/o/store": None,
    "upperdir=/o/restore,workdir=/o/work": None,
    "lowerdir=/a:/b": None,
    "upperdir,workdir": None,
}


@pytest.mark.parametrize("options", OVERLAYS)
def test_the_overlay_is_a_directory_with_store_and_work(options: str) -> None:
    mounts, _ = read_fstab(f"overlay /nix/store overlay {options} 0 0")

    assert store_overlay(mounts) == OVERLAYS[options]


def test_an_overlay_elsewhere_is_not_the_stores() -> None:
    assert store_overlay([Mount("overlay", "/srv", "overlay", ("upperdir=/o/store", "workdir=/o/work"))]) is None


def test_escapes() -> None:
    mounts, _ = read_fstab(r"a\040b /c\011d\012e\134f\134040g virtiofs o\040p")

    assert mounts == (Mount("a b", "/c\td\ne\\f\\040g", "virtiofs", ("o p",)),)


def test_garbage_is_skipped_and_told() -> None:
    text = "\0\1\2\none two\n\n   \nt /m 9p\n[/red] relative virtiofs defaults\na\u00a0b\u2028c /m2 virtiofs\n"

    mounts, problems = read_fstab(text)

    assert [mount.mount_point for mount in mounts] == ["/m", "/m2"]
    assert problems == ("3 lines are no entries, the first is 1",)
    assert read_fstab("x\n")[1] == ("line 1 is no entry",)


@settings(deadline=None)
@given(st.text())
def test_no_text_raises(text: str) -> None:
    mounts, _ = read_fstab(text)

    assert with_mounts(Definition(), mounts).fstab_read
