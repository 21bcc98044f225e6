"""What a guest tells is wrong with it: each check with the sign that it looks for, and nothing where that is not."""

import pytest

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.finding import Severity
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
from mvtui.model.guest_words import guest_facts
from mvtui.model.microvm import MicroVM, ShareHealth, ShareStatus
from mvtui.model.state import State, StateWord
from mvtui.operations.checks import check
from mvtui.operations.checks.check import Seen
from tests.fakes import EPOCH

HOME = Share("home", ShareProto.VIRTIOFS, source="/srv/home", mount_point="/home", socket="x")
DATA = Volume("data.img", letter="b", mount_point="/var/lib/data", label="data")
WEB = MicroVM(
    "web",
    "/var/lib/microvms/web",
    State(StateWord.RUNNING, EPOCH, "It runs."),
    booted=Definition(shares=(HOME,), volumes=(DATA,)),
    shares=(ShareStatus(HOME, ShareHealth.UP),),
)
RUNNING = HypervisorReport(
    "running", 512 << 20, None, (GuestDisk("vdb", "data.img", False, "ok", 0),), (GuestShare("home", True),)
)
UP = Console(GuestStage.UP, EPOCH)
WELL = GuestStatus(RUNNING, console=UP)


def sign(kind: SignKind, subject: str, text: str = "something") -> ConsoleSign:
    return ConsoleSign(kind, subject, text, EPOCH)


def report(**changes: object) -> GuestStatus:
    return WELL._replace(report=RUNNING._replace(**changes))  # type: ignore[arg-type]


def console(stage: GuestStage, *signs: ConsoleSign, text: str = "") -> GuestStatus:
    return WELL._replace(console=Console(stage, EPOCH, text, signs))


@pytest.mark.parametrize(
    ("guest", "severity", "note", "what", "fix"),
    [
        pytest.param(
            console(GuestStage.EMERGENCY, sign(SignKind.MOUNT, "/home")),
            Severity.ERROR,
            "emergency",
            "The guest is in emergency mode.",
            'mend share "home" (/srv/home), then mvtui restart web',
            id="emergency, a share",
        ),
        pytest.param(
            console(GuestStage.EMERGENCY, sign(SignKind.DEVICE, "/dev/disk/by-label/data")),
            Severity.ERROR,
            "emergency",
            "The guest is in emergency mode.",
            "mend volume data.img, then mvtui restart web",
            id="emergency, a volume by its label",
        ),
        pytest.param(
            console(GuestStage.EMERGENCY, sign(SignKind.DISK, "vdb")),
            Severity.ERROR,
            "emergency",
            "The guest is in emergency mode.",
            "mend volume data.img, then mvtui restart web",
            id="emergency, a volume by its letter",
        ),
        pytest.param(
            console(GuestStage.EMERGENCY),
            Severity.ERROR,
            "emergency",
            "The guest is in emergency mode.",
            "mend that, then mvtui restart web",
            id="emergency, who knows",
        ),
        pytest.param(
            console(GuestStage.PANIC, text="Kernel panic - not syncing: x"),
            Severity.ERROR,
            "panic",
            "The guest's kernel has panicked.",
            "mvtui restart web",
            id="panic",
        ),
        pytest.param(
            report(status="paused"),
            Severity.ERROR,
            "paused",
            "The guest stands still: its hypervisor says paused.",
            "mvtui restart web",
            id="paused",
        ),
        pytest.param(
            report(disks=(GuestDisk("vdb", "data.img", False, "nospace", 3),)),
            Severity.ERROR,
            "disk error",
            "Volume data.img: 3 requests of the guest have failed.",
            "see the host's kernel log: journalctl -k",
            id="disk stopped",
        ),
        pytest.param(
            report(disks=(GuestDisk("vdb", "data.img", False, None, 3),)),
            Severity.WARNING,
            "disk error",
            "Volume data.img: 3 requests of the guest have failed.",
            "see the host's kernel log: journalctl -k",
            id="disk failed",
        ),
        pytest.param(
            report(shares=(GuestShare("home", False),)),
            Severity.ERROR,
            "fsd home",
            'Share "home" is down.',
            "mvtui restart web: a dead virtiofsd can't come back under a running guest",
            id="share lost",
        ),
        pytest.param(
            console(GuestStage.UP, sign(SignKind.MOUNT, "/var/lib/data")),
            Severity.WARNING,
            "no mount",
            "The guest has not mounted /var/lib/data.",
            "mend volume data.img, then mvtui restart web",
            id="a mount it can boot without",
        ),
        pytest.param(
            console(GuestStage.UP, sign(SignKind.OVERLAY, "")),
            Severity.WARNING,
            "overlay ?",
            "The guest's kernel complains of its overlay.",
            "mend that, then mvtui restart web",
            id="overlay",
        ),
    ],
)
def test_what_is_found(guest: GuestStatus, severity: Severity, note: str, what: str, fix: str) -> None:
    (finding,) = check(Seen(WEB._replace(guest=guest)))
    assert (finding.severity, finding.note, finding.what, finding.fix) == (severity, note, what, fix)
    assert finding.why


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("paused", "Nothing in it runs until somebody lets it go on."),
        ("io-error", "The host could not read or write one of its images."),
    ],
)
def test_why_it_stands_still(status: str, why: str) -> None:
    (finding,) = check(Seen(WEB._replace(guest=report(status=status))))
    assert finding.why == why


@pytest.mark.parametrize(
    "guest",
    [
        pytest.param(WELL, id="well"),
        pytest.param(GuestStatus(), id="nothing known"),
        pytest.param(GuestStatus(unanswered="it has no control socket", console=Console(problem="x")), id="not asked"),
        pytest.param(console(GuestStage.BOOTING), id="booting"),
        pytest.param(None, id="nobody has looked"),
    ],
)
def test_nothing_is_found(guest: GuestStatus | None) -> None:
    assert check(Seen(WEB._replace(guest=guest))) == ()


def test_a_share_that_is_known_to_be_down_is_told_once() -> None:
    down = WEB._replace(
        shares=(ShareStatus(HOME, ShareHealth.DOWN, "its virtiofsd has ended."),),
        guest=report(shares=(GuestShare("home", False),)),
    )
    assert [finding.note for finding in check(Seen(down))].count("fsd home") == 1


@pytest.mark.parametrize(
    ("guest", "facts"),
    [
        (
            WELL,
            ["booted", "its hypervisor says running", "memory 512M", "1 disk without errors", "1 share connected"],
        ),
        (
            GuestStatus(unanswered="it has no control socket"),
            ["not known whether it has booted", "its hypervisor says nothing: it has no control socket"],
        ),
        (
            GuestStatus(console=Console(problem="there is nothing")),
            ["not known whether it has booted", "not asked yet", "console not known: there is nothing"],
        ),
        (
            WELL._replace(console=UP._replace(complete=False)),
            [
                "booted",
                "its hypervisor says running",
                "memory 512M",
                "1 disk without errors",
                "1 share connected",
                "not all of its console was read",
            ],
        ),
        (
            report(
                balloon=256 << 20,
                disks=(GuestDisk("vdb", None, None, "failed", 2), GuestDisk("vda")),
                shares=(GuestShare("home", False), GuestShare("b", True)),
            ),
            [
                "booted",
                "its hypervisor says running",
                "memory 512M",
                "balloon leaves 256M",
                "vdb: 2 requests failed (failed)",
                "not connected: home",
            ],
        ),
        (
            report(disks=(GuestDisk("a"), GuestDisk("b")), shares=(GuestShare("x"),)),
            ["booted", "its hypervisor says running", "memory 512M", "2 disks", "1 share"],
        ),
    ],
)
def test_the_facts_say_what_is_not_known(guest: GuestStatus, facts: list[str]) -> None:
    assert guest_facts(guest) == facts
