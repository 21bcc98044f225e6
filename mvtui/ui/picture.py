"""What the panel shows at one instant: the one value that the app hands down to its screens."""

from dataclasses import dataclass
from datetime import datetime

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.unit import UnitStatus, UnitVerb
from mvtui.ui.commands import Situation
from mvtui.ui.lines import Line


@dataclass(frozen=True, slots=True)
class Job:
    """A verb that is under way on a microVM; `units` are its units as last told."""

    verb: UnitVerb
    microvm: str
    since: datetime
    units: tuple[UnitStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """`snapshot` is None before the first look; `now` is local time; `read_only` and `locked` as in Situation;
    `stale_since`: since when the snapshot is old, None while it is live; `jobs`: the oldest first; `message`: what
    came of the last command."""

    host: str
    now: datetime
    snapshot: Snapshot | None = None
    read_only: bool = False
    locked: bool = False
    paused: bool = False
    stale_since: datetime | None = None
    jobs: tuple[Job, ...] = ()
    message: Line = ()

    def situation(self, microvm: MicroVM | None) -> Situation:
        """What decides which commands can be used on `microvm`."""
        own = [job.verb for job in self.jobs if microvm is not None and job.microvm == microvm.name]
        return Situation(microvm, self.read_only, self.locked, frozenset(own))

    def job(self, verb: UnitVerb, microvm: str) -> Job | None:
        """The job of that verb on that microVM."""
        return next((job for job in self.jobs if job.verb is verb and job.microvm == microvm), None)
