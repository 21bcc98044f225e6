"""Running a verb on a microVM to its end, and saying in words what came of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.ports import Host
from mvtui.model.unit import UnitVerb
from mvtui.ui import sudo
from mvtui.ui.seams import Cancel, Progress, Run


@dataclass(frozen=True, slots=True)
class JobEnd:
    """`lacks_rights`: the host refused it for want of rights, and sudo may help."""

    ok: bool
    words: str
    lacks_rights: bool = False


async def run(host: Host, verb: UnitVerb, microvm: str, on_progress: Progress, by: Run) -> JobEnd:
    """Run it with the rights that the panel has."""
    try:
        outcome = await by(host, verb, microvm, on_progress)
    except RightsMissingError as error:
        return JobEnd(False, str(error), lacks_rights=True)
    except MvtuiError as error:
        return JobEnd(False, str(error))
    return JobEnd(outcome.ok, f"{outcome.words}  {outcome.hint}".rstrip())


async def cancel(host: Host, microvm: str, by: Cancel) -> JobEnd:
    """Call off what is under way on it."""
    try:
        return JobEnd(True, await by(host, microvm))
    except MvtuiError as error:
        return JobEnd(False, str(error))


async def run_with_sudo(
    host: Host, verb: UnitVerb, microvm: str, suspended: Callable[[], AbstractContextManager[None]]
) -> JobEnd:
    """Run the same on the command line behind sudo; `suspended` lends it the terminal."""
    from mvtui.operations import lifecycle  # noqa: PLC0415

    try:
        ok, words = await sudo.run(lifecycle.sudo_argv(host, verb, microvm), suspended, host.calls)
    except MvtuiError as error:
        return JobEnd(False, str(error))
    return JobEnd(ok, words)
