"""What a guest tells, in short facts for a person: the page and `mvtui show` say the same."""

from mvtui.model.format import size
from mvtui.model.guest import GuestDisk, GuestShare, GuestStage, GuestStatus, HypervisorReport

_STAGES = {
    GuestStage.UNKNOWN: "not known whether it has booted",
    GuestStage.BOOTING: "no login prompt yet",
    GuestStage.UP: "booted",
    GuestStage.EMERGENCY: "emergency mode",
    GuestStage.PANIC: "kernel panic",
}
_SAYS = "its hypervisor says"


def guest_facts(guest: GuestStatus) -> list[str]:
    """How far it has come and what its hypervisor says; what is not known is said to be so. Not cleaned."""
    facts = [_STAGES[guest.stage]]
    if guest.report is None:
        facts.append(f"{_SAYS} nothing: {guest.unanswered}" if guest.unanswered else "not asked yet")
    else:
        facts += report_facts(guest.report)
    console = guest.console
    if console is not None and console.problem:
        facts.append(f"console not known: {console.problem}")
    elif console is not None and not console.complete:
        facts.append("not all of its console was read")
    return facts


def report_facts(report: HypervisorReport) -> list[str]:
    """`running`, `512M`, `balloon 384M`, `1 disk ok`, `2 shares connected`."""
    facts = [f"{_SAYS} {report.status}"]
    facts += [f"memory {size(report.memory)}"] if report.memory is not None else []
    facts += [f"balloon leaves {size(report.balloon)}"] if report.balloon is not None else []
    facts += [_disks(report.disks)] if report.disks else []
    facts += [_shares(report.shares)] if report.shares else []
    return facts


def _disks(disks: tuple[GuestDisk, ...]) -> str:
    bad = [disk for disk in disks if disk.failed or disk.io_status not in (None, "ok")]
    if bad:
        return ", ".join(_bad(disk) for disk in bad)
    told = all(disk.io_status is not None or disk.failed is not None for disk in disks)
    return f"{_many(len(disks), 'disk')}{' without errors' if told else ''}"


def _bad(disk: GuestDisk) -> str:
    count = f"{_many(disk.failed, 'request')} failed" if disk.failed else "requests fail"
    return f"{disk.name}: {count}{f' ({disk.io_status})' if disk.io_status not in (None, 'ok') else ''}"


def _shares(shares: tuple[GuestShare, ...]) -> str:
    lost = [share.name for share in shares if share.connected is False]
    if lost:
        return f"not connected: {', '.join(lost)}"
    told = all(share.connected for share in shares)
    return f"{_many(len(shares), 'share')}{' connected' if told else ''}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
