"""What is known of a guest: what its hypervisor says when it is asked, and what its console has shown since this boot.

Nothing here is sure: the hypervisor belongs to an unprivileged user, and a guest writes to its console what it likes.
What is not known is None, or `GuestStage.UNKNOWN`, and then there are words for why.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class GuestStage(StrEnum):
    """How far the guest has come, by its console. `up`: a login prompt or multi-user was reached; `booting`: it has
    shown that it boots, and neither; `unknown`: it has shown nothing that tells."""

    UNKNOWN = "unknown"
    BOOTING = "booting"
    UP = "up"
    EMERGENCY = "emergency mode"
    PANIC = "kernel panic"


class SignKind(StrEnum):
    """What a line of the console complains of."""

    MOUNT = "mount"
    DEVICE = "device"
    OVERLAY = "overlay"
    DISK = "disk"


class ConsoleSign(NamedTuple):
    """A complaint: `subject` is the mount point or the device, "" where the line names none; `text` is the line,
    cleaned and cut. `at` (UTC) is when it was logged, None where nobody knows."""

    kind: SignKind
    subject: str
    text: str
    at: datetime | None = None


class Console(NamedTuple):
    """The console since this boot. `since` is when `stage` began, as far as that is logged; `text` is the line that
    says so. `signs` are the first of each kind and subject, the oldest first. `complete`: all of this boot's log was
    read. `problem` is why nothing of it is known."""

    stage: GuestStage = GuestStage.UNKNOWN
    since: datetime | None = None
    text: str = ""
    signs: tuple[ConsoleSign, ...] = ()
    complete: bool = True
    problem: str = ""


class GuestDisk(NamedTuple):
    """A block device as the hypervisor has it. `io_status` is QEMU's word (`ok`, `failed`, `nospace`), `failed` how
    many requests have failed since it started; None where the hypervisor does not tell."""

    name: str
    image: str | None = None
    read_only: bool | None = None
    io_status: str | None = None
    failed: int | None = None


class GuestShare(NamedTuple):
    """A file system device, by the share's tag. `connected`: its hypervisor is connected to its virtiofsd, None where
    it does not tell."""

    name: str
    connected: bool | None = None


class HypervisorReport(NamedTuple):
    """What a hypervisor said of its guest. `status` is its own word in lower case (`running`, `paused`, `io-error`);
    `memory` is what the guest has (bytes), `balloon` what a balloon leaves of it, None where there is none; `shares`
    are its file system devices (not those of 9p). None: it does not tell."""

    status: str
    memory: int | None = None
    balloon: int | None = None
    disks: tuple[GuestDisk, ...] | None = None
    shares: tuple[GuestShare, ...] | None = None


class GuestStatus(NamedTuple):
    """`report` is None where the hypervisor did not say anything, and `unanswered` is why. `console` is None where it
    was not looked at."""

    report: HypervisorReport | None = None
    unanswered: str = ""
    console: Console | None = None

    @property
    def stage(self) -> GuestStage:
        """How far it has come."""
        return self.console.stage if self.console is not None else GuestStage.UNKNOWN

    @property
    def in_emergency(self) -> bool:
        """Whether it waits for somebody at its console."""
        return self.stage is GuestStage.EMERGENCY

    @property
    def has_panicked(self) -> bool:
        """Whether its kernel gave up."""
        return self.stage is GuestStage.PANIC

    @property
    def bad_disks(self) -> tuple[GuestDisk, ...]:
        """Those that QEMU has stopped, or answers with errors, because the host could not read or write."""
        disks = self.report.disks if self.report is not None else None
        return tuple(disk for disk in disks or () if disk.io_status not in (None, "ok"))

    def against(self) -> tuple[str, datetime | None] | None:
        """What speaks against calling it `running`, in a sentence, and since when; None: nothing that is known."""
        console, report = self.console, self.report
        if console is not None and console.stage in (GuestStage.EMERGENCY, GuestStage.PANIC):
            return self._stuck(console), console.since
        if report is not None and report.status != "running":
            return f"Its hypervisor says that the guest is {report.status}.", None
        if self.bad_disks:
            disk = self.bad_disks[0]
            return f"Reading or writing {disk.image or disk.name} fails ({disk.io_status}).", None
        if self.lost_shares:
            return f'Share "{self.lost_shares[0].name}" is down: its hypervisor has lost virtiofsd.', None
        return None

    @property
    def lost_shares(self) -> tuple[GuestShare, ...]:
        """Those whose virtiofsd the hypervisor has lost; it connects to no other one."""
        shares = self.report.shares if self.report is not None else None
        return tuple(share for share in shares or () if share.connected is False)

    def _stuck(self, console: Console) -> str:
        cause = self.cause
        if console.stage is GuestStage.PANIC:
            return f"The guest's kernel has panicked: {console.text}"
        return f"The guest is in emergency mode{f': {cause}' if cause else '; its console does not say why.'}"

    @property
    def cause(self) -> str:
        """Why it got no further, by the first complaint of its console that explains the most; "" where there is none.

        A mount that failed since its device never came is told by the device."""
        signs = self.console.signs if self.console is not None else ()
        for kind in (SignKind.OVERLAY, SignKind.DISK, SignKind.DEVICE, SignKind.MOUNT):
            sign = next((one for one in signs if one.kind is kind), None)
            if sign is None:
                continue
            mount = next((one for one in signs if one.kind is SignKind.MOUNT), None)
            if mount is not None and mount is not sign:
                return f"{mount.subject} is not mounted: {sign.text}"
            return sign.text
        return ""

    @property
    def words(self) -> str:
        """A sentence on how far it has come, also where that is not known."""
        if self.stage is GuestStage.UP:
            return "The guest has booted."
        if self.stage is GuestStage.BOOTING:
            return "The guest has shown no login prompt yet."
        return "Whether the guest has booted is not known."
