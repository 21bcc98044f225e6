"""What has changed between two looks at a host: states, findings, jobs, microVMs that came and went. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from mvtui.model.finding import NO_UNITS, Finding
from mvtui.model.guest import GuestStage
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import State, StateWord
from mvtui.model.timeline import is_told
from mvtui.model.unit import Job


class ChangeKind(StrEnum):
    """STATE: it is another one, or has another cause; RESTARTED: it runs as before, with another hypervisor; GUEST: its
    guest has come further; FINDING and MENDED: one came (or is worse or less bad now), or went; JOB and JOB_ENDED: one
    of a unit; NEW and GONE: the microVM itself; SILENT and ANSWERS: the host no longer says what runs, and does
    again."""

    STATE = "state"
    RESTARTED = "restarted"
    GUEST = "guest"
    FINDING = "finding"
    MENDED = "mended"
    JOB = "job"
    JOB_ENDED = "job ended"
    NEW = "new"
    GONE = "gone"
    SILENT = "silent"
    ANSWERS = "answers"


class Change(NamedTuple):
    """`microvm` is "" for what concerns the host as a whole. `state` is what it is in now, and `was` before, the same
    where nothing but its cause has changed. `unit` and `job` belong to a job. `why`: a sentence, where no finding and
    no state says it."""

    kind: ChangeKind
    microvm: str = ""
    state: State | None = None
    was: StateWord | None = None
    finding: Finding | None = None
    unit: str = ""
    job: Job | None = None
    why: str = ""


# In these, another cause is another trouble.
_TROUBLED = frozenset((StateWord.DEGRADED, StateWord.FAILED, StateWord.ORPHAN))


def changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """What has changed, the host first, then the microVMs by name."""
    yield from _of_host(before.findings, after.findings)
    old, new = ({one.name: one for one in each.microvms} for each in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Change(ChangeKind.GONE, name, was=old[name].state.word)
        elif name not in old:
            yield Change(ChangeKind.NEW, name, new[name].state)
            yield from _of_findings(name, (), new[name].findings)
        else:
            yield from _of_microvm(old[name], new[name])


def _of_host(before: Sequence[Finding], after: Sequence[Finding]) -> Iterator[Change]:
    old, new = (next((one for one in each if one.note == NO_UNITS), None) for each in (before, after))
    if new is not None and old is None:
        yield Change(ChangeKind.SILENT, finding=new, why=f"{new.what} {new.why}".rstrip())
    elif old is not None and new is None:
        yield Change(ChangeKind.ANSWERS)
    rest = [[one for one in each if one.note != NO_UNITS] for each in (before, after)]
    yield from _of_findings("", *rest)


def _of_microvm(before: MicroVM, after: MicroVM) -> Iterator[Change]:
    old, new = before.state, after.state
    if _is_other(old, new):
        yield Change(ChangeKind.STATE, after.name, new, old.word)
    elif new.word.is_up and _run(before) is not None and _run(after) is not None and _run(before) != _run(after):
        yield Change(ChangeKind.RESTARTED, after.name, new, old.word)
    stages = [one.guest.stage if one.guest is not None else GuestStage.UNKNOWN for one in (before, after)]
    if stages[0] is not stages[1] and stages[1] in (GuestStage.BOOTING, GuestStage.UP) and after.guest is not None:
        yield Change(ChangeKind.GUEST, after.name, new, why=after.guest.words)
    yield from _of_findings(after.name, before.findings, after.findings)
    yield from _of_jobs(before, after)


def _is_other(old: State, new: State) -> bool:
    if old.word is not new.word:
        return True
    if new.word is StateWord.LOOPING:
        return any(is_told(count) for count in range((old.restarts or 0) + 1, (new.restarts or 0) + 1))
    return new.word in _TROUBLED and (old.why, old.detail) != (new.why, new.detail)


def _run(microvm: MicroVM) -> object:
    """Another one after each start; None where no hypervisor is seen."""
    hypervisor = microvm.hypervisor
    return (hypervisor.pid, hypervisor.started) if hypervisor is not None else None


def _of_findings(name: str, before: Sequence[Finding], after: Sequence[Finding]) -> Iterator[Change]:
    """The sentence of one may change with its numbers, which is no change."""
    old, new = _by_key(before), _by_key(after)
    for key, finding in new.items():
        if key not in old or old[key].severity is not finding.severity:
            yield Change(ChangeKind.FINDING, name, finding=finding)
    for key, finding in old.items():
        if key not in new:
            yield Change(ChangeKind.MENDED, name, finding=finding)


def _by_key(findings: Sequence[Finding]) -> Mapping[tuple[str, str], Finding]:
    """The worst of each, which is the first, in their order."""
    found: dict[tuple[str, str], Finding] = {}
    for one in findings:
        found.setdefault((one.subject, one.note), one)
    return found


def _of_jobs(before: MicroVM, after: MicroVM) -> Iterator[Change]:
    old, new = _jobs(before), _jobs(after)
    for (unit, _, kind), job in new.items():
        if (unit, job.id, kind) not in old:
            yield Change(ChangeKind.JOB, after.name, after.state, unit=unit, job=job)
    for (unit, _, kind), job in old.items():
        if (unit, job.id, kind) not in new:
            yield Change(ChangeKind.JOB_ENDED, after.name, after.state, unit=unit, job=job)


def _jobs(microvm: MicroVM) -> Mapping[tuple[str, int, str], Job]:
    return {(unit.name, unit.job.id, unit.job.kind): unit.job for unit in microvm.units if unit.job is not None}
