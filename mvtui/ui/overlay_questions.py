"""What is asked before a microVM's overlay is reset, brought back, freed, or armed to be reset by itself. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from mvtui.model import overlay_words
from mvtui.model.format import size
from mvtui.model.microvm import ImageFacts, MicroVM
from mvtui.model.overlay import Armed, KeptOverlay, OverlayKind, OverlayTarget, ResetPlan, ToldBy
from mvtui.model.overlay_words import Role, Told
from mvtui.model.text import clean
from mvtui.ui.command import OverlayVerb
from mvtui.ui.questions import NAMED, Answer, Fact, Question, titled

Act = Callable[[OverlayVerb], None]

# The key and the words of each where it is done with sudo.
_SUDO = {
    OverlayVerb.RESET: ("o", "resets"),
    OverlayVerb.FRESH: ("s", "resets and starts"),
    OverlayVerb.STOP_FRESH: ("f", "stop, reset, start"),
    OverlayVerb.ARM_ONCE: ("n", "at its next start"),
    OverlayVerb.RESTORE: ("u", "brings it back"),
    OverlayVerb.FREE: ("x", "frees it"),
}

_ARMED = {None: "never", Armed.ONCE: "once, at its next start", Armed.ALWAYS: "at every start"}
_OK = {Role.OK: True, Role.BAD: False}
# Of what is armed, whose overlay was not looked at.
NO_TARGET = OverlayTarget(OverlayKind.UNKNOWN)
# So many images can be told from each other by a digit.
_IMAGES = 9


def may_reset(plan: ResetPlan, stopped: ResetPlan | None, host: str, now: datetime, act: Act) -> Question:
    """Whether to reset it, with the plan. Where that is refused, no key acts; but one that could be reset once it is
    stopped (by the plan `stopped`) can be stopped first, or armed."""
    question = f"{_asked(OverlayVerb.RESET, plan.microvm, host)}?"
    facts = _plan_facts(plan, now)
    if plan.ok:
        answers = (
            Answer("o", "resets", partial(act, OverlayVerb.RESET)),
            Answer("s", "resets and starts", partial(act, OverlayVerb.FRESH)),
        )
        return Question(question, answers, facts)
    if stopped is None or not stopped.ok:
        return Question(f"{question} Not now", facts=facts, harmless=True)
    answers = (
        Answer("f", "stop, reset, start", partial(act, OverlayVerb.STOP_FRESH)),
        Answer("n", "at its next start", partial(act, OverlayVerb.ARM_ONCE)),
    )
    runs = Fact(clean(plan.refusal), False, "It runs")
    return Question(f"{question} It runs", answers, (runs, *_plan_facts(stopped, now)))


def may_with_sudo(verbs: Sequence[OverlayVerb], plan: ResetPlan, host: str, act: Act) -> Question:
    """Whether to do what can't even be looked at without more rights."""
    checks = [Fact(clean(f"{check.what}: {check.why}"), False) for check in plan.checks if not check.ok]
    answers = [Answer(_SUDO[verb][0], _SUDO[verb][1], partial(act, verb)) for verb in verbs]
    facts = (*checks, Fact("behind sudo, mvtui checks all of it before it changes anything"))
    asked = verbs[0] if verbs[0].command != "reset" else OverlayVerb.RESET
    return Question(f"{_asked(asked, plan.microvm, host)} with sudo?", tuple(answers), facts)


def may_try_sudo(verb: OverlayVerb, microvm: str, host: str, act: Act) -> Question:
    """Whether to do with sudo what the host refused for want of rights."""
    text = f"{_asked(verb, microvm, host)} with sudo?"
    return Question(text, (Answer("y", "does it", partial(act, verb)),), more="The host refused it")


def may_stop_and_reset(plan: ResetPlan, microvm: MicroVM, host: str, uptime: str, act: Act) -> Question:
    """Whether to do it though it runs: its name must be typed."""
    facts = [
        Fact(f"{uptime}: the guest is shut down, and started again", False),
        *titled("Lost", plan.lost),
        *titled("Set aside", plan.aside),
        Fact("where the reset is refused after that, it stays stopped, with the old overlay"),
    ]
    text = f"{_asked(OverlayVerb.STOP_FRESH, microvm.name, host)}?"
    return Question(text, facts=tuple(facts), typed=clean(microvm.name), act=partial(act, OverlayVerb.STOP_FRESH))


def may_choose(microvm: MicroVM, why: str, host: str, choose: Callable[[str], None]) -> Question | None:
    """Which image its overlay is, where nothing tells; None where it has none to choose from."""
    volumes = [status for status in microvm.volumes if not status.volume.read_only]
    if not volumes:
        return None
    answers, facts = [], [Fact(clean(why))]
    for number, status in enumerate(volumes[:_IMAGES], 1):
        image = status.volume.image
        answers.append(Answer(str(number), clean(image), partial(choose, image)))
        facts.append(Fact(f"{number} {clean(image)}: {_image(status.image)}"))
    if len(volumes) > _IMAGES:
        facts.append(Fact(f"mvtui reset --image names one of {len(volumes) - _IMAGES} more"))
    facts.append(Fact("what is chosen is remembered, and shown before anything is done"))
    text = f"which image is the overlay of {clean(microvm.name)} on {clean(host)}?"
    return Question(text, tuple(answers), tuple(facts))


def _image(image: ImageFacts | None) -> str:
    if image is None or image.problem is not None:
        return clean(image.problem or "") if image is not None else "not looked at yet"
    return clean(f"{size(image.allocated)} of {size(image.size)}, {image.fs_type or 'no file system'}")


def may_restore(plan: ResetPlan, microvm: MicroVM, host: str, now: datetime, act: Act) -> Question:
    """Whether to bring back what was set aside last."""
    facts = [_kept_fact(_kept(plan)[0], now, "Back")]
    if plan.facts is not None and plan.facts.file_id is not None:
        there = overlay_words.facts_words(plan.facts, plan.target, now)
        facts.append(Fact(f"{there}: it is set aside in its place; the same once more brings it back", title="Away"))
    text = f"{_asked(OverlayVerb.RESTORE, microvm.name, host)}?"
    if microvm.state.word.is_up:
        facts.insert(0, Fact(f"it is {microvm.state.word}: stop it first", False))
        return Question(f"{text} Not now", facts=tuple(facts), harmless=True)
    return Question(text, (Answer("u", "brings it back", partial(act, OverlayVerb.RESTORE)),), tuple(facts))


def may_free(plan: ResetPlan, microvm: MicroVM, host: str, now: datetime, act: Act) -> Question:
    """Whether to free what was set aside, for good."""
    kept = _kept(plan)
    facts = [
        Fact("it is gone for good: nothing undoes this", False),
        *[_kept_fact(each, now, "" if number else "Kept") for number, each in enumerate(kept)],
        Fact("the overlay that it has now stays as it is", True),
    ]
    text = f"{_asked(OverlayVerb.FREE, microvm.name, host)}?"
    return Question(text, (Answer("x", "frees it", partial(act, OverlayVerb.FREE)),), tuple(facts))


def may_arm(microvm: MicroVM, host: str, act: Act) -> Question:
    """When its overlay is to be reset by itself."""
    return Question(
        f"reset the overlay of {clean(microvm.name)} on {clean(host)} by itself?",
        _arm_answers(act),
        more=f"now: {armed(microvm)}",
    )


def may_arm_several(count: int, host: str, act: Act) -> Question:
    """The same of several, whose count is then to be typed."""
    return Question(f"reset the overlays of {count} microVMs on {clean(host)} by themselves?", _arm_answers(act))


def _arm_answers(act: Act) -> tuple[Answer, ...]:
    return (
        Answer("o", "at the next start", partial(act, OverlayVerb.ARM_ONCE)),
        Answer("a", "at every start", partial(act, OverlayVerb.ARM_ALWAYS)),
        Answer("n", "never", partial(act, OverlayVerb.DISARM)),
    )


def armed(microvm: MicroVM) -> str:
    """When it is reset by itself, in a few words."""
    return _ARMED[microvm.armed]


def may_on_several(
    verb: OverlayVerb, plans: Sequence[ResetPlan], refused: Sequence[str], host: str, act: Callable[[], None]
) -> Question:
    """Whether to do it to all of `plans`: their count must be typed. `refused` says of the others why not."""
    named = plans if len(plans) <= NAMED else plans[: NAMED - 1]
    facts = [Fact(f"{clean(plan.microvm)}: {_in_short(verb, plan)}", True) for plan in named]
    if len(named) < len(plans):
        facts.append(Fact(f"and {len(plans) - len(named)} more", True))
    if verb is OverlayVerb.FREE:
        facts.insert(0, Fact("they are gone for good: nothing undoes this", False))
    facts += [Fact(f"left out: {clean(why)}", False) for why in refused[:NAMED]]
    if len(refused) > NAMED:
        facts.append(Fact(f"left out: {len(refused) - NAMED} more", False))
    count = str(len(plans))
    text = f"{several(verb)} {count} microVM{'' if count == '1' else 's'} on {clean(host)}?"
    return Question(text, facts=tuple(facts), typed=count, typed_is="how many", act=act)


def several(verb: OverlayVerb) -> str:
    """What is done to several, before their number."""
    return {
        OverlayVerb.RESTORE: "bring back the old overlays of",
        OverlayVerb.FREE: "free the old overlays of",
        OverlayVerb.ARM_ONCE: "at their next start, reset the overlays of",
        OverlayVerb.ARM_ALWAYS: "at every start, reset the overlays of",
        OverlayVerb.DISARM: "at no start, reset the overlays of",
    }.get(verb, "reset the overlays of")


def _in_short(verb: OverlayVerb, plan: ResetPlan) -> str:
    facts, kept = plan.facts, _kept(plan)
    if verb in (OverlayVerb.RESTORE, OverlayVerb.FREE) and kept:
        return f"{size(kept[0].allocated)} comes back" if verb is OverlayVerb.RESTORE else _sum(kept)
    if verb is OverlayVerb.RESET and facts is not None and plan.target.kind is OverlayKind.VOLUME:
        return f"{size(facts.allocated)} of {size(facts.size)} is set aside: {clean(facts.path)}"
    return clean(plan.target.path or "")


def _sum(kept: Sequence[KeptOverlay]) -> str:
    return f"{size(sum(each.allocated or 0 for each in kept))} is freed"


def results(verb: OverlayVerb, ends: Sequence[tuple[str, bool, str]], host: str) -> Question:
    """What came of it on each of several: its name, whether it was done, in words. There is nothing to answer."""
    done = sum(ok for _, ok, _ in ends)
    facts = sorted((Fact(words, ok) for _, ok, words in ends), key=lambda fact: fact.ok is True)
    text = f"{verb} on {clean(host)}: {done} of {len(ends)} done"
    return Question(text, facts=tuple(facts), harmless=True)


def _asked(verb: OverlayVerb, microvm: str, host: str) -> str:
    """What is asked, without the question mark."""
    whose = f"{clean(microvm)} on {clean(host)}"
    return {
        OverlayVerb.FRESH: f"reset the overlay and start {whose}",
        OverlayVerb.STOP_FRESH: f"stop, reset, start {whose}",
        OverlayVerb.RESTORE: f"bring back the old overlay of {whose}",
        OverlayVerb.FREE: f"free the old overlay of {whose}",
        OverlayVerb.ARM_ONCE: f"at its next start, reset the overlay of {whose}",
        OverlayVerb.ARM_ALWAYS: f"at every start, reset the overlay of {whose}",
        OverlayVerb.DISARM: f"at no start, reset the overlay of {whose}",
    }.get(verb, f"reset the overlay of {whose}")


def _kept(plan: ResetPlan) -> tuple[KeptOverlay, ...]:
    return plan.facts.kept if plan.facts is not None else ()


def _kept_fact(kept: KeptOverlay, now: datetime, title: str) -> Fact:
    return Fact(f"{overlay_words.kept_words(kept, now)}: {clean(kept.path)}", title=title)


def _plan_facts(plan: ResetPlan, now: datetime) -> tuple[Fact, ...]:
    """What forbids it first, then what is lost and kept, then what holds: of that, the last may have no room."""
    checks = overlay_words.told_checks(plan)
    bad = [told.text for told in checks if told.role is Role.BAD]
    good = [told.text for told in checks if told.role is not Role.BAD]
    return (
        *titled("Refused", bad, ok=False),
        *[_fact(told) for told in overlay_words.told_target(_quiet(plan), now)],
        *titled("Lost", plan.lost),
        *titled("Set aside", plan.aside),
        *titled("Stays", [" ".join(plan.stays)] if plan.stays else []),
        *([Fact("; ".join(good), True, "Checked")] if good else []),
    )


def _quiet(plan: ResetPlan) -> ResetPlan:
    """Without who tells that it is the overlay, where what is built does, as nearly always."""
    return plan._replace(target=plan.target._replace(told_by=None)) if plan.target.told_by is ToldBy.BUILT else plan


def _fact(told: Told) -> Fact:
    return Fact(told.text, _OK.get(told.role), told.title)
