"""What came of a job of systemd, in a sentence for people."""

import signal
from collections.abc import Sequence
from typing import NamedTuple

from mvtui.host.systemd_bus import SERVICE, UNIT, Question
from mvtui.host.systemd_units import KILLED, KILLED_OR_DUMPED, unit_path
from mvtui.model.unit import JobResult, UnitVerb

# Not systemd's word: the job is gone, and the signal that tells its result was missed.
UNSEEN = "unseen"

# The values of ActiveState in which a unit goes on, with or without a job.
UNDER_WAY = ("activating", "deactivating", "reloading")

_DONE = {
    UnitVerb.START: "started",
    UnitVerb.STOP: "stopped",
    UnitVerb.RESTART: "restarted",
    UnitVerb.KILL: "killed",
}

# The values of Result that do not explain themselves: $SERVICE_RESULT in systemd.exec(5).
_RESULTS = {
    "timeout": "timed out",
    "watchdog": "its watchdog timed out",
    "protocol": "it ended before it was ready",
    "start-limit-hit": "started too often (its start limit)",
    "oom-kill": "out of memory",
    "resources": "systemd could not set it up, its log says why",
    "exec-condition": "its ExecCondition= said no",
}


class Ending(NamedTuple):
    """A unit after a job: properties of systemd's, None where it does not tell. `conditions` are (type, triggering,
    negated, parameter, 1 held or -1 did not or 0 not tried)."""

    active_state: str | None = None
    sub_state: str | None = None
    condition_result: bool | None = None
    condition_timestamp: int | None = None
    conditions: Sequence[tuple[str, bool, bool, str, int]] | None = None
    result: str | None = None
    exec_code: int | None = None
    exec_status: int | None = None

    @property
    def skipped(self) -> bool:
        """True where a condition kept it from starting; systemd calls such a job done."""
        tried = bool(self.condition_timestamp) and self.condition_result is False
        return tried and self.active_state in ("inactive", "failed")

    @property
    def failed(self) -> bool:
        """True where it failed, or waits to be tried again."""
        return self.active_state == "failed" or (self.sub_state or "").startswith("auto-restart")

    @property
    def why(self) -> str:
        """Why it failed: `exit 1`, `killed by SIGKILL`, `timed out`. A control process that fails (systemd.service(5),
        ExecStartPre=, ExecStop=) gives the result `exit-code` too, beside the main process' own status."""
        if self.result == "exit-code" and not self.exec_status:
            return "its start or stop script failed"  # ExecStartPre=, ExecStop=: the main process itself ended well
        if self.result == "exit-code":
            return f"exit {self.exec_status}"
        if self.result in ("signal", "core-dump") and self.exec_code in KILLED_OR_DUMPED:
            return f"{'killed by' if self.exec_code == KILLED else 'dumped core at'} {_signal_name(self.exec_status)}"
        if self.result in (None, "success"):
            return "its log says why"
        return _RESULTS.get(self.result, self.result)

    @property
    def failed_condition(self) -> str:
        """The condition that did not hold: `/var/lib/microvms/web/current/bin/microvm-run does not exist`."""
        for kind, _, negated, parameter, held in self.conditions or ():
            if held < 0:
                if kind == "ConditionPathExists" and not negated:
                    return f"{parameter} does not exist"
                return f"{kind}={'!' if negated else ''}{parameter}"
        return "its log says which"


def ending_questions(unit: str) -> list[Question]:
    """What to ask for an `Ending`, in the order of its fields."""
    path = unit_path(unit)
    of_unit = ("ActiveState", "SubState", "ConditionResult", "ConditionTimestamp", "Conditions")
    of_service = ("Result", "ExecMainCode", "ExecMainStatus")
    return [(path, UNIT, name) for name in of_unit] + [(path, SERVICE, name) for name in of_service]


def job_result(
    verb: UnitVerb,
    unit: str,
    result: str,
    ending: Ending,
    culprit: tuple[str, Ending] | None = None,
    *,
    replaced: bool = False,
) -> JobResult:
    """`result` is systemd's word for the job's end. A start that a condition skipped or that failed at once is `done`
    for systemd, `skipped` or `failed` here. `culprit` is the dependency that failed, and its ending; `replaced`
    where another job of the unit has come since."""
    starting = verb in (UnitVerb.START, UnitVerb.RESTART)
    if result == UNSEEN:
        up = ending.active_state not in ("inactive", "failed", None)
        result = "done" if up is starting else "failed"
    if result == "done" and starting:
        result = "skipped" if ending.skipped else "failed" if ending.failed else "done"
    if result == "canceled":
        still = f", but it is still {ending.active_state}" if ending.active_state in UNDER_WAY else ""
        return JobResult(unit, result, f"{unit}: cancelled{', another job took its place' if replaced else still}")
    return JobResult(unit, result, _words(verb, unit, result, ending, culprit))


def _words(verb: UnitVerb, unit: str, result: str, ending: Ending, culprit: tuple[str, Ending] | None) -> str:
    match result:
        case "done" if verb is UnitVerb.STOP and ending.failed:
            return f"{unit}: stopped, but not cleanly: {ending.why}"
        case "done":
            return f"{unit}: {_DONE[verb]}"
        case "failed":
            return f"{unit} failed: {ending.why}"
        case "timeout":
            return f"{unit} timed out"
        case "skipped":
            return f"{unit} was skipped: its condition failed ({ending.failed_condition})"
        case "dependency" if culprit is not None:
            return f"{unit}: dependency {culprit[0]} failed: {culprit[1].why}"
        case "dependency":
            return f"{unit}: a dependency failed"
        case _:
            return f"{unit}: {result}"


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return f"signal {number}"
