"""MicroVMs whose guests were asked: one that is well, one in emergency mode, one of which nothing can be told."""

from mvtui.model.guest import (
    Console,
    ConsoleSign,
    GuestDisk,
    GuestShare,
    GuestStage,
    GuestStatus,
    HypervisorReport,
    SignKind,
)
from mvtui.model.state import State, StateWord
from mvtui.operations.checks import check
from mvtui.operations.checks.check import Seen
from tests.ui.full_samples import HEALTHY
from tests.ui.samples import GIB, MIB, ago

_REPORT = HypervisorReport(
    "running",
    4 * GIB,
    3 * GIB + 512 * MIB,
    tuple(GuestDisk(f"vd{letter}", f"{letter}.img", False, "ok", 0) for letter in "abcd"),
    (GuestShare("ro-store", True), GuestShare("home", True)),
)
_DEVICE = ConsoleSign(
    SignKind.DEVICE,
    "/dev/disk/by-label/postgres",
    "Timed out waiting for device /dev/disk/by-label/postgres.",
    ago(days=2),
)
_MOUNT = ConsoleSign(SignKind.MOUNT, "/var/lib/postgresql", "Dependency failed for /var/lib/postgresql.", ago(days=2))

BOOTED = HEALTHY._replace(guest=GuestStatus(_REPORT, console=Console(GuestStage.UP, ago(days=2))))
UNTOLD = HEALTHY._replace(
    guest=GuestStatus(
        unanswered="its control socket serves another client, or does not answer",
        console=Console(problem="there is nothing of its console in the journal"),
    )
)
_STUCK = GuestStatus(_REPORT, console=Console(GuestStage.EMERGENCY, ago(days=2), "", (_DEVICE, _MOUNT)))
_WHY = _STUCK.against()
assert _WHY is not None
EMERGENCY = HEALTHY._replace(guest=_STUCK, state=State(StateWord.DEGRADED, _WHY[1], _WHY[0]))
EMERGENCY = EMERGENCY._replace(findings=tuple(one for one in check(Seen(EMERGENCY)) if one.subject == "guest"))
