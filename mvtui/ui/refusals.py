"""Why a command can't be used now, in words; "" where it can. Pure."""

from mvtui.model.growth import images_of
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay import OverlayKind
from mvtui.model.overlay_target import find_target
from mvtui.model.source_plan import missing_sources
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.unit import UnitVerb
from mvtui.ui.command import Situation

_LOCKED = "read-only from the start: mvtui --no-read-only"
_UNSTARTABLE = {
    StateWord.RUNNING: "runs already",
    StateWord.DEGRADED: "runs already",
    StateWord.STARTING: "is starting already",
    StateWord.STOPPING: "is stopping: wait for its end",
}


def nothing(_situation: Situation) -> str:
    """Of what can always be done."""
    return ""


def selected(situation: Situation) -> str:
    """Of what needs a microVM."""
    return "no microVM is selected" if situation.microvm is None else ""


def unfold(situation: Situation) -> str:
    """Of showing a command line."""
    microvm = situation.microvm
    return selected(situation) if microvm is None or microvm.processes else "no process of it runs"


def change(situation: Situation) -> str:
    """Of whatever changes a microVM."""
    if situation.read_only:
        return _LOCKED if situation.locked else f"read-only: {situation.key('toggle_read_only')} switches it off"
    return selected(situation)


def start(situation: Situation) -> str:
    """Of a start."""
    refusal = _another(situation)
    microvm = situation.microvm
    if refusal or microvm is None:
        return refusal
    word = microvm.state.word
    if word in _UNSTARTABLE:
        mends = f": {situation.key('restart')} restarts it" if word is StateWord.DEGRADED else ""
        return f"{clean(microvm.name)} {_UNSTARTABLE[word]}{mends}"
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
    jobs = [unit.job for unit in situation.microvm.units if unit.job is not None]
    if not jobs and not any(isinstance(verb, UnitVerb) for verb in situation.busy):
        return "nothing is under way that can be cancelled" if situation.busy else "nothing is under way"
    if not situation.can_cancel:
        stops = situation.microvm.state.word is StateWord.STOPPING or UnitVerb.STOP in situation.busy
        ends = f"{situation.key('kill')} kills" if stops else f"{situation.key('stop')} stops"
        return f"only systemd can cancel: {ends} {name}"
    if jobs and all(job.kind == "stop" and job.state == "running" for job in jobs):
        kill_key = situation.key("kill")
        return f"systemd goes on with a stop whatever becomes of its job: wait, or {kill_key} kills {name}"
    return ""


def ssh(situation: Situation) -> str:
    """Of logging in to its guest."""
    microvm = situation.microvm
    if microvm is None or microvm.hypervisor is not None:
        return selected(situation)
    told = f"{clean(microvm.name)} {microvm.has_none}"
    if microvm.is_hidden:
        return told
    starts = f"; {situation.key('start')} starts it" if microvm.state.word is StateWord.STOPPED else ""
    return f"{told}: there is no guest to log in to{starts}"


def overlay(situation: Situation) -> str:
    """Of what concerns its overlay, where what is built tells that there is none on the host."""
    refusal = _another(situation)
    microvm = situation.microvm
    if refusal or microvm is None:
        return refusal
    name = clean(microvm.name)
    if microvm.entry is None:
        return f"{name} has no state directory: no overlay of it is known"
    kind = find_target(microvm, None, None).kind
    if kind is OverlayKind.NONE:
        return f"{name} has no writable store overlay"
    if kind is OverlayKind.TMPFS:
        return f"{name} has its overlay in the guest's memory (tmpfs): every start begins with an empty one"
    return ""


def rebuild(situation: Situation) -> str:
    """Of a rebuild."""
    refusal = change(situation)
    return refusal or (_without_directory(situation.microvm, "rebuild") if situation.microvm is not None else "")


def grow(situation: Situation) -> str:
    """Of growing the image of a volume."""
    refusal = _another(situation)
    microvm = situation.microvm
    if refusal or microvm is None:
        return refusal
    return "" if images_of(microvm, microvm.defined) else f"{clean(microvm.name)} has no volumes"


def make_source(situation: Situation) -> str:
    """Of making the source of a share."""
    refusal = _another(situation)
    microvm = situation.microvm
    if refusal or microvm is None:
        return refusal
    return (
        ""
        if missing_sources(microvm)
        else f"{clean(microvm.name)}: no missing source of its shares is known that could be made"
    )


def read_only(situation: Situation) -> str:
    """Of switching read-only on and off."""
    return _LOCKED if situation.locked else ""


def _another(situation: Situation) -> str:
    """Of what can't run beside another verb."""
    refusal = change(situation)
    if not refusal and situation.microvm is not None and situation.busy:
        verbs = " and ".join(sorted(situation.busy))
        return f"{clean(situation.microvm.name)}: {verbs} is under way, wait for its end"
    return refusal


def _without_directory(microvm: MicroVM, verb: str = "start") -> str:
    return "" if microvm.entry is not None else f"{clean(microvm.name)} has no state directory: nothing to {verb}"
