"""What is asked before a volume's image becomes larger. Pure."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from mvtui.model import growth_words
from mvtui.model.growth import GrowPlan, GrowWay
from mvtui.model.overlay_words import Role, Told
from mvtui.model.text import clean
from mvtui.ui.questions import Answer, Fact, Question, titled

_OK = {Role.OK: True, Role.BAD: False}
_DOES = {
    GrowWay.RESIZE: "grows it",
    GrowWay.GUEST: "grows the file alone",
    GrowWay.MOUNT: "mounts it here and grows it",
}


def may_grow(
    plan: GrowPlan,
    mounted: GrowPlan | None,
    host: str,
    now: datetime,
    act: Callable[[GrowPlan], None],
    reset: Callable[[], None],
) -> Question:
    """Whether to grow it, with the plan; where that is refused, no key acts. `mounted` is the plan of the other way,
    where there is one. An overlay can be reset instead (`reset`)."""
    question = growth_words.may_grow(plan, host)
    facts = _plan_facts(plan, mounted, now)
    if not plan.ok:
        return Question(f"{question} Not now", facts=facts, harmless=True)
    answers = [Answer("m" if plan.way is GrowWay.MOUNT else "g", _DOES[plan.way], partial(act, plan))]
    if mounted is not None and mounted.ok:
        answers.append(Answer("m", _DOES[GrowWay.MOUNT], partial(act, mounted)))
    if plan.overlay:
        answers.append(Answer("o", "resets it instead", reset))
    return Question(question, tuple(answers), facts)


def may_grow_with_sudo(plan: GrowPlan, host: str, act: Callable[[], None]) -> Question:
    """Whether to do what can't even be looked at without more rights."""
    checks = [Fact(clean(f"{check.what}: {check.why}"), False) for check in plan.checks if not check.ok]
    facts = (*checks, Fact("behind sudo, mvtui checks all of it before it changes anything"))
    text = f"{growth_words.may_grow(plan, host).removesuffix('?')} with sudo?"
    return Question(text, (Answer("g", "grows it", act),), facts)


def _plan_facts(plan: GrowPlan, mounted: GrowPlan | None, now: datetime) -> tuple[Fact, ...]:
    """What forbids it first, then what it is, what it risks, and what holds: of that, the last may have no room."""
    checks = growth_words.told_checks(plan)
    bad = [told.text for told in checks if told.role is Role.BAD]
    good = [told.text for told in checks if told.role is not Role.BAD]
    return (
        *titled("Refused", bad, ok=False),
        *[_fact(told) for told in growth_words.told_image(plan, now)],
        *titled("Note", plan.notes),
        *titled("Risk", plan.risks, ok=False),
        *titled("With m", mounted.risks if mounted is not None else (), ok=False),
        *titled("Does", plan.steps),
        *([Fact("; ".join(good), True, "Checked")] if good else []),
    )


def _fact(told: Told) -> Fact:
    return Fact(told.text, _OK.get(told.role), told.title)
