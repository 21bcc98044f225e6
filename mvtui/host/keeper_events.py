"""What a keeper puts on record of its microVM: without systemd, no other log knows when it started and ended."""

from datetime import UTC, datetime
from pathlib import Path

from mvtui.host.event_record import record_event
from mvtui.host.keeper_group import HYPERVISOR, Group
from mvtui.model.timeline import Event, EventKind, is_told


def note(group: Group, kind: EventKind, what: str, why: str = "") -> None:
    """Put it on record, where there is one. Never raises, never waits."""
    if group.armed.records:
        record_event(Path(group.armed.records), group.status.microvm, Event(datetime.now(UTC), kind, what, why))


def note_started(group: Group, unit: str | None, cause: str) -> None:
    """It runs; `unit` is the one whose end made a restart necessary."""
    if unit is None:
        note(group, EventKind.START, "the hypervisor was started")
        return
    restarts = group.status.units[unit]["n_restarts"]
    if is_told(restarts):
        note(group, EventKind.RESTART, f"mvtui restarted it (restart {restarts} since it was started)", cause)


def note_end(group: Group, unit: str, facts: dict[str, object]) -> str:
    """A unit has ended by itself; what to say of the cause when it is restarted."""
    what = "the hypervisor" if unit == HYPERVISOR else "virtiofsd-run"
    number = facts["exec_status"]
    how = "" if number is None else f"{'signal' if facts['exec_by_signal'] else 'exit'} {number}"
    told = is_told(group.status.units[unit]["n_restarts"] + 1)
    if facts["result"] == "success" and unit == HYPERVISOR:
        if told:
            note(group, EventKind.STOP, f"{what} ended by itself", how)
        return f"{what} had ended by itself"
    if told:
        note(group, EventKind.FAILED, f"{what} ended", ", ".join(filter(None, (how, f"result {facts['result']}"))))
    return f"{what} had ended: {how or facts['result']}"
