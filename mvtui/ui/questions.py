"""What is asked before something happens, and what each answer does. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mvtui.model.format import age
from mvtui.model.microvm import MicroVM
from mvtui.model.row import up_since
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.unit import UnitKind, UnitVerb

LONG_STOP = timedelta(seconds=10)
# So many microVMs of several are named.
NAMED = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """`key` is Textual's name of a key, `words` what it does (`stops`)."""

    key: str
    words: str
    act: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known; `ok` false: it speaks against it, None: neither. `title`: what it is about, in a column of its own
    where one of the facts has one."""

    words: str
    ok: bool | None = None
    title: str = ""


def titled(title: str, sentences: Sequence[str], *, ok: bool | None = None) -> list[Fact]:
    """A fact for each, the title beside the first."""
    return [Fact(clean(words), ok, "" if number else title) for number, words in enumerate(sentences)]


@dataclass(frozen=True, slots=True)
class Question:
    """`text` is what is asked, always shown whole; `more` is told beside it, `facts` stand below it, as far as there
    is room. Esc leaves; every key but the answers' does nothing.

    With `typed`, that must be typed, then Enter does `act`; `typed_is` says what it is (`its name`). `harmless`: no
    answer changes anything, so a key that was meant for something else does no harm.
    """

    text: str
    answers: tuple[Answer, ...] = ()
    facts: tuple[Fact, ...] = ()
    typed: str = ""
    typed_is: str = "its name"
    act: Callable[[], None] | None = None
    harmless: bool = False
    more: str = ""


def uptime(microvm: MicroVM, now: datetime) -> str:
    """`up 12h`, or its state in a word."""
    since = up_since(microvm)
    return f"up {age(since, now)}" if since is not None else str(microvm.state.word)


def _condition(microvm: MicroVM, now: datetime) -> str:
    """Its state in a word, and `up 12h` where it is."""
    words = (str(microvm.state.word), uptime(microvm, now))
    return ", ".join(dict.fromkeys(words))


def may_act(verb: UnitVerb, microvm: MicroVM, host: str, now: datetime, act: Callable[[], None]) -> Question:
    """Whether to do it: names the microVM, its host, what would end, and what else goes with it."""
    daemons = sum(bool(status.daemons) for status in microvm.shares)
    shares = f", with {daemons} virtiofsd" if daemons else ""
    text = f"{verb} {clean(microvm.name)} on {clean(host)}?"
    return Question(text, (Answer("y", f"{verb}s", act),), more=f"{uptime(microvm, now)}{shares}")


def may_kill(microvm: MicroVM, host: str, now: datetime, act: Callable[[], None], stop_key: str = "T") -> Question:
    """Whether to kill it: its name must be typed. `stop_key` stops it, as people write it."""
    state = microvm.state
    facts = [Fact(f"{uptime(microvm, now)}: what the guest has not written to disk is lost", False)]
    if state.deadline is not None:
        facts.append(Fact(f"it is stopping, and will be killed in {age(now, state.deadline)} anyway"))
    elif state.word is not StateWord.STOPPING:
        facts.append(Fact(f"{stop_key} stops it gently: the guest shuts down by itself"))
    daemons = microvm.unit(UnitKind.VIRTIOFSD)
    if daemons is not None and daemons.active_state == "active":
        facts.append(Fact(f"{clean(daemons.name)} ends with it"))
    name = clean(microvm.name)
    return Question(f"kill {name} on {clean(host)}?", facts=tuple(facts), typed=name, act=act)


def may_act_on_several(
    verb: str,
    microvms: Sequence[MicroVM],
    refused: Sequence[str],
    host: str,
    now: datetime,
    act: Callable[[], None],
) -> Question:
    """Whether to do it to all of `microvms`: their count must be typed. `refused` says of the others why not."""
    named = microvms if len(microvms) <= NAMED else microvms[: NAMED - 1]
    facts = [Fact(f"{clean(one.name)}: {_condition(one, now)}", True) for one in named]
    if len(named) < len(microvms):
        facts.append(Fact(f"and {len(microvms) - len(named)} more", True))
    facts += [Fact(f"left out: {why}", False) for why in refused[:NAMED]]
    if len(refused) > NAMED:
        facts.append(Fact(f"left out: {len(refused) - NAMED} more", False))
    count = str(len(microvms))
    text = f"{verb} {count} microVM{'' if count == '1' else 's'} on {clean(host)}?"
    return Question(text, facts=tuple(facts), typed=count, typed_is="how many", act=act)


def may_cancel(microvm: MicroVM, host: str, act: Callable[[], None]) -> Question:
    """Whether to call off what is under way."""
    jobs = [f"{unit.job.kind} of {unit.kind}" for unit in microvm.units if unit.job is not None]
    what = jobs[0] + (f" and {len(jobs) - 1} more" if len(jobs) > 1 else "") if jobs else ""
    text = f"cancel what is under way on {clean(microvm.name)} on {clean(host)}?"
    return Question(text, (Answer("y", "cancels", act),), more=clean(what))


def stops_long(microvm: MicroVM, stop_asked: datetime | None, now: datetime) -> bool:
    """Whether its stop takes so long that a kill may be offered. `stop_asked`: when the panel asked for the stop."""
    since = stop_asked
    if since is None and microvm.state.word is StateWord.STOPPING:
        since = microvm.state.since
    return since is not None and now - since > LONG_STOP


def takes_long(microvm: MicroVM, host: str, now: datetime, kill: Callable[[], None]) -> Question:
    """What to do about a stop that takes long."""
    state = microvm.state
    facts = [Fact(f"it has been stopping for {age(state.since, now)}")]
    if state.deadline is not None:
        facts.append(Fact(f"it is killed in {age(now, state.deadline)}, if it does not end by itself"))
    if microvm.built is not None:
        asks = "bin/microvm-shutdown asks the guest to end"
        cannot = "no bin/microvm-shutdown: it can't be asked"
        facts.append(Fact(asks if microvm.built.can_shutdown else cannot, microvm.built.can_shutdown))
    answers = (Answer("K", "kills it", kill),)
    return Question(f"{clean(microvm.name)} on {clean(host)} is stopping", answers, tuple(facts))


def may_sudo(verb: UnitVerb, microvm: str, host: str, act: Callable[[], None]) -> Question:
    """Whether to do with sudo what the host refused for want of rights."""
    text = f"{verb} {clean(microvm)} on {clean(host)} with sudo?"
    return Question(text, (Answer("y", f"{verb}s", act),), more="The host refused it")
