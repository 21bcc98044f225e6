"""Why a command can't be used now, in words; "" where it can. Pure."""

from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.unit import UnitVerb
from mvtui.ui.command import Situation

_UNSTARTABLE = {
    StateWord.RUNNING: "runs already",
    StateWord.DEGRADED: "runs already: r restarts it",
    StateWord.STARTING: "is starting already",
    StateWord.STOPPING: "is stopping: wait for its end",
}


def nothing(_situation: Situation) -> str:
    """Of what can always be done."""
    return ""


def selected(situation: Situation) -> str:
    """Of what needs a microVM."""
    return "no microVM is selected" if situation.microvm is None else ""


def change(situation: Situation) -> str:
    """Of whatever changes a microVM."""
    if situation.read_only:
        return "read-only: --read-only locks it" if situation.locked else "read-only: W switches it off"
    return selected(situation)


def start(situation: Situation) -> str:
    """Of a start."""
    refusal = _another(situation)
    microvm = situation.microvm
    if refusal or microvm is None:
        return refusal
    if microvm.state.word in _UNSTARTABLE:
        return f"{clean(microvm.name)} {_UNSTARTABLE[microvm.state.word]}"
    return _without_directory(microvm)


def stop(situation: Situation) -> str:
    """Of a stop."""
    refusal = _another(situation)
    microvm = situation.microvm
    if not refusal and microvm is not None and microvm.state.word is StateWord.STOPPED:
        return f"{clean(microvm.name)} is stopped already"
    return refusal


def restart(situation: Situation) -> str:
    """Of a restart."""
    refusal = _another(situation)
    return refusal or (_without_directory(situation.microvm) if situation.microvm is not None else "")


def kill(situation: Situation) -> str:
    """Of a kill, which may overtake a stop."""
    refusal = change(situation)
    if not refusal and UnitVerb.KILL in situation.busy:
        return "kill is under way, wait for its end"
    if not refusal and situation.microvm is not None and situation.microvm.state.word is StateWord.STOPPED:
        return f"{clean(situation.microvm.name)} is stopped already"
    return refusal


def cancel(situation: Situation) -> str:
    """Of calling off what is under way."""
    refusal = change(situation)
    if refusal or situation.microvm is None:
        return refusal
    name = clean(situation.microvm.name)
    if not situation.busy and all(unit.job is None for unit in situation.microvm.units):
        return f"nothing is under way on {name}"
    return "" if situation.can_cancel else f"only systemd can cancel: T stops {name}"


def read_only(situation: Situation) -> str:
    """Of switching read-only on and off."""
    return "read-only: --read-only locks it" if situation.locked else ""


def _another(situation: Situation) -> str:
    """Of what can't run beside another verb."""
    refusal = change(situation)
    if not refusal and situation.microvm is not None and situation.busy:
        verbs = " and ".join(sorted(situation.busy))
        return f"{clean(situation.microvm.name)}: {verbs} is under way, wait for its end"
    return refusal


def _without_directory(microvm: MicroVM) -> str:
    return "" if microvm.entry is not None else f"{clean(microvm.name)} has no state directory: nothing to start"
