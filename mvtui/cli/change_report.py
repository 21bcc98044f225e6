"""What has changed on a host: a line for people, a JSON object for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from mvtui.cli.life_report import iso_time
from mvtui.cli.output import Json
from mvtui.cli.report import SCHEMA, finding_document
from mvtui.model.changes import Change, ChangeKind
from mvtui.model.finding import Finding
from mvtui.model.state import State, StateWord
from mvtui.model.text import clean

# In the place of a microVM's name.
_HOST = "the host"


def change_lines(clock: str, changes: Sequence[Change]) -> list[str]:
    """A line each: `12:04:05 git degraded (was running): …`; what a state and its finding say with one voice is one,
    and so are the jobs of a microVM."""
    lines: list[str] = []
    folded = [one for state in changes if (one := _of_state(state, changes)) is not None]
    for change in changes:
        if any(change is one for one in folded):
            continue
        subject = clean(change.microvm) if change.microvm else _HOST
        lines.append(f"{clock} {subject} {clean(_words(change, _of_state(change, changes)))}")
    return list(dict.fromkeys(lines))


def _of_state(state: Change, changes: Sequence[Change]) -> Change | None:
    """The finding that came with that state and says the same of it."""
    if state.kind is not ChangeKind.STATE or state.state is None:
        return None
    for one in changes:
        is_its = one.kind is ChangeKind.FINDING and one.microvm == state.microvm
        if is_its and one.finding is not None and one.finding.what == state.state.why:
            return one
    return None


def _words(change: Change, same: Change | None) -> str:
    finding, state = change.finding, change.state
    match change.kind:
        case ChangeKind.STATE if state is not None:
            was = "still " if change.was is state.word else ""
            before = f" (was {change.was})" if change.was is not None and change.was is not state.word else ""
            rest = _rest(same.finding) if same is not None and same.finding is not None else ""
            return f"{was}{_state(state)}{before}: {state.why}{rest}"
        case ChangeKind.NEW if state is not None:
            return f"is new, {_state(state)}: {state.why}"
        case ChangeKind.GONE:
            return f"is gone (was {change.was}): nothing of it is left."
        case ChangeKind.FINDING if finding is not None:
            return f"{finding.severity.name.lower()}: {finding.what}{_rest(finding)}"
        case ChangeKind.MENDED if finding is not None:
            return f"mended: {finding.what}"
        case ChangeKind.JOB if change.job is not None:
            return f"job: {change.job.kind} of {change.unit}"
        case ChangeKind.JOB_ENDED if change.job is not None:
            return f"job ended: {change.job.kind} of {change.unit}"
        case ChangeKind.SILENT:
            return f"no longer answers: {change.why}{_rest(finding, why=False) if finding is not None else ''}"
        case ChangeKind.ANSWERS:
            return "answers again"
        case ChangeKind.RESTARTED:
            return "restarted: another hypervisor of it runs."
    return f"{change.kind}: {change.why}"


def _state(state: State) -> str:
    if state.word is StateWord.LOOPING and state.restarts is not None:
        return f"{state.word} ×{state.restarts}"
    return f"{state.word} {state.detail}" if state.word is StateWord.FAILED and state.detail else str(state.word)


def _rest(finding: Finding, *, why: bool = True) -> str:
    """What a line says behind the sentence of a finding."""
    cause = f" {finding.why}" if why and finding.why else ""
    return f"{cause} Mend it: {finding.fix}" if finding.fix else cause


def change_documents(at: datetime, changes: Sequence[Change]) -> Iterator[Json]:
    """An object each, always with the same keys; null for what means nothing for its kind."""
    for change in changes:
        state, job = change.state, change.job
        yield {
            "schema": SCHEMA,
            "at": iso_time(at),
            "kind": str(change.kind),
            "microvm": change.microvm or None,
            "state": str(state.word) if state is not None else None,
            "was": str(change.was) if change.was is not None else None,
            "since": iso_time(state.since) if state is not None else None,
            "why": change.why or (state.why if state is not None else None),
            "finding": finding_document(change.finding) if change.finding is not None else None,
            "unit": change.unit or None,
            "job": {"id": job.id, "kind": job.kind} if job is not None else None,
        }
