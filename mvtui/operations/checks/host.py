"""Checks of the host as a whole: what its microVMs need of it, and what mvtui needs to see them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mvtui.model.finding import Finding
from mvtui.model.format import size
from mvtui.model.host_facts import Device, HostFacts
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import Snapshot
from mvtui.model.unit import UnitKind
from mvtui.operations.checks.check import error, warning

# What is left on a file system is for everybody on it.
DISK_PERCENT = 95.0
# File handles of the whole host in use, of all there may be.
_FILES_PERCENT = 90


class HostSeen(NamedTuple):
    """What the checks of a host look at."""

    facts: HostFacts
    snapshot: Snapshot


HostCheck = Callable[[HostSeen], Iterator[Finding]]


def kvm(seen: HostSeen) -> Iterator[Finding]:
    """A hypervisor ends at once: "Could not access KVM kernel module"; or the guest is very slow.

    Cause: the processor's virtualization is off in the firmware, its module is not loaded, the host is itself a guest
    without it, or the device is another group's. Seen: /dev/kvm, and its rights for the microVMs' user. Source: the
    kernel's Documentation/virt/kvm/api.rst.
    """
    device = seen.facts.kvm
    if not device.exists:
        why = "Hypervisors that need it end at once; QEMU may emulate the processor, which is slow."
        fix = "load kvm_intel or kvm_amd; switch virtualization on in the firmware, or of this guest"
        yield warning("kvm", "no KVM", f"There is no {device.path}.", why, fix)
    elif device.usable is False:
        yield warning("kvm", "no KVM", *_denied(seen, device))


def tun(seen: HostSeen) -> Iterator[Finding]:
    """microvm-tap-interfaces@… fails, or a hypervisor can't open its interface.

    Cause: the module tun is not there, or who runs the hypervisor may not open its device. Seen: /dev/net/tun, and its
    rights for the microVMs' user, where a microVM has such a unit that is not skipped. Source: the kernel's
    Documentation/networking/tuntap.rst.
    """
    device = seen.facts.tun
    units = [one.unit(UnitKind.TAP) for one in seen.snapshot.microvms]
    if not any(unit is not None and unit.active_state != "inactive" for unit in units):
        return
    if not device.exists:
        yield error("tun", "no tun", f"There is no {device.path}.", "No interface can be made.", "modprobe tun")
    elif device.usable is False:
        what, why, _ = _denied(seen, device)
        yield error("tun", "no tun", what, why, f"chmod 666 {device.path}")


def vsock(seen: HostSeen) -> Iterator[Finding]:
    """A hypervisor ends at once: "unable to open vhost-vsock device"; ssh by vsock has no answer.

    Cause: the module vhost_vsock is not loaded, or its device is another group's. Seen: /dev/vhost-vsock, where a
    microVM of QEMU or crosvm has a vsock number (the others need no vhost). Source: vsock(7).
    """
    definitions = [one.definition for one in seen.snapshot.microvms]
    with_cid = [one for one in definitions if one is not None and one.vsock_cid is not None]
    needing = [one for one in with_cid if one.hypervisor in (Hypervisor.QEMU, Hypervisor.CROSVM)]
    device = seen.facts.vsock
    if needing and not device.exists:
        what = f"There is no {device.path}, and {len(needing)} microVM{'' if len(needing) == 1 else 's'} want it."
        yield warning("vsock", "no vsock", what, "The module vhost_vsock is not loaded.", "modprobe vhost_vsock")
    elif needing and device.usable is False:
        yield warning("vsock", "no vsock", *_denied(seen, device))


def space(seen: HostSeen) -> Iterator[Finding]:
    """Images can't grow, builds and journals end with "no space left on device".

    Cause: the file system of the state directory or of the Nix store is full. Seen: statvfs(3). Source: table 9.
    """
    for one in seen.facts.spaces:
        if one.percent >= DISK_PERCENT:
            few_inodes = one.inodes and one.inodes_free * 20 < one.inodes
            left = f"{one.inodes_free} inodes" if few_inodes else size(one.free)
            fix = "nix-collect-garbage -d" if one.path.startswith("/nix") else f"free space where {one.path} is"
            note = f"disk {one.percent:.0f}%"
            yield warning("disk", note, f"The disk under {one.path} is {one.percent:.0f}% full.", f"{left} left.", fix)


def file_handles(seen: HostSeen) -> Iterator[Finding]:
    """Everything ends with "too many open files in system".

    Cause: a virtiofsd has a handle for every file that its guest knows. Seen: /proc/sys/fs/file-nr. Source: table 7,
    proc_sys_fs(5).
    """
    used, most = seen.facts.files_open, seen.facts.files_most
    if used is not None and most and used * 100 >= most * _FILES_PERCENT:
        what = f"{used} of {most} file handles of the host are open."
        why = "A virtiofsd holds one for every file that its guest knows."
        yield warning("files", f"files {100 * used // most}%", what, why, "sysctl fs.file-max=…: more of them")


def journal(seen: HostSeen) -> Iterator[Finding]:
    """Logs are empty, and since when something is wrong is not told.

    Cause: who runs mvtui may not read the system's journal. Seen: its files. Source: journalctl(1).
    """
    if seen.facts.journal:
        fix = "be in the group systemd-journal: usermod -aG systemd-journal USER"
        yield warning("journal", "no journal", "The system's journal can't be read.", f"{seen.facts.journal}.", fix)


def polkit(seen: HostSeen) -> Iterator[Finding]:
    """Starts and stops are refused: "Interactive authentication required".

    Cause: nobody can be asked for rights. Seen: polkit is not installed, and mvtui does not run as root. Source:
    org.freedesktop.systemd1(5).
    """
    if seen.facts.polkit is False:
        what = "Without polkit only root can start and stop."
        yield warning("polkit", "no polkit", what, f"mvtui runs as uid {seen.facts.uid}.", "sudo mvtui")


def terminal(seen: HostSeen) -> Iterator[Finding]:
    """The panel shows letters instead of signs, or nothing.

    Cause: no UTF-8 in the locale, or no TERM. Seen: the environment. Source: locale(7), term(7).
    """
    found = seen.facts.terminal
    if found is not None and found.term and not found.utf8:
        what = "The terminal's locale is not UTF-8: the panel uses ASCII."
        why = "The first that is set of LC_ALL, LC_CTYPE and LANG names no UTF-8."
        yield warning("terminal", "no UTF-8", what, why, "export LC_ALL=C.UTF-8")


HOST_CHECKS: tuple[HostCheck, ...] = (kvm, tun, vsock, space, file_handles, journal, polkit, terminal)


def check_host(facts: HostFacts, snapshot: Snapshot) -> tuple[Finding, ...]:
    """All findings of the host as a whole, worst first, with those of the snapshot."""
    seen = HostSeen(facts, snapshot)
    found = [*snapshot.findings, *(finding for one in HOST_CHECKS for finding in one(seen))]
    return tuple(sorted(found, key=lambda finding: -finding.severity))


def told_host(facts: HostFacts) -> Iterator[tuple[str, str]]:
    """What was looked at, and what is there: a word or two, and what stands behind it."""
    devices = {"KVM": facts.kvm, "tun": facts.tun, "vhost-vsock": facts.vsock, "vhost-net": facts.net}
    yield from ((name, _told(device)) for name, device in devices.items())
    for one in facts.spaces:
        yield "space", f"{one.path}: {size(one.free)} of {size(one.total)} free, {one.percent:.0f}% full"
    if facts.files_open is not None:
        yield "open files", f"{facts.files_open} of {facts.files_most or '?'}"
    yield "user", f"microVMs run as {facts.account.name if facts.account else '?'}, mvtui as uid {facts.uid}"
    if facts.journal is not None:
        yield "journal", facts.journal or "can be read"
    if facts.polkit is not None:
        yield "polkit", "can be asked for rights" if facts.polkit else "is not there"
    if facts.terminal is not None:
        found = facts.terminal
        yield "terminal", f"{found.term or 'none'}, {'UTF-8' if found.utf8 else 'ASCII'}, {found.colours}"


def _told(device: Device) -> str:
    if not device.exists:
        return f"{device.path} is not there"
    rights = {True: "can be used", False: "can't be used", None: "is there"}[device.usable]
    return f"{device.path} {rights} ({device.owner} {device.mode or 0:04o})"


def _denied(seen: HostSeen, device: Device) -> tuple[str, str, str]:
    """What, why, fix."""
    account = seen.facts.account
    user, group = account.name if account is not None else "microvm", device.owner.partition(":")[2]
    why = f"It is {device.owner}, mode {device.mode or 0:04o}."
    fix = f"usermod -aG kvm {user}" if group == "kvm" else f"chgrp kvm {device.path} && chmod 660 {device.path}"
    return f"User {user} can't use {device.path}.", why, fix
