"""How a keeper ends its microVM: ExecStop=, then SIGTERM, then SIGKILL, each with the unit's time (systemd.kill(5))."""

import os
import signal

from mvtui.host.keeper_group import HYPERVISOR, HYPERVISOR_LOG, SET_BOOTED, SETUP_UNITS, VIRTIOFSD, Group
from mvtui.host.keeper_place import RefusedError
from mvtui.host.keeper_process import POLL_SECONDS, Process, children, family, send


def stop(group: Group, job: str) -> None:
    """End the hypervisor, then what it needs, in the order of the units; ends early to kill where that is asked."""
    group.status.set(HYPERVISOR, job=job)
    if group.hypervisor is not None:
        _shut_down(group, group.hypervisor)
        facts = end(group, HYPERVISOR, group.hypervisor)
        group.hypervisor = None
        _settle(group, HYPERVISOR, facts)
    _leave_auto_restart(group, HYPERVISOR)
    if job == "stop":
        group.status.set(HYPERVISOR, job=None)
    if group.virtiofsd is not None:
        facts = end(group, VIRTIOFSD, group.virtiofsd)
        group.virtiofsd = None
        _settle(group, VIRTIOFSD, facts)
    _leave_auto_restart(group, VIRTIOFSD)
    for process in group.leftovers:
        end(group, VIRTIOFSD, process)
    group.leftovers = []
    _end_runaways(group)
    _take_down_devices(group)
    _clear_booted(group)


def end(group: Group, unit: str, process: Process) -> dict[str, object]:
    """SIGTERM, after the unit's time SIGKILL to all that is left of it; what to say of its end.

    SIGTERM goes to all processes of a hypervisor (KillMode=control-group), to virtiofsd-run alone (KillMode=mixed)."""
    whole = unit == HYPERVISOR
    timeout = group.timings.stop if whole else group.timings.virtiofsd_stop
    watch = group.watch
    timed_out = False

    def has_ended() -> bool:
        return process.ended and not (whole and family(process.pid))

    def is_killed() -> bool:
        rest = family(process.pid)
        send(rest, signal.SIGKILL)
        return process.ended and not rest

    if not watch.is_asked("kill") and not has_ended():
        group.status.set(unit, "deactivating", "stop-sigterm")
        send(family(process.pid) if whole else [process.pid], signal.SIGTERM)
        watch.wait(lambda: watch.is_asked("kill") or has_ended(), timeout, every=POLL_SECONDS)
        timed_out = not watch.is_asked("kill") and not has_ended()
    if family(process.pid):
        group.status.set(unit, "deactivating", "stop-sigkill")
        watch.wait(is_killed, timeout, every=POLL_SECONDS)
    result, number, by_signal = process.exit_facts()
    if watch.is_asked("kill"):
        result = "success"
    elif timed_out:
        result = "timeout"
    return {
        "result": result,
        "exec_status": number,
        "exec_by_signal": by_signal,
        "main_pid": None,
        "main_start": None,
    }


def _end_runaways(group: Group) -> None:
    """What forked itself out of its session. It may fork on and on, faster than processes can be listed: so each is
    killed as it comes, and what it started comes next."""

    def are_gone() -> bool:
        freeing = group.freeing
        pids = [pid for pid in children() if freeing is None or freeing.ended or pid != freeing.pid]
        send(pids, signal.SIGKILL)
        return not pids

    if not group.watch.wait(are_gone, group.timings.stop, every=0):
        group.status.set(HYPERVISOR, "failed", "failed", result="timeout")


def _settle(group: Group, unit: str, facts: dict[str, object]) -> None:
    if facts["result"] == "success":
        group.status.set(unit, "inactive", "dead", **facts)
    else:
        group.status.set(unit, "failed", "failed", **facts)


def _leave_auto_restart(group: Group, unit: str) -> None:
    if unit in group.status.units and group.status.units[unit]["active_state"] == "activating":
        group.status.set(unit, "inactive", "dead")


def _is_up(group: Group, unit: str) -> bool:
    return unit in group.status.units and group.status.units[unit]["active_state"] in ("active", "activating")


def _shut_down(group: Group, hypervisor: Process) -> None:
    """Ask the guest by `bin/microvm-shutdown`.

    systemd sends SIGTERM as soon as the command returns. crosvm's returns at once, and qemu's where its input is at
    its end, so that no guest could end in peace: after a success the hypervisor has the rest of the time."""
    script = group.script("microvm-shutdown")
    if script is None or hypervisor.ended or group.watch.is_asked("kill"):
        return
    group.status.set(HYPERVISOR, "deactivating", "stop")
    try:
        log = group.place.open_log(HYPERVISOR_LOG)
    except (OSError, RefusedError):  # no log is no reason not to stop
        log = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        helper = group.spawn(script, log, env={"MAINPID": str(hypervisor.pid)})
    except OSError:
        return
    finally:
        os.close(log)
    group.watch.wait(
        lambda: hypervisor.ended or bool(helper.status) or group.watch.is_asked("kill"), group.timings.stop
    )
    send(family(helper.pid), signal.SIGKILL)


def _take_down_devices(group: Group) -> None:
    for unit, _, name in reversed(SETUP_UNITS):
        if not _is_up(group, unit):
            continue
        script = group.script(name) if name is not None else None
        if script is not None:
            group.status.set(unit, "deactivating", "stop")
            try:
                log = group.place.open_log(HYPERVISOR_LOG)
                try:
                    process = group.spawn(script, log, as_root=True)
                finally:
                    os.close(log)
            except (OSError, RefusedError):
                group.status.set(unit, "failed", "failed", result="resources")
                continue
            _await_helper(group, process)
        group.status.set(unit, "inactive", "dead")


def _await_helper(group: Group, process: Process) -> None:
    group.watch.wait(lambda: process.ended, group.timings.virtiofsd_stop)
    send(family(process.pid), signal.SIGKILL)


def _clear_booted(group: Group) -> None:
    if not _is_up(group, SET_BOOTED):
        return
    try:
        group.place.clear_booted()
    except OSError:
        group.status.set(SET_BOOTED, "failed", "failed", result="exit-code")
    else:
        group.status.set(SET_BOOTED, "inactive", "dead")
