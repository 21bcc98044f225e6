"""Where the overlay is: by what is built, by the definition file, by a person's choice; never by a name."""

import pytest

from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay import OverlayKind, OverlayTarget, ToldBy
from mvtui.model.overlay_target import candidates, find_target
from mvtui.model.state import State, StateWord

RW = "/nix/.rw-store"
OVERLAY = Volume("rw.img", mount_point=RW, size=64, fs_type="ext4", auto_create=True)
DATA = Volume("data.img", mount_point="/data", size=64, fs_type="ext4", auto_create=True)
UPPER = Share("upper", ShareProto.VIRTIOFS, source="/srv/upper", mount_point=RW)
STORE = Share("ro-store", ShareProto.VIRTIOFS, source="/nix/store", mount_point="/nix/.ro-store")


def microvm(built: Definition | None) -> MicroVM:
    runner = Runner("/nix/store/1-runner", built) if built is not None else None
    return MicroVM("web", "/var/lib/microvms/web", State(StateWord.STOPPED, None, "stopped"), built=runner)


def built(*things: Volume | Share, overlay: str | None = RW) -> Definition:
    """By a fstab that was read."""
    return Definition(
        volumes=tuple(thing for thing in things if isinstance(thing, Volume)),
        shares=tuple(thing for thing in things if isinstance(thing, Share)),
        writable_store_overlay=overlay,
        fstab_read=True,
    )


def blind(*things: Volume | Share) -> Definition:
    """As built with the store on disk: nobody tells what is mounted where."""
    known = built(*things, overlay=None)
    return known._replace(
        volumes=tuple(volume._replace(mount_point=None) for volume in known.volumes),
        shares=tuple(share._replace(mount_point=None) for share in known.shares),
        fstab_read=False,
        store_on_disk=True,
    )


def defined(*things: Volume | Share, overlay: str | None = RW) -> Definition:
    return built(*things, overlay=overlay)._replace(fstab_read=False)


def volume_at(path: str, volume: Volume, by: ToldBy) -> OverlayTarget:
    return OverlayTarget(OverlayKind.VOLUME, path, volume, told_by=by)


ON_VOLUME = volume_at("/var/lib/microvms/web/rw.img", OVERLAY, ToldBy.BUILT)
UNKNOWN = OverlayTarget(OverlayKind.UNKNOWN)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (built(DATA, OVERLAY, STORE), ON_VOLUME),
        (built(OVERLAY, overlay=f"{RW}/"), ON_VOLUME),
        (
            built(OVERLAY._replace(image="/srv//img/./rw.img")),
            volume_at("/srv/img/rw.img", OVERLAY._replace(image="/srv//img/./rw.img"), ToldBy.BUILT),
        ),
        (
            built(OVERLAY._replace(image="../db/rw.img")),
            volume_at("/var/lib/microvms/web/../db/rw.img", OVERLAY._replace(image="../db/rw.img"), ToldBy.BUILT),
        ),
        (built(UPPER, DATA), OverlayTarget(OverlayKind.SHARE, "/srv/upper", tag="upper", told_by=ToldBy.BUILT)),
        (built(DATA, STORE), OverlayTarget(OverlayKind.TMPFS, told_by=ToldBy.BUILT)),
        (built(DATA, overlay=None), OverlayTarget(OverlayKind.NONE, told_by=ToldBy.BUILT)),
    ],
    ids=["volume", "slash", "absolute", "dots stay", "share", "tmpfs", "none"],
)
def test_by_what_is_built(definition: Definition, expected: OverlayTarget) -> None:
    assert find_target(microvm(definition), None, None) == expected
    # Neither a definition nor a choice has a say then.
    assert find_target(microvm(definition), defined(DATA, overlay="/data"), "data.img") == expected


@pytest.mark.parametrize("mount_point", ["/", "/nix"])
def test_an_overlay_within_a_larger_volume_is_no_volume_to_reset(mount_point: str) -> None:
    volume = OVERLAY._replace(mount_point=mount_point)
    target = find_target(microvm(built(volume, DATA)), None, None)
    assert target == OverlayTarget(OverlayKind.UNKNOWN, None, volume, told_by=ToldBy.BUILT)


def test_a_mount_point_that_only_begins_alike_is_another() -> None:
    target = find_target(microvm(built(OVERLAY._replace(mount_point="/nix/.rw"))), None, None)
    assert target.kind is OverlayKind.TMPFS


@pytest.mark.parametrize(
    ("definition", "document", "expected"),
    [
        (
            blind(OVERLAY, DATA),
            defined(OVERLAY, DATA),
            volume_at("/var/lib/microvms/web/rw.img", OVERLAY, ToldBy.DEFINED),
        ),
        (
            blind(OVERLAY, UPPER),
            defined(UPPER),
            OverlayTarget(OverlayKind.SHARE, "/srv/upper", tag="upper", told_by=ToldBy.DEFINED),
        ),
        (blind(DATA), defined(DATA), OverlayTarget(OverlayKind.TMPFS, told_by=ToldBy.DEFINED)),
        # What it names is not built: then it does not tell what the next start has.
        (blind(DATA), defined(OVERLAY), UNKNOWN),
        (blind(DATA), defined(DATA, OVERLAY), UNKNOWN),
        (blind(DATA), defined(DATA, UPPER), UNKNOWN),
        # The option may stand in Nix alone.
        (blind(OVERLAY), defined(OVERLAY, overlay=None), UNKNOWN),
        (None, defined(OVERLAY), volume_at("/var/lib/microvms/web/rw.img", OVERLAY, ToldBy.DEFINED)),
        (None, None, UNKNOWN),
        (blind(OVERLAY), None, UNKNOWN),
    ],
)
def test_by_the_definition_where_what_is_built_can_t_tell(
    definition: Definition | None, document: Definition | None, expected: OverlayTarget
) -> None:
    assert find_target(microvm(definition), document, None) == expected


@pytest.mark.parametrize("chosen", ["rw.img", "./rw.img", "/var/lib/microvms/web/rw.img"])
def test_by_a_choice(chosen: str) -> None:
    target = find_target(microvm(blind(DATA, OVERLAY)), None, chosen)
    assert target == volume_at("/var/lib/microvms/web/rw.img", OVERLAY._replace(mount_point=None), ToldBy.CHOSEN)


@pytest.mark.parametrize("chosen", ["other.img", "../web/rw.img", ""])
def test_a_choice_has_to_be_one_of_its_images(chosen: str) -> None:
    assert find_target(microvm(blind(DATA, OVERLAY)), None, chosen) == UNKNOWN


def test_the_definition_goes_before_a_choice() -> None:
    target = find_target(microvm(blind(DATA, OVERLAY)), defined(DATA, OVERLAY), "data.img")
    assert (target.path, target.told_by) == ("/var/lib/microvms/web/rw.img", ToldBy.DEFINED)


def test_a_volume_that_is_not_created_automatically_is_completed_from_the_definition() -> None:
    bare = Volume("rw.img", mount_point=RW, auto_create=False)
    whole = Volume("rw.img", size=128, fs_type="xfs", label="rw", auto_create=False, mkfs_extra_args=("-m", "crc=1"))
    target = find_target(microvm(built(bare)), defined(whole), None)
    assert target.volume == whole._replace(mount_point=RW)
    # What is built is never overridden.
    assert find_target(microvm(built(bare._replace(fs_type="ext4"))), defined(whole), None).volume == whole._replace(
        mount_point=RW, fs_type="ext4"
    )
    made = bare._replace(auto_create=True, size=64)
    assert find_target(microvm(built(made)), defined(whole), None).volume == made


def test_candidates_are_the_images_that_the_guest_can_write() -> None:
    assert candidates(microvm(blind(DATA, OVERLAY._replace(read_only=True))), None) == ("data.img",)
    assert candidates(microvm(None), defined(OVERLAY, DATA)) == ("rw.img", "data.img")
    assert candidates(microvm(None), None) == ()
