"""Every command of the panel, declared once: bindings, footer, help and refusals come from here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from textual.binding import Binding

from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.unit import UnitVerb


class Tier(IntEnum):
    """How much is asked before something happens."""

    FREE = 0
    ASK = 1
    TYPE_NAME = 2


class Place(StrEnum):
    """Where a command's keys are bound: everywhere, in the list, or by the question that offers it."""

    PANEL = "panel"
    LIST = "list"
    QUESTION = "question"


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether a command can be used. `locked`: read-only cannot be switched off; `busy`: what is under
    way on the microVM."""

    microvm: MicroVM | None
    read_only: bool = False
    locked: bool = False
    busy: frozenset[UnitVerb] = frozenset()


def _free(_situation: Situation) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Command:
    """`id` is the action and the binding's id; `keys` are Textual's names; `words` are for the footer, `help` for the
    help. `refusal` says why it can't be used, "" where it can. `mends`: the states in which it may be what helps."""

    id: str
    keys: tuple[str, ...]
    words: str
    help: str
    place: Place = Place.PANEL
    tier: Tier = Tier.FREE
    verb: UnitVerb | None = None
    refusal: Callable[[Situation], str] = _free
    mends: frozenset[StateWord] = frozenset()
    in_footer: bool = False

    @property
    def shown_keys(self) -> str:
        """Its keys as people write them."""
        return " ".join(_KEY_LABELS.get(key, key.replace("ctrl+", "^")) for key in self.keys)


_KEY_LABELS = {
    "question_mark": "?",
    "f1": "F1",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
}


def _changes(situation: Situation) -> str:
    if situation.read_only:
        return "read-only: --read-only locks it" if situation.locked else "read-only: W switches it off"
    if situation.microvm is None:
        return "no microVM is selected"
    return ""


def _no_other(situation: Situation) -> str:
    refusal = _changes(situation)
    if not refusal and situation.microvm is not None and situation.busy:
        verbs = " and ".join(sorted(situation.busy))
        return f"{clean(situation.microvm.name)}: {verbs} is under way, wait for its end"
    return refusal


def _start(situation: Situation) -> str:
    refusal = _no_other(situation)
    microvm = situation.microvm
    if refusal or microvm is None:
        return refusal
    if microvm.state.word in _UNSTARTABLE:
        return f"{clean(microvm.name)} {_UNSTARTABLE[microvm.state.word]}"
    return _has_directory(microvm)


def _stop(situation: Situation) -> str:
    refusal = _no_other(situation)
    microvm = situation.microvm
    if not refusal and microvm is not None and microvm.state.word is StateWord.STOPPED:
        return f"{clean(microvm.name)} is stopped already"
    return refusal


def _restart(situation: Situation) -> str:
    refusal = _no_other(situation)
    return refusal or (_has_directory(situation.microvm) if situation.microvm is not None else "")


def _kill(situation: Situation) -> str:
    refusal = _changes(situation)
    if not refusal and UnitVerb.KILL in situation.busy:
        return "kill is under way, wait for its end"
    return refusal


def _has_directory(microvm: MicroVM) -> str:
    return "" if microvm.entry is not None else f"{clean(microvm.name)} has no state directory: nothing to start"


_UNSTARTABLE = {
    StateWord.RUNNING: "runs already",
    StateWord.DEGRADED: "runs already: r restarts it",
    StateWord.STARTING: "is starting already",
    StateWord.STOPPING: "is stopping: wait for its end",
}


def _act(
    verb: UnitVerb,
    key: str,
    help: str,  # noqa: A002
    refusal: Callable[[Situation], str],
    tier: Tier = Tier.FREE,
    place: Place = Place.PANEL,
    mends: tuple[StateWord, ...] = (),
) -> Command:
    """The command of a verb; the footer has those that no question offers."""
    in_footer = place is Place.PANEL
    return Command(verb.value, (key,), verb.value, help, place, tier, verb, refusal, frozenset(mends), in_footer)


COMMANDS = (
    Command("cursor_down", ("j", "down"), "down", "down", Place.LIST),
    Command("cursor_up", ("k", "up"), "up", "up", Place.LIST),
    Command("page_down", ("pagedown",), "page down", "a page down", Place.LIST),
    Command("page_up", ("pageup",), "page up", "a page up", Place.LIST),
    Command("half_down", ("ctrl+d",), "half down", "half a page down", Place.LIST),
    Command("half_up", ("ctrl+u",), "half up", "half a page up", Place.LIST),
    Command("first", ("g", "home"), "first", "to the first", Place.LIST),
    Command("last", ("G", "end"), "last", "to the last", Place.LIST),
    _act(UnitVerb.START, "S", "start", _start, mends=(StateWord.STOPPED, StateWord.FAILED)),
    _act(UnitVerb.STOP, "T", "stop; asks", _stop, Tier.ASK, mends=(StateWord.LOOPING, StateWord.STOPPING)),
    _act(UnitVerb.RESTART, "r", "restart; asks", _restart, Tier.ASK, mends=(StateWord.LOOPING, StateWord.DEGRADED)),
    _act(UnitVerb.KILL, "K", "kill, after T while a stop takes long", _kill, Tier.TYPE_NAME, Place.QUESTION),
    Command("toggle_read_only", ("W",), "read-only", "read-only on and off", in_footer=True),
    Command("toggle_pause", ("p",), "pause", "pause: the picture stands still", in_footer=True),
    Command("look", ("ctrl+r",), "refresh", "look again now", in_footer=True),
    Command("help", ("question_mark", "f1"), "help", "this help", in_footer=True),
    Command("quit", ("q", "Q", "ctrl+c"), "quit", "quit", in_footer=True),
)


def command(id: str) -> Command:  # noqa: A002
    """The command of that id."""
    return next(one for one in COMMANDS if one.id == id)


def bindings(place: Place) -> Iterator[Binding]:
    """The bindings of the commands of `place`, by their ids, for a keymap. `^c` works over every dialog."""
    for one in COMMANDS:
        if one.place is place:
            for key in one.keys:
                yield Binding(key, one.id, one.words, show=False, id=one.id, priority=key == "ctrl+c")


def menders(situation: Situation) -> Iterator[Command]:
    """The commands that may help the microVM in its state, and can be used now."""
    for one in COMMANDS:
        if situation.microvm is not None and situation.microvm.state.word in one.mends and not one.refusal(situation):
            yield one
