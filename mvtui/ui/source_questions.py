"""What is asked before the missing source of a share is made. Pure."""

from collections.abc import Callable

from mvtui.model.source_plan import MODE, SourcePlan
from mvtui.model.text import clean
from mvtui.ui.questions import Answer, Fact, Question

KEY = "m"


def may_make(plan: SourcePlan, host: str, act: Callable[[], None], *, is_up: bool) -> Question:
    """Whether to make it; `is_up`: its microVM runs. Where that is refused, no key acts."""
    text = f"create {clean(plan.path)} for share {clean(plan.tag)} of {clean(plan.microvm)} on {clean(host)}?"
    if not plan.ok:
        facts = [Fact(clean(plan.nothing or plan.refusal), False, "Refused")]
        facts += [Fact(clean(plan.fix), None, "Instead")] if plan.fix else []
        return Question(f"{text} Not now", facts=tuple(facts), harmless=True)
    facts = [Fact(words, None, title) for title, words in plan_words(plan) if words]
    facts += [Fact("what runs does not see it: its restart is offered", None, "Then")] if is_up else []
    does = "creates it with sudo" if plan.needs_root else "creates it"
    return Question(text, (Answer(KEY, does, act),), tuple(facts))


def plan_words(plan: SourcePlan) -> list[tuple[str, str]]:
    """What would be made, each line with a title."""
    *parents, last = plan.makes
    lies = f"on the {plan.fs_type} at {plan.mount_point}" if plan.mount_point else ""
    gone = ", gone after a reboot of the host" if plan.fs_type == "tmpfs" else ""
    leads = f"{last}, where {plan.path} leads" if last != plan.path.rstrip("/") else last
    lines = [
        ("Makes", leads),
        ("Owner", f"{plan.owner} {MODE:04o}: {plan.serves}"),
        ("Parents", f"{' '.join(parents)}  {MODE:04o}" if parents else ""),
        ("Lies", f"{lies}{gone}"),
        ("With sudo", " ".join(plan.argv) if plan.needs_root else ""),
    ]
    return [(title, clean(words)) for title, words in lines]
