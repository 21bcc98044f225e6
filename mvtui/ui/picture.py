"""What the panel shows at one instant: the one value that the app hands down to its screens."""

from dataclasses import dataclass, replace
from datetime import datetime

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.unit import UnitStatus
from mvtui.ui.command import DefinitionVerb, Situation, Verb
from mvtui.ui.keys import Keys
from mvtui.ui.lines import Line

_NO_KEYS: Keys = {}


@dataclass(frozen=True, slots=True)
class Job:
    """A verb that is under way on a microVM; `units` are its units as last told, `step` what of a reset is done now."""

    verb: Verb
    microvm: str
    since: datetime
    units: tuple[UnitStatus, ...] = ()
    step: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """`snapshot` is None before the first look; `now` is local time; `read_only` and `locked` as in Situation;
    `stale_since`: since when the snapshot is old, None while it is live; `jobs`: the oldest first; `message`: what
    came of the last command; `can_cancel` as in Situation."""

    host: str
    now: datetime
    snapshot: Snapshot | None = None
    read_only: bool = False
    locked: bool = False
    paused: bool = False
    stale_since: datetime | None = None
    jobs: tuple[Job, ...] = ()
    message: Line = ()
    can_cancel: bool = False

    def situation(self, microvm: MicroVM | None, keys: Keys = _NO_KEYS) -> Situation:
        """What decides which commands can be used on `microvm`; `keys` as in Situation."""
        jobs = [job.verb for job in self.jobs if microvm is not None and job.microvm == microvm.name]
        own = [verb for verb in jobs if verb is not DefinitionVerb.REBUILD]  # which takes minutes, and stops nothing
        return Situation(microvm, self.read_only, self.locked, frozenset(own), self.can_cancel, keys)

    def job(self, verb: Verb, microvm: str) -> Job | None:
        """The job of that verb on that microVM."""
        return next((job for job in self.jobs if job.verb is verb and job.microvm == microvm), None)

    def find(self, name: str) -> MicroVM | None:
        """The microVM of that name, None where there is none now."""
        return self.snapshot.find(name) if self.snapshot is not None else None

    def with_job(self, job: Job) -> "Picture":
        """With `job` as the last one, in the place of another of the same verb on the same microVM."""
        return replace(self, jobs=(*self.without_job(job.verb, job.microvm).jobs, job))

    def without_job(self, verb: Verb, microvm: str) -> "Picture":
        """Without that one."""
        return replace(self, jobs=tuple(job for job in self.jobs if (job.verb, job.microvm) != (verb, microvm)))
