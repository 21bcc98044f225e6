"""What is planned for which image, what forbids it, and what is said of it."""

from datetime import UTC, datetime

import pytest

from mvtui.model.definition import Definition, Runner, Volume
from mvtui.model.growth import GrowPlan, GrowTools, GrowWay, WantedSize, is_short, out_of_step, target_of
from mvtui.model.growth_plan import plan_growth, written
from mvtui.model.growth_words import may_grow, told_growth
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import ImageFacts, MicroVM
from mvtui.model.overlay import OverlayFacts, ToldBy
from mvtui.model.overlay_checks import OverlayEvidence
from mvtui.model.state import State, StateWord

MIB, GIB = 1 << 20, 1 << 30
VOLUME = Volume("data.img", mount_point="/data", size=1024, fs_type="ext4")
FACTS = OverlayFacts(
    "/m/web/data.img", (1, 2), size=GIB, allocated=GIB // 2, fs_type="ext4", in_use=False, free=50 * GIB, fs_size=GIB
)
TOOLS = GrowTools(lazy=True, total=100 * GIB)


def microvm(volume: Volume = VOLUME, hypervisor: Hypervisor = Hypervisor.QEMU) -> MicroVM:
    built = Runner("/nix/store/1-web", Definition(hypervisor=hypervisor, volumes=(volume,)))
    return MicroVM("web", "/m/web", State(StateWord.STOPPED, None, ""), built=built)


def planned(
    facts: OverlayFacts = FACTS,
    size: int = 4 * GIB,
    volume: Volume = VOLUME,
    tools: GrowTools = TOOLS,
    way: GrowWay | None = None,
    *,
    may_mount: bool = True,
    overlay: bool = False,
    hypervisor: Hypervisor = Hypervisor.QEMU,
) -> GrowPlan:
    one = microvm(volume, hypervisor)
    seen = OverlayEvidence(one, target_of(one, volume, ToldBy.BUILT), facts)
    return plan_growth(seen, WantedSize(size, "as asked for"), tools, way, may_mount=may_mount, overlay=overlay)


@pytest.mark.parametrize(
    ("fs_type", "may_mount", "ways"),
    [
        ("ext2", True, (GrowWay.RESIZE,)),
        ("ext3", True, (GrowWay.RESIZE,)),
        ("ext4", False, (GrowWay.RESIZE,)),
        ("xfs", True, (GrowWay.GUEST, GrowWay.MOUNT)),
        ("btrfs", True, (GrowWay.GUEST, GrowWay.MOUNT)),
        ("xfs", False, (GrowWay.GUEST,)),
    ],
)
def test_ways(fs_type: str, may_mount: bool, ways: tuple[GrowWay, ...]) -> None:
    plan = planned(FACTS._replace(fs_type=fs_type), may_mount=may_mount)
    assert (plan.ok, plan.ways, plan.way) == (True, ways, ways[0])


def test_a_mount_is_only_taken_where_somebody_says_so() -> None:
    half = FACTS._replace(fs_type="xfs", size=4 * GIB)
    plan = planned(half)
    assert (plan.ok, plan.ways) == (False, (GrowWay.MOUNT,))
    assert plan.nothing == (
        "/m/web/data.img has 4.0G already; xfs_growfs /data in the guest makes use of it, or --mount here"
    )
    assert planned(half, way=GrowWay.MOUNT).ok
    assert planned(half, way=GrowWay.MOUNT, may_mount=False).refusal == "only root can mount it"
    assert planned(way=GrowWay.MOUNT).refusal == "its file system is ext4, which grows without a mount"


@pytest.mark.parametrize(
    ("facts", "size", "volume", "why"),
    [
        (FACTS, GIB // 2, VOLUME, "it has 1.0G, 512M are wanted: a shorter file ends in the middle of its file system"),
        (FACTS._replace(fs_type="vfat"), 2 * GIB, VOLUME, "its file system is vfat, which nothing that microvm.nix"),
        (FACTS._replace(fs_type=None), 2 * GIB, VOLUME, "it has no file system that mvtui knows"),
        (FACTS, 2 * GIB, VOLUME._replace(image_type="qcow2"), "its imageType is qcow2"),
        (FACTS, 200 * GIB, VOLUME, "its file system has 100G in all"),
        (FACTS._replace(free=MIB), 2 * GIB, VOLUME, "1.0M is free beside it"),
        (FACTS._replace(problem="data.img is a link"), 2 * GIB, VOLUME, "data.img is a link"),
        (FACTS._replace(worker="root: mvtui reset web"), 2 * GIB, VOLUME, "root: mvtui reset web works on it"),
        (FACTS._replace(fs_type="xfs"), 2 * GIB, VOLUME._replace(read_only=True), "the volume is read-only"),
    ],
)
def test_refusals(facts: OverlayFacts, size: int, volume: Volume, why: str) -> None:
    plan = planned(facts, size, volume)
    assert not plan.ok
    assert plan.refusal.startswith(why)
    assert plan.fix


def test_programs_that_are_missing() -> None:
    tools = TOOLS._replace(missing=("e2fsck", "resize2fs"))
    plan = planned(tools=tools)
    assert plan.refusal == "e2fsck and resize2fs: neither in the runner's PATH nor on this host"
    assert plan.fix == "install e2fsprogs"
    assert planned(FACTS._replace(fs_type="xfs"), tools=tools).ok  # which needs none of them


def test_nothing_to_grow() -> None:
    assert planned(size=GIB).nothing == "/m/web/data.img has 1.0G already"
    assert planned(FACTS._replace(size=4 * GIB)).ok  # its file system is short of it
    missing = OverlayFacts("/m/web/data.img")
    assert planned(missing).nothing == "data.img does not exist yet: the first start makes it as built"


def test_risks_and_notes() -> None:
    assert planned().risks == ()
    (over,) = planned(size=90 * GIB).risks
    assert over.startswith("Over-committed: 50G is free on the host, and it could take 90G")
    (mounted,) = planned(FACTS._replace(fs_type="xfs"), way=GrowWay.MOUNT).risks
    assert "a file system that the guest wrote" in mounted
    (unlocked,) = planned(hypervisor=Hypervisor.FIRECRACKER).risks
    assert unlocked.startswith("firecracker looks at no locks")
    (overlay,) = planned(overlay=True).notes
    assert "mvtui reset web makes an empty one" in overlay


def test_the_guest_s_command() -> None:
    assert planned(FACTS._replace(fs_type="btrfs")).in_guest == "btrfs filesystem resize max /data"
    unknown = VOLUME._replace(mount_point=None)
    assert planned(FACTS._replace(fs_type="xfs"), volume=unknown).in_guest == "xfs_growfs MOUNTPOINT"


def test_words() -> None:
    plan = planned()
    assert may_grow(plan, "hv01") == "grow data.img of web to 4.0G on hv01?"
    told = [each.text for each in told_growth(plan, datetime(2026, 8, 1, tzinfo=UTC))]
    assert told[:3] == [
        "/m/web/data.img",
        "512M allocated of 1.0G, ext4, no label, its file system 1.0G",
        "4.0G, as asked for",
    ]
    assert "3 truncate -s 4294967296 data.img: nothing more is allocated." in told
    assert told[-1] == "no other mvtui works on it"


@pytest.mark.parametrize(
    ("fs_type", "more", "lazy", "most"),
    [("ext4", 1 << 40, True, 36), ("ext4", GIB, False, 68), ("ext2", GIB, True, 68), ("xfs", 1 << 40, True, 40)],
)
def test_how_much_is_written(fs_type: str, more: int, lazy: bool, most: int) -> None:
    assert written(fs_type, more, lazy=lazy) == most * MIB


@pytest.mark.parametrize(
    ("fs_type", "fs_size", "size", "short"),
    [
        ("ext4", GIB, GIB, False),
        ("ext4", GIB - 3 * MIB, GIB, False),
        ("ext4", GIB - 5 * MIB, GIB, True),
        ("ext4", 8 * MIB, 16 * MIB, True),
        ("xfs", GIB - MIB, GIB, False),
        ("btrfs", GIB - 2 * MIB, GIB, True),
        ("vfat", None, GIB, False),
    ],
)
def test_short(fs_type: str, fs_size: int | None, size: int, short: bool) -> None:
    assert is_short(fs_type, fs_size, size) is short


def test_out_of_step() -> None:
    image = ImageFacts("/m/web/data.img", GIB, MIB, "ext4", None, GIB, MIB)
    one = microvm()
    assert out_of_step(one, VOLUME, image) is None
    larger = one._replace(defined=Definition(volumes=(VOLUME._replace(size=2048),)))
    assert out_of_step(larger, VOLUME, image) == (
        "2.0G as its definition file says: no effect on an image that exists", True
    )  # fmt: skip
    smaller = one._replace(defined=Definition(volumes=(VOLUME._replace(size=512),)))
    told = out_of_step(smaller, VOLUME, image)
    assert told is not None
    assert not told[1]
    half = image._replace(size=2 * GIB)
    assert out_of_step(one, VOLUME, half) == ("its file system has 1.0G of the 2.0G", True)
    assert out_of_step(larger, VOLUME, image._replace(problem="gone")) is None
