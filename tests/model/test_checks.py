"""Each check against the host with facts that it must find something in, and with some in which it must not."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from mvtui.model.checks import CHECKS, images, sources
from mvtui.model.checks.fields import Check, Fields
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.facts import SourceKind
from mvtui.model.field_facts import Barred, ImageLook, OtherImage, SourceLook, Space
from mvtui.model.finding import Severity
from mvtui.model.microvm import ImageFacts
from mvtui.model.rights import Account
from mvtui.model.rules.finding import NOTE

DIRECTORY, FILE, NOTHING = SourceKind.DIRECTORY, SourceKind.FILE, SourceKind.NOTHING
MIB = 1 << 20
SHARE = Share("t", ShareProto.VIRTIOFS, "/srv", "/mnt", read_only=False, posix_acl=True)
NINE_P = SHARE._replace(proto=ShareProto.NINE_P)
VOLUME = Volume("a.img", mount_point="/a", size=16, fs_type="ext4", auto_create=True, image_type="raw")
USER = Account(993, frozenset({302}), "microvm")
OVERLAY = "/nix/.rw-store"
FOUND = SourceLook("/srv", DIRECTORY, has_acls=True, has_xattrs=True, fs_type="ext4")
IMAGE = ImageFacts("/s/web/a.img", 16 * MIB, 4096, "ext4", None, 16 * MIB, 4096)
ON_DISK = ImageLook("/s/web/a.img", FILE, file_id=(1, 2), facts=IMAGE)
NEW = ImageLook("/s/web/a.img", NOTHING, space=Space(1, 100 * MIB, 200 * MIB))
ENTER = Barred("/srv", "enter")


def share(look: SourceLook, one: Share = SHARE, overlay: str | None = None, **more: Any) -> Fields:
    definition = Definition(shares=(one,), writable_store_overlay=overlay)
    return Fields("web", "/s/web", definition, USER, sources={0: look}, **more)


def volume(look: ImageLook | None, one: Volume = VOLUME, overlay: str | None = None, **more: Any) -> Fields:
    definition = Definition(volumes=(one,), writable_store_overlay=overlay)
    return Fields("web", "/s/web", definition, USER, images={0: look} if look is not None else {}, **more)


def on_disk(one: Volume = VOLUME, **facts: Any) -> Fields:
    return volume(ON_DISK._replace(facts=IMAGE._replace(**facts)), one)


OTHER = OtherImage("db", "built", "/s/web/a.img", read_only=False)
READ_ONLY = VOLUME._replace(read_only=True)
TWO = Definition(volumes=(VOLUME, VOLUME._replace(image="b.img")))
ZFS = FOUND._replace(has_acls=False, has_xattrs=False, fs_type="zfs", fs_source="tank/a b")

# What it finds something in, and what it does not.
CASES: Mapping[Check, tuple[list[Fields], list[Fields]]] = {
    sources.source_untold: ([share(SourceLook("/srv", problem="is a loop of links"))], [share(FOUND)]),
    sources.source_missing: (
        [share(FOUND._replace(kind=NOTHING)), share(FOUND._replace(kind=SourceKind.DANGLING))],
        [share(FOUND), share(SourceLook("/srv", problem="no"))],
    ),
    sources.source_no_directory: (
        [share(FOUND._replace(kind=FILE)), share(FOUND._replace(kind=SourceKind.SOCKET))],
        [share(FOUND), share(FOUND._replace(kind=NOTHING))],
    ),
    sources.source_barred: (
        [
            share(FOUND._replace(barred_reading=ENTER), NINE_P),
            share(FOUND._replace(barred_reading=ENTER)),
            share(FOUND._replace(barred_writing=ENTER), NINE_P),
            share(FOUND._replace(barred_writing=ENTER), virtiofsd_is_root=False),
        ],
        [
            share(FOUND, NINE_P),
            share(FOUND._replace(barred_writing=ENTER)),
            share(FOUND._replace(barred_writing=ENTER), NINE_P._replace(read_only=True)),
            share(FOUND._replace(kind=NOTHING, barred_reading=ENTER), NINE_P),
        ],
    ),
    sources.source_without_acls: (
        [share(ZFS), share(FOUND._replace(has_acls=False))],
        [share(FOUND), share(ZFS, SHARE._replace(posix_acl=False)), share(ZFS, NINE_P), share(SourceLook("/srv"))],
    ),
    sources.overlay_without_attributes: (
        [share(ZFS, SHARE._replace(mount_point=OVERLAY), OVERLAY)],
        [share(ZFS), share(ZFS, overlay=OVERLAY), share(FOUND, SHARE._replace(mount_point=OVERLAY), OVERLAY)],
    ),
    images.image_untold: (
        [volume(ImageLook("/a", problem="permission denied")), volume(ON_DISK._replace(facts=None))],
        [volume(ON_DISK), volume(NEW)],
    ),
    images.image_no_image: (
        [volume(ImageLook("/a", DIRECTORY)), volume(ImageLook("/a", SourceKind.CHARACTER_DEVICE))],
        [volume(ON_DISK), volume(NEW), volume(ImageLook("/a", SourceKind.BLOCK_DEVICE))],
    ),
    images.image_of_another: (
        [
            volume(ON_DISK, others=[OTHER]),
            volume(None, others=[OTHER]),
            volume(ON_DISK, others=[OTHER._replace(path="/b", file_id=(1, 2))]),
            volume(ON_DISK, READ_ONLY, others=[OTHER]),
        ],
        [
            volume(ON_DISK),
            volume(ON_DISK, others=[OTHER._replace(path="/b")]),
            volume(ON_DISK, others=[OTHER._replace(path="/b", file_id=(1, 3))]),
            volume(ON_DISK, READ_ONLY, others=[OTHER._replace(read_only=True)]),
        ],
    ),
    images.image_twice: (
        [Fields("web", "/s/web", TWO, USER, images={0: ON_DISK, 1: ON_DISK})],
        [
            Fields("web", "/s/web", TWO, USER, images={0: ON_DISK, 1: ON_DISK._replace(file_id=(1, 3))}),
            Fields("web", "/s/web", TWO, USER, images={0: NEW, 1: NEW}),
        ],
    ),
    images.image_barred: (
        [
            volume(ON_DISK._replace(barred_writing=ENTER)),
            volume(ON_DISK._replace(barred_reading=ENTER), READ_ONLY),
            volume(NEW._replace(barred_writing=ENTER)),
        ],
        [
            volume(ON_DISK),
            volume(ON_DISK._replace(barred_writing=ENTER), READ_ONLY),
            volume(NEW._replace(barred_writing=ENTER), VOLUME._replace(auto_create=False)),
            volume(NEW._replace(barred_writing=ENTER, missing_directory="/s/web/x")),
        ],
    ),
    images.image_missing: (
        [volume(NEW._replace(missing_directory="/s/x")), volume(NEW, VOLUME._replace(auto_create=False))],
        [volume(NEW), volume(ON_DISK)],
    ),
    images.image_size: (
        [on_disk(size=8 * MIB), on_disk(size=32 * MIB)],
        [on_disk(), on_disk(VOLUME._replace(size=None)), on_disk(VOLUME._replace(auto_create=False), size=MIB)],
    ),
    images.file_system_size: (
        [on_disk(size=64 * MIB)],
        [on_disk(), on_disk(size=32 * MIB), on_disk(size=64 * MIB, fs_size=None)],
    ),
    images.image_blank: (
        [on_disk(fs_type=None, allocated=0)],
        [on_disk(), on_disk(fs_type=None), on_disk(VOLUME._replace(mount_point=None), fs_type=None, allocated=0)],
    ),
    images.image_fs_type: (
        [on_disk(fs_type="xfs"), on_disk(VOLUME._replace(fs_type="ext3"))],
        [
            on_disk(),
            on_disk(fs_type="ext2"),
            on_disk(fs_type=None),
            on_disk(VOLUME._replace(mount_point=None), fs_type="xfs"),
        ],
    ),
    images.image_label: (
        [on_disk(VOLUME._replace(label="a")), on_disk(VOLUME._replace(label="a"), label="b", fs_type="xfs")],
        [on_disk(), on_disk(label="b"), on_disk(VOLUME._replace(label="a"), label="a")],
    ),
    images.no_space: (
        [volume(NEW, VOLUME._replace(size=size)) for size in (91, 101, 201)],
        [volume(NEW), volume(NEW, VOLUME._replace(size=200, auto_create=False)), volume(ON_DISK)],
    ),
}


def _cases(bad: bool) -> list[Any]:
    return [
        pytest.param(check, fields, id=f"{check.__name__}-{number}")
        for check, cases in CASES.items()
        for number, fields in enumerate(cases[0 if bad else 1])
    ]


@pytest.mark.parametrize(("check", "fields"), _cases(bad=True))
def test_bad(check: Check, fields: Fields) -> None:
    (finding,) = check(fields)
    assert re.fullmatch(r"(shares|volumes)\[[01]\]\.(source|image|size|fsType|label)", finding.subject)
    assert finding.note == NOTE
    assert finding.what.endswith(".")
    assert finding.fix or finding.severity is Severity.INFO
    assert not finding.fix.endswith(".")


@pytest.mark.parametrize(("check", "fields"), _cases(bad=False))
def test_good(check: Check, fields: Fields) -> None:
    assert list(check(fields)) == []


def test_every_check_has_cases_and_names_its_source() -> None:
    assert CASES.keys() == set(CHECKS)
    for check in CHECKS:
        words = check.__doc__ or ""
        named = re.search(r"[Ss]ymptom|\.nix|\(\d\)|image_of_another|nobody knows", words)
        assert named, check.__name__


def test_zfs_is_told_what_mends_it() -> None:
    (acls,) = sources.source_without_acls(share(ZFS))
    assert acls.fix == "zfs set xattr=sa acltype=posixacl 'tank/a b'"
    (attributes,) = sources.overlay_without_attributes(share(ZFS, SHARE._replace(mount_point=OVERLAY), OVERLAY))
    assert attributes.fix == "zfs set xattr=sa 'tank/a b'"


@pytest.mark.parametrize(
    ("path", "fix"), [("/srv/a b", "mkdir -p '/srv/a b'"), ("/nix/store/a", "share another directory")]
)
def test_nobody_makes_what_was_in_the_store(path: str, fix: str) -> None:
    (finding,) = sources.source_missing(share(SourceLook(path, NOTHING)))
    assert finding.fix == fix
