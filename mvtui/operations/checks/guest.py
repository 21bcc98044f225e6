"""What is wrong inside a guest, as far as its hypervisor and its console tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mvtui.operations.checks.check import Seen, error, verb, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.model.finding import Finding
    from mvtui.model.guest import Console
    from mvtui.model.microvm import MicroVM


def emergency_mode(seen: Seen) -> Iterator[Finding]:
    """Symptom: the unit is active, and nothing in the guest answers. Cause: a mount that it needs failed, and systemd
    (or NixOS' stage 1) waits for somebody at the console. Seen: "emergency mode" on the console, and what failed
    before it. Source: table 15, #114."""
    guest, console = seen.microvm.guest, _console(seen)
    if guest is None or console is None or not guest.in_emergency:
        return
    why = guest.cause or "Its console does not say why"
    fix = f"mend {_behind(seen.microvm, console)}, then {verb('restart', seen.microvm)}"
    yield error("guest", "emergency", "The guest is in emergency mode.", f"{why.rstrip('.')}.", fix, console.since)


def kernel_panic(seen: Seen) -> Iterator[Finding]:
    """Symptom: the guest does nothing any more. Cause: its kernel gave up, and does not boot again (`panic=0`). Seen:
    "Kernel panic" on the console. Source: the kernel's panic()."""
    guest, console = seen.microvm.guest, _console(seen)
    if guest is not None and console is not None and guest.has_panicked:
        fix = verb("restart", seen.microvm)
        yield error("guest", "panic", "The guest's kernel has panicked.", console.text, fix, console.since)


def not_running(seen: Seen) -> Iterator[Finding]:
    """Symptom: the process lives, and the guest stands still. Cause: somebody has paused it, or the hypervisor has,
    because the host could not read or write an image. Seen: the status over its control socket. Source: QMP's
    RunState; `state` of cloud-hypervisor and of firecracker."""
    report = seen.microvm.guest.report if seen.microvm.guest is not None else None
    if report is None or report.status == "running":
        return
    why, fix = "Nothing in it runs until somebody lets it go on.", verb("restart", seen.microvm)
    if report.status == "io-error":
        why = "The host could not read or write one of its images."
        fix = f"make room on the host's disk, or mend it, then {fix}"
    yield error("guest", report.status[:12], f"The guest stands still: its hypervisor says {report.status}.", why, fix)


def disk_errors(seen: Seen) -> Iterator[Finding]:
    """Symptom: files in the guest can't be read or written. Cause: the host's disk is full or broken, or the image was
    cut under the guest. Seen: QEMU's `io-status`, and its count of requests that failed. Source: QMP's query-block and
    query-blockstats."""
    report = seen.microvm.guest.report if seen.microvm.guest is not None else None
    for disk in (report.disks if report is not None else None) or ():
        stopped = disk.io_status not in (None, "ok")
        if not stopped and not disk.failed:
            continue
        name = disk.image or disk.name
        what = f"Volume {name}: {disk.failed or 'some'} requests of the guest have failed."
        why = "The host's disk is full." if disk.io_status == "nospace" else "The host could not read or write it."
        tell = error if stopped else warning
        yield tell(f"volume {name}", "disk error", what, why, "see the host's kernel log: journalctl -k")


def complaints(seen: Seen) -> Iterator[Finding]:
    """Symptom: something is missing in a guest that has booted. Cause: a mount that it can boot without (`nofail`)
    failed, the overlay's upper layer lacks what overlayfs needs, a file system is damaged. Seen: the lines of systemd,
    mount and the kernel on the console. Source: table 15 and 19, #43."""
    guest, console = seen.microvm.guest, _console(seen)
    if guest is None or console is None or guest.in_emergency:
        return
    for sign in console.signs:
        note, what = _COMPLAINTS[sign.kind]
        fix = f"mend {_behind(seen.microvm, console)}, then {verb('restart', seen.microvm)}"
        subject = f"guest {sign.subject}".rstrip()
        yield warning(subject, note, what.format(sign.subject), f"Its console: {sign.text}", fix, sign.at)


def share_lost(seen: Seen) -> Iterator[Finding]:
    """Symptom: what the guest does on a share hangs. Cause: the share's virtiofsd ended; a hypervisor does not connect
    to another one. Seen: QEMU says `disconnected:` of that device, also to who may not see the sockets of others.
    Source: table 2, QMP's query-chardev."""
    guest = seen.microvm.guest
    down = {status.share.tag for status in seen.microvm.shares if status.health == "down"}
    for share in guest.lost_shares if guest is not None else ():
        if share.name not in down:
            why = "Its hypervisor has lost the connection to virtiofsd."
            fix = f"{verb('restart', seen.microvm)}: a dead virtiofsd can't come back under a running guest"
            yield error(f"share {share.name}", f"fsd {share.name}", f'Share "{share.name}" is down.', why, fix)


# By the value of model.guest.SignKind.
_COMPLAINTS = {
    "mount": ("no mount", "The guest has not mounted {}."),
    "device": ("no device", "The guest has waited for {} in vain."),
    "overlay": ("overlay ?", "The guest's kernel complains of its overlay."),
    "disk": ("disk error", "The guest's kernel complains of its disk {}."),
}


def _console(seen: Seen) -> Console | None:
    return seen.microvm.guest.console if seen.microvm.guest is not None else None


def _behind(microvm: MicroVM, console: Console) -> str:
    """Which share or volume of the microVM is behind what the console complains of."""
    subjects = {sign.subject for sign in console.signs}
    definition = microvm.definition
    for share in definition.shares if definition is not None else ():
        if share.mount_point in subjects:
            return f'share "{share.tag}" ({share.source})'
    for volume in definition.volumes if definition is not None else ():
        names = {volume.mount_point, f"/dev/vd{volume.letter}", f"vd{volume.letter}"}
        if subjects & (names | {f"/dev/disk/by-label/{volume.label}"}):
            return f"volume {volume.image}"
    return "that"
