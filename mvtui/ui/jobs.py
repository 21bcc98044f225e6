"""Running a verb on a microVM to its end, and saying in words what came of it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.ports import Host
from mvtui.model.growth import GrowPlan, GrowWay
from mvtui.model.source_plan import SourcePlan
from mvtui.model.unit import UnitVerb
from mvtui.ui import sudo
from mvtui.ui.command import DefinitionVerb, OverlayVerb, ShareVerb, Verb, VolumeVerb
from mvtui.ui.seams import Cancel, Progress, Run, RunGrowth, RunOverlay, RunSource, Step

if TYPE_CHECKING:
    from mvtui.operations.lifecycle import Outcome
    from mvtui.operations.overlay_outcome import ResetOutcome


@dataclass(frozen=True, slots=True)
class JobEnd:
    """`lacks_rights`: the host refused it for want of rights, and sudo may help."""

    ok: bool
    words: str
    lacks_rights: bool = False


async def _end_of(work: Awaitable["Outcome | ResetOutcome"]) -> JobEnd:
    try:
        outcome = await work
    except RightsMissingError as error:
        return JobEnd(False, str(error), lacks_rights=True)
    except MvtuiError as error:
        return JobEnd(False, str(error))
    return JobEnd(outcome.ok, f"{outcome.words}  {outcome.hint}".rstrip())


async def run(host: Host, verb: UnitVerb, microvm: str, on_progress: Progress, by: Run) -> JobEnd:
    """Run it with the rights that the panel has."""
    return await _end_of(by(host, verb, microvm, on_progress))


async def run_overlay(
    host: Host, verb: OverlayVerb, microvm: str, on_step: Step, by: RunOverlay, undo_key: str
) -> JobEnd:
    """The same of what concerns its overlay. `undo_key` brings back what a reset sets aside."""

    async def work() -> "ResetOutcome":
        outcome = await by(host, verb, microvm, on_step)
        undoes = outcome.ok and outcome.hint and verb.command == "reset"
        return outcome._replace(hint=f"{undo_key} brings the old one back") if undoes else outcome

    return await _end_of(work())


async def run_growth(host: Host, plan: GrowPlan, on_step: Step, by: RunGrowth) -> JobEnd:
    """The same of a volume's image."""
    return await _end_of(by(host, plan, on_step))


async def grow_with_sudo(host: Host, plan: GrowPlan, suspended: Callable[[], AbstractContextManager[None]]) -> JobEnd:
    """Grow it on the command line behind sudo; `suspended` lends it the terminal."""
    from mvtui.operations import lifecycle  # noqa: PLC0415

    mount = ["--mount"] if plan.way is GrowWay.MOUNT else []
    argv = [*lifecycle.sudo_argv(host, "grow", plan.microvm, "--defined", "--yes", *mount), plan.image]
    try:
        return JobEnd(*await sudo.run(argv, suspended, host.calls))
    except MvtuiError as error:
        return JobEnd(False, str(error))


async def run_source(host: Host, plan: SourcePlan, by: RunSource) -> JobEnd:
    """Make the source of a share."""
    return await _end_of(by(host, plan))


async def make_source_with_sudo(
    host: Host, plan: SourcePlan, suspended: Callable[[], AbstractContextManager[None]]
) -> JobEnd:
    """The same by install(1) behind sudo: what stands on the way was looked at, and is root's."""
    from mvtui.operations import making_source  # noqa: PLC0415

    try:
        ok, words = await sudo.run(plan.argv, suspended, host.calls)
    except MvtuiError as error:
        ok, words = False, str(error)
    return JobEnd(ok, making_source.record_made(host, plan, words, ok=ok).words)


async def cancel(host: Host, microvm: str, by: Cancel) -> JobEnd:
    """Call off what is under way on it."""
    try:
        return JobEnd(True, await by(host, microvm))
    except MvtuiError as error:
        return JobEnd(False, str(error))


async def run_with_sudo(
    host: Host, verb: Verb, microvm: str, suspended: Callable[[], AbstractContextManager[None]]
) -> JobEnd:
    """Run the same on the command line behind sudo; `suspended` lends it the terminal."""
    ok, words = False, ""
    try:
        for argv in _sudo_argvs(host, verb, microvm):
            ok, words = await sudo.run(argv, suspended, host.calls)
            if not ok:
                break
    except MvtuiError as error:
        return JobEnd(False, str(error))
    return JobEnd(ok, words)


# What the command line calls it: a command and its options, or several, one after the other.
_COMMANDS: dict[OverlayVerb | DefinitionVerb, tuple[tuple[str, ...], ...]] = {
    OverlayVerb.RESET: (("reset", "--yes"),),
    OverlayVerb.FRESH: (("start", "--fresh"),),
    OverlayVerb.STOP_FRESH: (("stop",), ("start", "--fresh")),
    OverlayVerb.RESTORE: (("restore",),),
    OverlayVerb.FREE: (("reset", "--discard", "--yes"),),
    OverlayVerb.ARM_ONCE: (("arm", "--once"),),
    OverlayVerb.ARM_ALWAYS: (("arm", "--always"),),
    OverlayVerb.DISARM: (("arm", "--off"),),
    DefinitionVerb.REBUILD: (("rebuild", "--yes"),),
}


def _sudo_argvs(host: Host, verb: Verb, microvm: str) -> Sequence[Sequence[str]]:
    from mvtui.operations import lifecycle  # noqa: PLC0415

    assert not isinstance(verb, VolumeVerb | ShareVerb)
    commands = ((str(verb),),) if isinstance(verb, UnitVerb) else _COMMANDS[verb]
    return [lifecycle.sudo_argv(host, name, microvm, *options) for name, *options in commands]
