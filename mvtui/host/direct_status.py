"""What keepers say of units, as UnitStatus: the same words as systemd's, so that nobody has to know who runs them."""

from datetime import UTC, datetime
from typing import Any

from mvtui.host.keeper_group import Timings
from mvtui.host.keeper_process import is_alive
from mvtui.host.keeper_status import live_keeper
from mvtui.model.unit import Job, UnitKind, UnitStatus, unit_name

# A `Result` that systemd does not have: nobody was there to see how the hypervisor ended.
_KEEPER_KILLED = {
    "active_state": "failed",
    "sub_state": "failed",
    "result": "keeper-killed",
    "main_pid": None,
    "exec_status": None,
    "exec_by_signal": False,
    "job": None,
    "since": None,
}

# What `unit_statuses` does not pass on as it is written.
_TOLD_OTHERWISE = ("job", "since", "main_start", "daemons", "daemon_ends")


def is_active(document: dict[str, Any]) -> bool:
    """True where its hypervisor runs and nothing is under way."""
    hypervisor = document["units"].get(UnitKind.HYPERVISOR.value, {})
    return hypervisor.get("active_state") == "active" and hypervisor.get("job") is None


def unit_statuses(microvm: str, document: dict[str, Any], timings: Timings) -> list[UnitStatus]:
    """The units of one microVM. Where its keeper was killed, what is active is what still lives, and a hypervisor that
    does not has failed."""
    units: dict[str, dict[str, Any]] = document["units"]
    if document["keeper"] is not None and live_keeper(document) is None:
        units = _without_keeper(units)
    statuses = []
    for template, facts in units.items():
        kind = UnitKind(template)
        stop = {UnitKind.HYPERVISOR: timings.stop, UnitKind.VIRTIOFSD: timings.virtiofsd_stop}.get(kind)
        shown = {key: value for key, value in facts.items() if key not in _TOLD_OTHERWISE}
        statuses.append(
            UnitStatus(
                name=unit_name(kind, microvm),
                kind=kind,
                microvm=microvm,
                load_state="loaded",
                job=Job(0, facts["job"], "running") if facts["job"] else None,
                since=None if facts["since"] is None else _time(facts["since"]),
                timeout_stop=stop,
                daemon_ends=tuple((tag, _time(at)) for tag, at in facts.get("daemon_ends", {}).items()),
                **shown,
            )
        )
    return statuses


def _without_keeper(units: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    lives = {
        unit: facts
        for unit, facts in units.items()
        if facts["main_pid"] and is_alive(facts["main_pid"], facts["main_start"])
    }
    left = {}
    for unit, facts in units.items():
        if unit in lives:
            left[unit] = facts | {"active_state": "active", "sub_state": "running", "job": None}
        elif unit == UnitKind.HYPERVISOR.value and facts["active_state"] in ("active", "activating"):
            left[unit] = facts | _KEEPER_KILLED
        elif facts["active_state"] == "failed" or (lives and facts["sub_state"] == "exited"):
            left[unit] = facts | {"job": None}
    return left


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
