"""Plans of resets, as the operations make them: of an image that can be reset, of one in use, and all the rest."""

from datetime import timedelta

from mvtui.model.definition import Volume
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay import (
    Check,
    KeptOverlay,
    NewImage,
    OverlayFacts,
    OverlayKind,
    OverlayTarget,
    ResetPlan,
    ToldBy,
)
from tests.ui.samples import GIB, LAB, MIB, NOW, WEB, ago, overlay

KEPT = KeptOverlay(
    "20251120T101500Z.img",
    "/var/lib/microvms/lab/.mvtui/overlay/nix-rw.img/20251120T101500Z.img",
    NOW - timedelta(days=3, hours=1),
    GIB,
    310 * MIB,
)
OLDER = KEPT._replace(name="20251101T080000Z.img", path=KEPT.path.replace("1120T101500", "1101T080000"))

_HOLDS = (
    "its units are stopped",
    "no start or restart is pending",
    "its hypervisor does not run",
    "nobody has it open or mapped",
    "nobody has locked it",
    "no loop device or mount uses it",
    "it is a regular file of its user, one link, no link to follow",
    "no other microVM has it",
    "no other mvtui works on it",
    "it is a raw image",
    "the guest can write it",
    "size and file system of the new one are known",
    "mkfs.ext4 is there",
    "there is room for what mkfs writes (34M)",
)


def plan_of(microvm: MicroVM, *, after_stop: bool = False, chosen: str | None = None) -> ResetPlan:
    """The plan for a microVM of the samples, with its kept ones; refused while it is up, but `after_stop`."""
    status = microvm.overlay
    if status is None and chosen is None:
        return ResetPlan(microvm.name, OverlayTarget(OverlayKind.NONE), nothing="it has no writable store overlay")
    volume = status.volume if status is not None else Volume(chosen or "", auto_create=True)
    image = status.image if status is not None else None
    path = f"{microvm.path}/{volume.image}"
    size, allocated = (image.size, image.allocated) if image is not None else (GIB, 300 * MIB)
    facts = OverlayFacts(
        path,
        (41, 7),
        None,
        size,
        allocated,
        "ext4",
        None,
        ago(days=9),
        990,
        302,
        0o644,
        in_use=False,
        kept=microvm.kept,
    )
    name = microvm.name
    checks = [Check(what, True) for what in _HOLDS]
    if microvm.state.word.is_up and not after_stop:
        checks[0] = Check(_HOLDS[0], False, f"microvm@{name}.service is active", f"mvtui stop {name}")
        checks[3] = Check(_HOLDS[3], False, "its hypervisor has it open", f"mvtui stop {name}")
    return ResetPlan(
        microvm.name,
        OverlayTarget(OverlayKind.VOLUME, path, volume, told_by=ToldBy.CHOSEN if chosen else ToldBy.BUILT),
        facts,
        NewImage(size, "ext4", None, (), 302, 0o644),
        tuple(checks),
        ("Make a new image beside it: mkfs.ext4.", "Exchange it in one step; the old one is set aside."),
        (f"What was built or installed in the guest's overlay, {allocated // MIB}M.",),
        ("Share ro-store (/nix/store).", "Share home (/srv/lab/home).", "Volume var.img (/var)."),
        (
            f"The old one ({allocated // MIB}M) goes to .mvtui/overlay/ beside it, until the next reset.",
            f"`mvtui restore {name}` brings it back, `mvtui reset --discard {name}` frees it.",
        ),
    )


def with_kept(microvm: MicroVM, *kept: KeptOverlay) -> MicroVM:
    """The same with these set aside."""
    return microvm._replace(kept=kept or (KEPT,))


KEEPING = with_kept(LAB)
RUNNING = WEB._replace(volumes=overlay(300 * MIB, 2 * GIB))
UNKNOWN = ResetPlan(
    "lab",
    OverlayTarget(OverlayKind.UNKNOWN),
    checks=(
        Check(
            "it is known which image is the overlay",
            False,
            "neither what is built nor a definition file tells where its writable store overlay is",
            "mvtui reset lab --image IMAGE, once; it has nix-rw.img",
        ),
    ),
)
LINKED = plan_of(LAB)._replace(
    checks=(
        *[Check(what, True) for what in _HOLDS[:6]],
        Check(
            _HOLDS[6],
            False,
            "nix-rw.img is a symbolic link",
            "put it right by hand: mvtui never touches what may be another's",
        ),
        *[Check(what, True) for what in _HOLDS[7:]],
    )
)
UNSEEN = ResetPlan(
    "lab",
    plan_of(LAB).target,
    checks=(
        Check(
            "it can be looked at",
            False,
            "the files of lab belong to uid 990, and mvtui runs as uid 1000",
            "run it as root",
        ),
    ),
    rights_missing=True,
)
