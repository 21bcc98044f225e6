"""Start, stop, restart, kill: jobs that are awaited until all of a microVM's units have arrived."""

from collections.abc import Callable
from dataclasses import dataclass

from mvtui.host.ports import Host
from mvtui.model.unit import UnitStatus, UnitVerb


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a verb on one microVM. `words` is one sentence; `hint` what to do next, or ""."""

    microvm: str
    verb: UnitVerb
    ok: bool
    words: str
    seconds: float
    hint: str = ""


async def run(
    host: Host,
    verb: UnitVerb,
    microvm: str,
    on_progress: Callable[[tuple[UnitStatus, ...]], None] | None = None,
) -> Outcome:
    """Do it and wait. `on_progress` gets all units of the microVM whenever one of them changed.

    Raises RightsMissingError where the host refuses, MvtuiError where the manager does not answer.
    """
    raise NotImplementedError
