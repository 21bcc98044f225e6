"""The reset that is armed, before a keeper starts the hypervisor: what systemd does with ExecStartPre=."""

import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host.armed import read_arming, write_arming
from mvtui.host.keeper_group import HYPERVISOR, HYPERVISOR_LOG, Group
from mvtui.host.keeper_place import last_line, log_size, log_tail
from mvtui.host.keeper_process import family, send
from mvtui.host.own_program import root_decides

# With these the command itself has said why the microVM must not start.
_STRICT_EXITS = (1, 3)


def reset_if_armed(group: Group) -> str:
    """Run `mvtui reset --if-armed`, which resets the overlay where that is armed. "", or why the microVM must not
    start: it is armed strictly, and not reset. Raises RefusedError and OSError where its log can't be written."""
    group.status.set(HYPERVISOR, "activating", "start-pre")
    log = group.place.open_log(HYPERVISOR_LOG)
    try:
        since = log_size(log)
        code, trouble = _run(group, log)
        if code in _STRICT_EXITS:
            return f"its armed reset: {last_line(log_tail(log, since))}"
        if not trouble:
            _free(group, log)
            return ""
        os.write(log, os.fsencode(f"mvtui: {trouble}\n"))
    finally:
        os.close(log)
    return _noted(Path(group.armed.records), group.status.microvm, trouble)


def _run(group: Group, log: int) -> tuple[int | None, str]:
    """The command's exit code, None where it has none, and why it was not carried out, or ""."""
    program = group.armed.command[0]
    if not os.path.exists(program):
        return None, f"no reset: {program} is gone"
    if os.geteuid() == 0 and not (root_decides(program) and root_decides(sys.executable)):
        return None, f"no reset: others than root can change {program}"
    process = group.watch.spawn(
        group.armed.command,
        directory=group.place.fd,
        log=log,
        identity=None,
        env=group.place.environment(None) | {"INVOCATION_ID": os.urandom(16).hex()},
    )
    watch = group.watch
    watch.wait(lambda: process.ended or watch.is_asked(), group.timings.armed_reset)
    if not process.ended:
        send(family(process.pid), signal.SIGKILL)
        return None, "" if watch.is_asked() else f"no reset: it is not done after {group.timings.armed_reset:g} s"
    _, number, by_signal = process.exit_facts()
    if by_signal or number not in (0, *_STRICT_EXITS):
        return None, f"no reset: {program} ended with {'signal' if by_signal else 'exit'} {number}"
    return number, ""


def _free(group: Group, log: int) -> None:
    """Free what resets have left, beside the microVM and its restarts. What the command would leave running by itself
    would come to this keeper, and be killed with all that has run away from the microVM."""
    if not group.armed.free or group.watch.is_asked() or (group.freeing is not None and not group.freeing.ended):
        return
    environment = group.place.environment(None)
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        group.freeing = group.watch.spawn(group.armed.free, directory=root, log=log, identity=None, env=environment)
    except OSError as error:  # the next reset does it
        os.write(log, os.fsencode(f"mvtui: nothing is freed: {error.strerror}\n"))
    finally:
        os.close(root)


def _noted(records: Path, microvm: str, trouble: str) -> str:
    """Puts on record that no reset was made; why the microVM must not start, or ""."""
    with suppress(MvtuiError):
        arming = read_arming(records, microvm)
        if arming is not None:
            why = trouble.removeprefix("no reset: ")
            write_arming(records, microvm, arming._replace(refused=why, refused_at=datetime.now(UTC)))
            return f"its armed reset: {trouble}" if arming.strict else ""
    return ""
