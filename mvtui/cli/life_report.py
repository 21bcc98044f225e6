"""What a guest tells, and what happened to a microVM, as JSON documents."""

from datetime import datetime

from mvtui.cli.output import Json
from mvtui.model.guest import GuestDisk, GuestStatus
from mvtui.model.timeline import Event, Timeline


def iso_time(at: datetime | None) -> str | None:
    """As every document writes a time; None where nobody knows."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at is not None else None


def event_document(event: Event) -> Json:
    """One thing that happened; null for what is not known, and what means nothing for its kind."""
    return {
        "at": event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "kind": str(event.kind),
        "what": event.what,
        "why": event.why or None,
        "user": event.user or None,
        "ok": event.ok,
        "seconds": event.seconds,
    }


def timeline_document(timeline: Timeline) -> Json:
    """A timeline, as a part of a document."""
    return {
        "timeline": [event_document(event) for event in timeline.events],
        "timelineTroubles": list(timeline.troubles),
    }


def guest_document(guest: GuestStatus) -> Json:
    """What a guest tells; null for what is not known, and why in words."""
    report, console = guest.report, guest.console
    against = guest.against()
    return {
        "stage": str(guest.stage),
        "against": against[0] if against is not None else None,
        "hypervisor": {
            "status": report.status,
            "memory": report.memory,
            "balloon": report.balloon,
            "disks": [_guest_disk(disk) for disk in report.disks] if report.disks is not None else None,
            "shares": [share._asdict() for share in report.shares] if report.shares is not None else None,
        }
        if report is not None
        else None,
        "unanswered": guest.unanswered or None,
        "console": {
            "since": iso_time(console.since),
            "line": console.text or None,
            "complaints": [{**sign._asdict(), "at": iso_time(sign.at)} for sign in console.signs],
            "complete": console.complete,
            "problem": console.problem or None,
        }
        if console is not None
        else None,
    }


def _guest_disk(disk: GuestDisk) -> Json:
    return {
        "name": disk.name,
        "image": disk.image,
        "readOnly": disk.read_only,
        "ioStatus": disk.io_status,
        "failed": disk.failed,
    }
