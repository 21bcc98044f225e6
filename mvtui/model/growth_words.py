"""A growth in words, the same in `mvtui grow` and in the panel. Pure. All of it is clean."""

from datetime import datetime

from mvtui.model.format import size
from mvtui.model.growth import GrowPlan
from mvtui.model.overlay_words import Role, Told, facts_words, section, told_preconditions
from mvtui.model.text import clean


def may_grow(plan: GrowPlan, host: str) -> str:
    """The question: `grow data.img of web to 4.0G on hv01?`"""
    to = f" to {size(plan.size.size)}" if plan.size is not None else ""
    return f"grow {clean(plan.image)} of {clean(plan.microvm)}{to} on {clean(host)}?"


def told_growth(plan: GrowPlan, now: datetime) -> tuple[Told, ...]:
    """All of the plan, one section after the other."""
    return (
        *told_image(plan, now),
        *section("Note", plan.notes),
        *section("Risk", plan.risks),
        *section("Steps", [f"{number} {step}" for number, step in enumerate(plan.steps, 1)]),
        *told_checks(plan),
    )


def told_image(plan: GrowPlan, now: datetime) -> tuple[Told, ...]:
    """What is grown: where it is, how large it and its file system are; the size that it is to have."""
    lines = [plan.target.path or plan.image]
    facts = plan.facts
    if facts is not None:
        is_known = facts.fs_size is not None and facts.file_id is not None
        own = f", its file system {size(facts.fs_size)}" if is_known else ""
        lines.append(f"{facts_words(facts, plan.target, now)}{own}")
    first, *more = section("Image", lines)
    new = section("New", [f"{size(plan.size.size)}, {plan.size.by}"] if plan.size is not None else ())
    return (first._replace(role=Role.STRONG), *more, *new)


def told_checks(plan: GrowPlan) -> tuple[Told, ...]:
    """Every precondition; of those that do not hold, why, and what mends it."""
    if plan.nothing:
        return (Told("Image", clean(f"nothing to grow: {plan.nothing}"), Role.BAD),)
    return told_preconditions(plan.checks)
