"""The plan of a reset: every precondition holds or does not, with why and what mends it; the new image is as built."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.facts import Holder
from mvtui.model.microvm import MicroVM, StateDirEntry
from mvtui.model.mkfs import package_of, written_by_mkfs
from mvtui.model.overlay import KeptOverlay, NewImage, OverlayFacts, OverlayKind, OverlayTarget, ResetPlan, ToldBy
from mvtui.model.overlay_checks import OtherUse, OverlayEvidence
from mvtui.model.overlay_plan import plan_reset, restore_checks
from mvtui.model.state import State, StateWord
from mvtui.model.unit import Job, UnitStatus
from tests.fakes import process, unit
from tests.host.living import found

HYPERVISOR, VIRTIOFSD, INSTALL = "microvm@web.service", "microvm-virtiofsd@web.service", "install-microvm-web.service"
IMAGE = "/var/lib/microvms/web/rw.img"
VOLUME = Volume("rw.img", mount_point="/nix/.rw-store", size=64, fs_type="ext4", auto_create=True)
HOME = Share("home", ShareProto.VIRTIOFS, source="/srv/home", mount_point="/home")
UPPER = Share("upper", ShareProto.VIRTIOFS, source="/srv/upper", mount_point="/nix/.rw-store")
DATA = Volume("data.img", mount_point="/data", size=64)
WEB = MicroVM(
    "web",
    "/var/lib/microvms/web",
    State(StateWord.STOPPED, None, "stopped"),
    entry=StateDirEntry("web", "/var/lib/microvms/web", owner=(993, 994)),
    built=Runner("/nix/store/1-runner", Definition(volumes=(DATA, VOLUME), shares=(HOME,))),
)
TARGET = OverlayTarget(OverlayKind.VOLUME, IMAGE, VOLUME, told_by=ToldBy.BUILT)
FACTS = OverlayFacts(
    IMAGE,
    file_id=(1, 2),
    size=64 << 20,
    allocated=30 << 20,
    fs_type="ext4",
    label="old",
    uid=993,
    gid=994,
    mode=0o100660,
    in_use=False,
    free=1 << 30,
    mkfs="/sbin/mkfs.ext4",
)
GOOD = OverlayEvidence(WEB, TARGET, FACTS, holders=())
KEPT = KeptOverlay("20260801T120000Z.img", f"{IMAGE}-kept", datetime(2026, 8, 1, tzinfo=UTC), 64 << 20, 10 << 20)
QEMU = Holder(100, "qemu", "web", "open")


def seen(**changes: Any) -> OverlayEvidence:
    """All is well, but for `changes` of the evidence, the facts, the volume or the microVM."""
    evidence = GOOD
    for name, value in changes.items():
        if name in OverlayEvidence._fields:
            evidence = evidence._replace(**{name: value})
        elif name in OverlayFacts._fields:
            assert evidence.facts is not None
            evidence = evidence._replace(facts=evidence.facts._replace(**{name: value}))
        elif name in MicroVM._fields:
            evidence = evidence._replace(microvm=evidence.microvm._replace(**{name: value}))
        else:
            volume = evidence.target.volume
            assert volume is not None
            volume = volume._replace(**{name.removeprefix("built_"): value})
            evidence = evidence._replace(target=evidence.target._replace(volume=volume))
    return evidence


def units(name: str, active: str, sub: str, job: str | None = None) -> tuple[UnitStatus, ...]:
    return (unit(name, active, sub)._replace(job=Job(1, job) if job else None),)


def failing(plan: ResetPlan) -> list[str]:
    return [check.what for check in plan.checks if not check.ok]


STOPPED, PENDING = "its units are stopped", "no start or restart is pending"
OPEN, LOCKED, ATTACHED = "nobody has it open or mapped", "nobody has locked it", "no loop device or mount uses it"


def test_all_is_well() -> None:
    plan = plan_reset(GOOD)
    assert plan.ok
    assert (plan.refusal, plan.findings) == ("", ())
    assert all(check.ok and not check.why for check in plan.checks)
    assert len({check.what for check in plan.checks}) == len(plan.checks) == 14


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"units": units(HYPERVISOR, "active", "running")}, [STOPPED]),
        ({"units": units(HYPERVISOR, "activating", "start")}, [STOPPED]),
        ({"units": units(HYPERVISOR, "deactivating", "stop-sigterm")}, [STOPPED]),
        ({"units": units(VIRTIOFSD, "deactivating", "stop-sigterm")}, [STOPPED]),
        ({"units": units(HYPERVISOR, "activating", "auto-restart")}, [PENDING]),
        ({"units": units(HYPERVISOR, "activating", "auto-restart-queued", "start")}, [PENDING]),
        ({"units": units(HYPERVISOR, "inactive", "dead-before-auto-restart", "start")}, [PENDING]),
        ({"units": units(HYPERVISOR, "refreshing", "refresh-extensions")}, [STOPPED]),
        ({"units": units(HYPERVISOR, "inactive", "dead", "start")}, [PENDING]),
        ({"units": units(VIRTIOFSD, "inactive", "dead", "start")}, [PENDING]),
        ({"units": units(INSTALL, "activating", "start")}, [STOPPED]),
        ({"units_trouble": "systemd does not answer"}, [STOPPED]),
        ({"hypervisor": process(100, "web", "microvm@web")}, ["its hypervisor does not run"]),
        ({"in_use": True, "holders": (QEMU,)}, [OPEN]),
        ({"in_use": True, "holders": (QEMU._replace(how="mapped"),)}, [OPEN]),
        ({"in_use": True, "holders": ()}, [OPEN]),
        ({"in_use": True, "holders": None}, [OPEN, LOCKED, ATTACHED]),
        ({"in_use": None, "holders": None}, [OPEN, LOCKED, ATTACHED]),
        ({"in_use": None, "holders": (QEMU,)}, [OPEN]),
        ({"in_use": True, "holders": (QEMU._replace(how="lock"),)}, [OPEN, LOCKED]),
        ({"in_use": True, "holders": (Holder(None, None, None, "lock"),)}, [LOCKED]),
        ({"in_use": True, "holders": (Holder(None, None, None, "loop device loop3"),)}, [ATTACHED]),
        ({"in_use": True, "holders": (Holder(None, None, None, "mounted at /mnt"),)}, [ATTACHED]),
        ({"problem": "it is a link"}, ["it is a regular file of its user, one link, no link to follow"]),
        ({"others": (OtherUse("db", "built", "rw.img", True),)}, ["no other microVM has it"]),
        ({"others": (OtherUse("db", "defined", "", problem="db.toml:1:1: no value"),)}, ["no other microVM has it"]),
        ({"worker": "root (pid 4)"}, ["no other mvtui works on it"]),
        ({"image_type": "qcow2"}, ["it is a raw image"]),
        ({"read_only": True}, ["the guest can write it"]),
        ({"built_fs_type": "zfs"}, ["size and file system of the new one are known"]),
        ({"mkfs": None}, ["mkfs.ext4 is there"]),
        ({"free": 1 << 20}, ["there is room for what mkfs writes (20M)"]),
        ({"facts": None, "trouble": ("no rights", "use sudo")}, ["it can be looked at"]),
    ],
)
def test_what_stands_against_it(changes: dict[str, Any], expected: list[str]) -> None:
    plan = plan_reset(seen(**changes))
    assert failing(plan) == expected
    assert not plan.ok
    assert plan.refusal == next(check.why for check in plan.checks if not check.ok)
    assert [finding.what for finding in plan.findings] == [check.why for check in plan.checks if not check.ok]
    for check in plan.checks:
        assert check.ok or (check.why and (check.fix or "units_trouble" in changes)), check


@pytest.mark.parametrize(
    "changes",
    [
        {"units": units(HYPERVISOR, "failed", "failed")},
        {"units": (*units(HYPERVISOR, "inactive", "dead"), *units(VIRTIOFSD, "inactive", "dead"))},
        {"units": units(INSTALL, "active", "exited")},
        {"in_use": None, "holders": ()},
        # A lease says more than a scan, which may be older.
        {"in_use": False, "holders": (QEMU,)},
        {"in_use": False, "holders": None},
        {"image_type": "raw"},
        {"read_only": False},
        {"free": 20 << 20},
    ],
)
def test_what_does_not_stand_against_it(changes: dict[str, Any]) -> None:
    assert failing(plan_reset(seen(**changes))) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"units": units(HYPERVISOR, "activating", "start-pre", "start")}, []),
        ({"units": (*units(HYPERVISOR, "activating", "start-pre"), *units(VIRTIOFSD, "active", "running"))}, []),
        ({"units": units(HYPERVISOR, "active", "running")}, ["its hypervisor is not started yet"]),
        ({"units": units(HYPERVISOR, "deactivating", "stop")}, ["its hypervisor is not started yet"]),
        ({"units": units(HYPERVISOR, "activating", "auto-restart")}, ["its hypervisor is not started yet"]),
        ({"units": units(HYPERVISOR, "activating", "auto-restart-queued")}, ["its hypervisor is not started yet"]),
        ({"hypervisor": process(100, "web", "microvm@web")}, ["its hypervisor does not run"]),
        ({"in_use": True, "holders": (QEMU,)}, [OPEN]),
    ],
)
def test_within_its_own_start(changes: dict[str, Any], expected: list[str]) -> None:
    assert failing(plan_reset(seen(starting=True, **changes))) == expected


def test_after_a_stop_only_what_stays_in_the_way_counts() -> None:
    running = {"units": units(HYPERVISOR, "active", "running"), "in_use": True, "holders": (QEMU,)}
    assert plan_reset(seen(after_stop=True, **running)).ok
    assert failing(plan_reset(seen(after_stop=True, mkfs=None, **running))) == ["mkfs.ext4 is there"]


def test_checked_again_with_the_new_one_made_the_room_and_the_lock_are_our_own() -> None:
    taken = {"worker": "root (pid 4)", "free": 0, "mkfs": None}
    assert plan_reset(seen(made=True, **taken)).ok
    assert failing(plan_reset(seen(made=True, units=units(HYPERVISOR, "active", "running"), **taken))) == [STOPPED]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, NewImage(64 << 20, "ext4", None, (), 994, 0o660)),
        (
            {"built_label": "rw", "mkfs_extra_args": ("-m", "0")},
            NewImage(64 << 20, "ext4", "rw", ("-m", "0"), 994, 0o660),
        ),
        ({"built_size": 128, "built_fs_type": "xfs"}, NewImage(128 << 20, "xfs", None, (), 994, 0o660)),
        # Without autoCreate nobody makes it but mvtui: as defined, else as it is on disk.
        (
            {"auto_create": False, "built_size": None, "built_fs_type": None},
            NewImage(64 << 20, "ext4", "old", (), 994, 0o660),
        ),
        ({"auto_create": False, "built_fs_type": None}, NewImage(64 << 20, "ext4", "old", (), 994, 0o660)),
        ({"auto_create": False, "built_label": "rw"}, NewImage(64 << 20, "ext4", "rw", (), 994, 0o660)),
        # setuid and its like do not come back.
        ({"mode": 0o104777}, NewImage(64 << 20, "ext4", None, (), 994, 0o777)),
    ],
)
def test_the_new_image(changes: dict[str, Any], expected: NewImage) -> None:
    plan = plan_reset(seen(**changes))
    assert plan.ok
    assert plan.new == expected


def test_an_image_that_does_not_exist() -> None:
    gone = {"file_id": None, "size": 0, "allocated": 0, "gid": None, "mode": None, "fs_type": None, "label": None}
    plan = plan_reset(seen(**gone))
    assert (plan.ok, plan.checks) == (False, ())
    assert plan.nothing == "the image rw.img does not exist yet: the first start makes it"
    plan = plan_reset(seen(auto_create=False, **gone))
    assert plan.ok
    assert plan.new == NewImage(64 << 20, "ext4", None, (), 994, 0o644)
    assert (plan.lost, plan.aside) == ((), ())
    assert plan.steps[-1] == f"Give it the name {IMAGE}, which nothing has now."
    unknown = plan_reset(seen(auto_create=False, built_size=None, **gone))
    assert unknown.refusal == "neither the definition nor what is on disk tells the size of rw.img"


def test_what_is_said() -> None:
    plan = plan_reset(seen(built_size=128, built_fs_type="xfs", kept=(KEPT,)))
    assert plan.steps == (
        "Make a new image of 128M beside it: mkfs.xfs.",
        "The new one has the built size, 128M; the old one has 64M.",
        "The new one has the built file system, xfs; the old one has ext4.",
        "Check again that nothing uses it.",
        f"Exchange it with {IMAGE} in one step; the old one is set aside.",
        "The one that an earlier reset set aside (10M) is freed in the background.",
    )
    assert plan.lost == ("What was built or installed in the guest's overlay, 30M.",)
    assert plan.stays == ("Share home (/srv/home).", "Volume data.img (/data).")
    assert plan.aside == (
        "The old one (30M) goes to .mvtui/overlay/ beside it, until the next reset.",
        "`mvtui restore web` brings it back, `mvtui reset --discard web` frees it.",
    )


def test_words_from_the_host_are_clean() -> None:
    plan = plan_reset(seen(built_label="a\x1b[2J", built_image="a\n.img", problem="a\x1b"))
    said = "".join((*plan.steps, *plan.lost, *plan.stays, *plan.aside, *(check.why for check in plan.checks)))
    assert said.isprintable()


SHARE = OverlayTarget(OverlayKind.SHARE, "/srv/upper", tag="upper", told_by=ToldBy.BUILT)


def test_a_share() -> None:
    runner = Runner("/nix/store/1-runner", Definition(volumes=(DATA,), shares=(HOME, UPPER)))
    evidence = seen(target=SHARE, in_use=None, size=0, fs_type=None, mkfs=None, built=runner)
    plan = plan_reset(evidence)
    assert plan.ok
    assert plan.new is None
    assert plan.stays == ("Share home (/srv/home).", "Volume data.img (/data).")
    assert plan.aside[0] == "What is old goes to .mvtui/overlay/ in its directory, until the next reset."
    assert failing(plan_reset(evidence._replace(holders=None))) == [OPEN, LOCKED, ATTACHED]
    assert failing(plan_reset(evidence._replace(holders=(QEMU,)))) == [OPEN]
    nothing = plan_reset(seen(target=SHARE, file_id=None))
    assert nothing.nothing == "the directory /srv/upper has no store in it yet: the first start makes it"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (OverlayTarget(OverlayKind.TMPFS, told_by=ToldBy.BUILT), "in the guest's memory"),
        (OverlayTarget(OverlayKind.NONE, told_by=ToldBy.BUILT), "has no writable store overlay"),
        (OverlayTarget(OverlayKind.UNKNOWN, None, DATA, told_by=ToldBy.BUILT), "lies within data.img"),
    ],
)
def test_nothing_to_reset(target: OverlayTarget, words: str) -> None:
    plan = plan_reset(OverlayEvidence(WEB, target))
    assert words in plan.nothing
    assert not plan.ok
    assert plan.refusal == plan.nothing
    assert plan.findings == ()


def test_who_does_not_know_asks() -> None:
    unknown = OverlayEvidence(WEB, OverlayTarget(OverlayKind.UNKNOWN), candidates=("data.img", "rw.img"))
    (check,) = plan_reset(unknown).checks
    assert check.fix == "mvtui reset web --image IMAGE, once; it has data.img, rw.img"
    (unread,) = plan_reset(unknown._replace(trouble=("web.toml:3:1: no value", "a value is"))).checks
    assert (unread.why, unread.fix) == ("web.toml:3:1: no value", "a value is")


@pytest.mark.parametrize(
    ("target", "asked", "why"),
    [
        (TARGET, "data.img", f"by what is built it is on {IMAGE}"),
        (SHARE, "rw.img", "by what is built it is on share upper"),
        (OverlayTarget(OverlayKind.NONE, told_by=ToldBy.DEFINED), "rw.img", "by its definition file it is nowhere"),
        (OverlayTarget(OverlayKind.UNKNOWN), "x.img", "it has no volume of that image; it has data.img"),
    ],
)
def test_an_image_that_was_asked_for_and_is_another(target: OverlayTarget, asked: str, why: str) -> None:
    (check,) = plan_reset(GOOD._replace(target=target, asked=asked, candidates=("data.img",))).checks
    assert not check.ok
    assert why in check.why


@pytest.mark.parametrize("asked", ["rw.img", IMAGE])
def test_the_image_that_was_asked_for(asked: str) -> None:
    assert plan_reset(GOOD._replace(asked=asked)).ok


@pytest.mark.parametrize(
    ("changes", "which", "expected"),
    [
        ({"kept": (KEPT,)}, None, []),
        ({"kept": (KEPT,)}, KEPT.name, []),
        ({"kept": (KEPT,)}, "other", ["nothing is set aside as other"]),
        ({}, None, ["nothing is set aside"]),
        ({"kept": (KEPT,), "mkfs": None, "free": 0}, None, []),
        ({"kept": (KEPT,), "in_use": True, "holders": (QEMU,)}, None, ["qemu (pid 100 of web) has it open"]),
    ],
)
def test_restore(changes: dict[str, Any], which: str | None, expected: list[str]) -> None:
    assert [check.why for check in restore_checks(seen(**changes), which) if not check.ok] == expected


@pytest.mark.parametrize("fs_type", ["ext2", "ext3", "ext4", "xfs", "btrfs", "vfat"])
@pytest.mark.parametrize("mib", [1, 8, 64, 300, 1024, 10240, 102400])
def test_mkfs_never_writes_more_than_is_said(tmp_path: Path, fs_type: str, mib: int) -> None:
    image = tmp_path / "a.img"
    image.touch()
    with image.open("r+b") as file:
        file.truncate(mib << 20)
    assert package_of(fs_type) is not None
    done = subprocess.run([found(f"mkfs.{fs_type}"), str(image)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("mkfs takes no image that is so small")
    written = image.stat().st_blocks * 512
    assert written <= written_by_mkfs(fs_type, mib << 20) <= mib << 20
