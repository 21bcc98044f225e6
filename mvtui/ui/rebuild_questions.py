"""What is asked before a microVM is built anew, before that is cancelled, and before the panel quits. Pure."""

from collections.abc import Callable, Sequence

from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.operations.rebuild import RebuildPlan
from mvtui.ui.questions import NAMED, Answer, Fact, Question

Act = Callable[[], None]


def may_rebuild(plan: RebuildPlan, microvm: MicroVM, host: str, act: Act, last: Answer | None) -> Question:
    """Whether to run the command. What builds the whole host wants the host's name typed. `last` shows what the last
    rebuild said."""
    name, where = clean(microvm.name), clean(host)
    sudo = " with sudo" if plan.needs_root else ""
    facts = [Fact(clean(f"{plan.words}{', behind sudo' if plan.needs_root else ''}"), title="Command")]
    if plan.flake is not None:
        facts.append(Fact(clean(plan.flake), title="Flake"))
    if microvm.document is not None:
        facts.append(Fact(clean(str(microvm.document)), title="Defined"))
    after = "runs on as it is until it is restarted" if microvm.state.word.is_up else "has it at its next start"
    if not plan.host_wide:
        facts.append(Fact(f"{name} {after}", title="Then"))
        answers = (Answer("y", "rebuilds", act), *([last] if last is not None else []))
        return Question(f"rebuild {name} on {where}{sudo}?", answers, tuple(facts))
    facts += _host_wide(plan)
    text = f"rebuild all of {where}{sudo}, for {name}?"
    return Question(text, facts=tuple(facts), typed=where, typed_is="the host's name", act=act)


def _host_wide(plan: RebuildPlan) -> list[Fact]:
    facts = [
        Fact("the whole host gets its configuration as it is now, with all that was changed in it", False, "Host"),
        Fact("a microVM that changed may be restarted by the switch itself (restartIfChanged)", False),
    ]
    if plan.also:
        more = f" and {len(plan.also) - NAMED} more" if len(plan.also) > NAMED else ""
        facts.append(Fact(clean(f"{', '.join(plan.also[:NAMED])}{more}"), title="With it"))
    return facts


def may_cancel_rebuild(plan: RebuildPlan, host: str, act: Act, *, again: bool) -> Question:
    """Whether to end it; `again`: it was asked to end already."""
    what = "all of" if plan.host_wide else clean(plan.microvm) + " on"
    if again:
        text = f"kill the rebuild of {what} {clean(host)}? It was asked to end, and has not"
        return Question(text, (Answer("y", "kills it", act),))
    half = "what is switched already stays so; nixos-rebuild switch once more mends it"
    facts = (Fact(half),) if plan.host_wide else ()
    return Question(f"cancel the rebuild of {what} {clean(host)}?", (Answer("y", "cancels", act),), facts)


def may_quit(plans: Sequence[RebuildPlan], host: str, leave: Act, cancel: Act | None) -> Question:
    """Whether to quit while these are under way; `cancel` ends them first, where this mvtui began them."""
    facts = [Fact(clean(f"{plan.words} goes on without mvtui; what it says: {plan.output}")) for plan in plans]
    answers = [Answer("y", "quits, it goes on" if len(plans) == 1 else "quits, they go on", leave)]
    if cancel is not None:
        answers.append(Answer("c", "cancels, then quits", cancel))
    count = "a rebuild is" if len(plans) == 1 else f"{len(plans)} rebuilds are"
    return Question(f"quit? {count} under way on {clean(host)}", tuple(answers), tuple(facts))
