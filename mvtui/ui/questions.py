"""What is asked before something happens: one line, and what each answer does. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mvtui.model.format import age
from mvtui.model.microvm import MicroVM
from mvtui.model.row import up_since
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.unit import UnitVerb

LONG_STOP = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Answer:
    """`key` is Textual's name of a key, `words` what it does (`stops`)."""

    key: str
    words: str
    act: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Question:
    """`text` is what is asked. Esc leaves; every key but the answers' does nothing."""

    text: str
    answers: tuple[Answer, ...]


def uptime(microvm: MicroVM, now: datetime) -> str:
    """`up 12h`, or its state in a word."""
    since = up_since(microvm)
    return f"up {age(since, now)}" if since is not None else str(microvm.state.word)


def may_act(verb: UnitVerb, microvm: MicroVM, host: str, now: datetime, act: Callable[[], None]) -> Question:
    """Whether to do it: names the microVM, its host and what would end."""
    text = f"{verb} {clean(microvm.name)} on {clean(host)}? {uptime(microvm, now)}"
    return Question(text, (Answer("y", f"{verb}s", act),))


def stops_long(microvm: MicroVM, stop_asked: datetime | None, now: datetime) -> bool:
    """Whether its stop takes so long that a kill may be offered. `stop_asked`: when the panel asked for the stop."""
    since = stop_asked
    if since is None and microvm.state.word is StateWord.STOPPING:
        since = microvm.state.since
    return since is not None and now - since > LONG_STOP


def takes_long(microvm: MicroVM, host: str, now: datetime, kill: Callable[[], None]) -> Question:
    """What to do about a stop that takes long."""
    name = clean(microvm.name)
    deadline = microvm.state.deadline
    when = f", killed in {age(now, deadline)}" if deadline is not None else ""
    text = f"{name} on {clean(host)} has been stopping for {age(microvm.state.since, now)}{when}"
    return Question(text, (Answer("K", "kills it", kill),))


def may_sudo(verb: UnitVerb, microvm: str, host: str, act: Callable[[], None]) -> Question:
    """Whether to do with sudo what the host refused for want of rights."""
    return Question(
        f"{verb} {clean(microvm)} on {clean(host)} with sudo? The host refused it", (Answer("y", f"{verb}s", act),)
    )
