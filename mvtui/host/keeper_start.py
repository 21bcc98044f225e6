"""How a keeper starts its microVM: what the units of microvm.nix do before `microvm@` is active."""

import os
import re

from mvtui.host.keeper_daemons import watch_daemons
from mvtui.host.keeper_group import (
    HYPERVISOR,
    HYPERVISOR_LOG,
    SET_BOOTED,
    SETUP_UNITS,
    VIRTIOFSD,
    VIRTIOFSD_LOG,
    Group,
)
from mvtui.host.keeper_place import RefusedError, last_line, log_size, log_tail
from mvtui.host.keeper_process import POLL_SECONDS, Process
from mvtui.host.keeper_sockets import are_served

# What supervisord says when it will not try a virtiofsd again; after that the unit would wait out its time.
_GAVE_UP = re.compile(rb"gave up: virtiofsd-(.+?) entered FATAL state")


class NotStartedError(Exception):
    """`result` is the job's, `words` say why; `unit` failed with `unit_result`, where one failed."""

    def __init__(self, result: str, words: str, unit: str | None = None, unit_result: str = "") -> None:
        super().__init__(words)
        self.result = result
        self.words = words
        self.unit = unit
        self.unit_result = unit_result


def start(group: Group, job: str, restarted: str | None = None) -> None:
    """Start everything; `restarted` is the unit whose end made a restart necessary, the others count anew.
    Raises NotStartedError; what did start is then still there, for the caller to stop."""
    for unit in (HYPERVISOR, VIRTIOFSD):
        if unit != restarted:
            group.status.set(unit, n_restarts=0)
    group.status.set(HYPERVISOR, "inactive", "dead", job=job, condition_failed=False)
    try:
        _choose_runner(group)
        _set_booted(group)
        if os.geteuid() == 0:  # without root the network is what its user made of it
            _set_up_devices(group)
        _start_virtiofsd(group)
        _reset_if_armed(group)
        _start_hypervisor(group)
    except RefusedError as error:
        words = f"{error.message} ({error.hint})" if error.hint else error.message
        raise NotStartedError("failed", words, HYPERVISOR, "resources") from None
    except OSError as error:
        raise NotStartedError("failed", str(error), HYPERVISOR, "resources") from None


def _choose_runner(group: Group) -> None:
    """ConditionPathExists= of microvm@."""
    group.runner = group.place.resolve("current") or ""
    if not group.runner or group.script("microvm-run") is None:
        group.status.set(HYPERVISOR, condition_failed=True)
        missing = f"{group.place.path}/current/bin/microvm-run"
        raise NotStartedError("skipped", f"no current runner: {missing} does not exist")


def _set_booted(group: Group) -> None:
    try:
        group.place.set_booted()
    except OSError as error:
        words = f"{group.place.path}/booted can't be set: {error.strerror}"
        raise NotStartedError("dependency", words, SET_BOOTED, "exit-code") from None
    group.status.set(SET_BOOTED, "active", "exited")


def _set_up_devices(group: Group) -> None:
    for unit, name, _ in SETUP_UNITS:
        script = group.script(name)
        if script is None:
            continue
        group.status.set(unit, "activating", "start")
        log = group.place.open_log(HYPERVISOR_LOG)
        try:
            since = log_size(log)
            process = group.spawn(script, log, as_root=True)
            if not _has_ended(group, process):
                raise NotStartedError("canceled", f"{name} was stopped")
            result, _, _ = process.exit_facts()
            if result != "success":
                words = f"{name}: {exit_words(process)}: {last_line(log_tail(log, since))}"
                raise NotStartedError("dependency", words, unit, result)
        finally:
            os.close(log)
        group.status.set(unit, "active", "exited")


def _has_ended(group: Group, process: Process) -> bool:
    """Wait for it without end, as for a oneshot unit; False where a stop was asked before."""
    group.watch.wait(lambda: process.ended or group.watch.is_asked())
    return process.ended


def _start_virtiofsd(group: Group) -> None:
    script = group.script("virtiofsd-run")
    if script is None:
        group.status.set(VIRTIOFSD, "inactive", "dead", condition_failed=True)
        return
    sockets = [socket for _, socket in group.place.shares(group.runner).values()]
    log = group.place.open_log(VIRTIOFSD_LOG)
    try:
        since = log_size(log)
        process = group.virtiofsd = group.spawn(script, log, _supervisord_arguments(group), as_root=True)
        group.status.set(
            VIRTIOFSD, "activating", "start", main_pid=process.pid, main_start=process.start, condition_failed=False
        )

        served = False

        def is_decided() -> bool:
            nonlocal served
            if process.ended or group.watch.is_asked():
                return True
            served = are_served(sockets, group.place.path, process.pid)
            return served or _GAVE_UP.search(log_tail(log, since)) is not None

        group.watch.wait(is_decided, group.timings.virtiofsd_start, every=POLL_SECONDS)
        if group.watch.is_asked():
            raise NotStartedError("canceled", "stopped before its shares were served")
        if not served:
            raise _virtiofsd_failed(group, process, log_tail(log, since))
    finally:
        os.close(log)
    daemons = watch_daemons(group, process.pid)
    group.status.set(
        VIRTIOFSD, "active", "running", result="success", exec_status=None, exec_by_signal=False, **daemons
    )


def _supervisord_arguments(group: Group) -> tuple[str, ...]:
    """`virtiofsd-run` hands its arguments to supervisord, which else leaves a log of each of its children in /tmp (the
    unit has a private one) and, as root, writes supervisord.log and .pid into the microVM's directory: through whatever
    links its owner put there."""
    own = os.path.dirname(group.status.path)
    children = ("--childlogdir", own)
    if group.place.owner is None:
        return children
    return *children, "--logfile", os.devnull, "--pidfile", os.path.join(own, "supervisord.pid")


def _virtiofsd_failed(group: Group, process: Process, log: bytes) -> NotStartedError:
    """Why the shares are not served: the first source that is missing, else what was logged last."""
    result = process.exit_facts()[0] if process.ended else "timeout"
    for tag, (source, _) in group.place.shares(group.runner).items():
        if not os.path.exists(source):
            words = f"virtiofsd of share {tag}: source {source} does not exist"
            return NotStartedError("dependency", words, VIRTIOFSD, result)
    gave_up = _GAVE_UP.search(log)
    if process.ended:
        what = f"virtiofsd-run: {exit_words(process)}"
    elif gave_up is not None:
        what = f"virtiofsd of share {gave_up[1].decode(errors='replace')[:80]} does not start"
    else:
        what = f"its shares were not served within {group.timings.virtiofsd_start:g} s"
    return NotStartedError("dependency", f"{what}: {last_line(log) or 'it logged nothing'}", VIRTIOFSD, result)


def _reset_if_armed(group: Group) -> None:
    if not group.armed.is_armed(group.status.microvm):
        return
    from mvtui.host.keeper_armed import reset_if_armed  # noqa: PLC0415 - few keepers need it

    why = reset_if_armed(group)
    if group.watch.is_asked():
        raise NotStartedError("canceled", "stopped before its overlay was reset")
    if why:
        raise NotStartedError("failed", why, HYPERVISOR, "exit-code")


def _start_hypervisor(group: Group) -> None:
    script = group.script("microvm-run")
    if script is None:
        raise NotStartedError("failed", f"{group.runner}/bin/microvm-run has gone", HYPERVISOR, "resources")
    log = group.place.open_log(HYPERVISOR_LOG)
    try:
        log_start = log_size(log)
        process = group.hypervisor = group.spawn(script, log)
    finally:
        os.close(log)
    group.status.set(
        HYPERVISOR,
        "active",
        "running",
        main_pid=process.pid,
        main_start=process.start,
        log_start=log_start,
        job=None,
        result="success",
        exec_status=None,
        exec_by_signal=False,
    )


def exit_words(process: Process) -> str:
    """`exit 1`, `signal 9`."""
    _, number, by_signal = process.exit_facts()
    return f"{'signal' if by_signal else 'exit'} {number}"
