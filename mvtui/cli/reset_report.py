"""The JSON document of `reset`, `restore`, `arm` and `start --fresh`: sizes in bytes, times ISO 8601 in UTC."""

from collections.abc import Sequence

from mvtui.cli.life_report import iso_time
from mvtui.cli.output import Json
from mvtui.cli.report import SCHEMA, kept_document, volume_document
from mvtui.model.overlay import NewImage, OverlayFacts, OverlayTarget, ResetPlan
from mvtui.operations.overlay import ResetOutcome

PLANNED, DONE, NOTHING, REFUSED, FAILED = "planned", "done", "nothing", "refused", "failed"


def resets_document(host: str, outcomes: Sequence[ResetOutcome]) -> Json:
    """What came of it, one for each microVM, in the order of the names."""
    return {"schema": SCHEMA, "host": host, "resets": [_outcome(outcome) for outcome in outcomes]}


def plans_document(host: str, plans: Sequence[ResetPlan]) -> Json:
    """What would be done: the same, with the result `planned`, or `refused` and `nothing` where it could not be."""
    return {"schema": SCHEMA, "host": host, "resets": [_planned(plan) for plan in plans]}


def result_of(outcome: ResetOutcome) -> str:
    """The word for what came of it. Where there is no overlay to reset, a start is done all the same."""
    if outcome.nothing and not (outcome.ok and outcome.action.endswith("start")):
        return NOTHING
    return DONE if outcome.ok else REFUSED if outcome.refused else FAILED


def _outcome(outcome: ResetOutcome) -> Json:
    return {
        "microvm": outcome.microvm,
        "action": outcome.action,
        "result": result_of(outcome),
        "words": outcome.words,
        "hint": outcome.hint,
        "seconds": round(outcome.seconds, 3),
        "plan": _plan(outcome.plan) if outcome.plan is not None else None,
    }


def _planned(plan: ResetPlan) -> Json:
    return {
        "microvm": plan.microvm,
        "action": "reset",
        "result": PLANNED if plan.ok else NOTHING if plan.nothing else REFUSED,
        "words": plan.refusal,
        "hint": next((check.fix for check in plan.checks if not check.ok), ""),
        "seconds": 0.0,
        "plan": _plan(plan),
    }


def _plan(plan: ResetPlan) -> Json:
    return {
        "target": _target(plan.target),
        "image": facts_document(plan.facts) if plan.facts is not None else None,
        "new": _new(plan.new) if plan.new is not None else None,
        "checks": [check._asdict() for check in plan.checks],
        "steps": list(plan.steps),
        "lost": list(plan.lost),
        "stays": list(plan.stays),
        "aside": list(plan.aside),
        "nothing": plan.nothing,
        "ok": plan.ok,
    }


def _target(target: OverlayTarget) -> Json:
    return {
        "kind": str(target.kind),
        "path": target.path,
        "tag": target.tag,
        "toldBy": str(target.told_by) if target.told_by is not None else None,
        "volume": volume_document(target.volume) if target.volume is not None else None,
    }


def facts_document(facts: OverlayFacts) -> Json:
    """What was found on the host."""
    exists = facts.file_id is not None
    return {
        "path": facts.path,
        "exists": exists,
        "problem": facts.problem,
        "size": facts.size if exists else None,
        "allocated": facts.allocated if exists else None,
        "fsType": facts.fs_type,
        "label": facts.label,
        "made": iso_time(facts.made),
        "uid": facts.uid,
        "gid": facts.gid,
        "mode": f"{facts.mode:04o}" if facts.mode is not None else None,
        "nocow": facts.nocow if exists else None,
        "inUse": facts.in_use,
        "free": facts.free,
        "mkfs": facts.mkfs,
        "worker": facts.worker,
        "kept": [kept_document(kept) for kept in facts.kept],
    }


def _new(new: NewImage) -> Json:
    return {
        "size": new.size,
        "fsType": new.fs_type,
        "label": new.label,
        "mkfsExtraArgs": list(new.mkfs_extra_args),
        "gid": new.gid,
        "mode": f"{new.mode:04o}",
    }
