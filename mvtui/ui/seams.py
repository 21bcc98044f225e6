"""What the panel takes from outside, and tests replace: clocks, looks at the host, verbs.

What looks and acts is imported at the first look, when the first frame stands on the screen.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.host.ports import Host, Logs
from mvtui.model.definition import Share
from mvtui.model.growth import GrowPlan, GrowWay
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.overlay import Armed, ResetPlan
from mvtui.model.own_command import own_command
from mvtui.model.settings import DEFAULTS
from mvtui.model.source_plan import SourcePlan
from mvtui.model.unit import UnitStatus, UnitVerb
from mvtui.ui.command import OverlayVerb
from mvtui.ui.forms.desk import FormSeams

if TYPE_CHECKING:
    from mvtui.model.timeline import Timeline
    from mvtui.operations.bundle import Written
    from mvtui.operations.copying import Copied
    from mvtui.operations.doctor import HostReport
    from mvtui.operations.into import Login
    from mvtui.operations.lifecycle import Outcome
    from mvtui.operations.overlay_outcome import ResetOutcome
    from mvtui.operations.timeline import TimelineReader

P = ParamSpec("P")
T = TypeVar("T")

Progress = Callable[[tuple[UnitStatus, ...]], None]


class Source(Protocol):
    """Where snapshots come from, as `monitor.snapshots`."""

    def __call__(self, host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
        """Snapshots without end; `wake` asks for one now."""


Run = Callable[[Host, UnitVerb, str, Progress], Awaitable["Outcome"]]
Cancel = Callable[[Host, str], Awaitable[str]]
Step = Callable[[str], None]


class Plan(Protocol):
    """What makes the plans, as `overlay.plan_resets`."""

    async def __call__(self, host: Host, microvms: Sequence[str], *, after_stop: bool = False) -> tuple[ResetPlan, ...]:
        """Those of all of them, planned together; `after_stop`: once they are stopped. Raises MvtuiError."""


class RunOverlay(Protocol):
    """What acts on overlays, as `act_on_overlay`."""

    async def __call__(
        self, host: Host, verb: OverlayVerb, microvm: str, on_step: Step, *, plan: ResetPlan | None = None
    ) -> "ResetOutcome":
        """Do it to its end; `plan` is the one that was agreed to, where there is one."""


class InThread(Protocol):
    """What runs blocking work beside the event loop, as `asyncio.to_thread`."""

    async def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns."""


# What collects and writes a bundle of a microVM; blocking. Raises MvtuiError.
MakeBundle = Callable[[Host, Snapshot, MicroVM], "Written"]

Choose = Callable[[Host, str, str], Awaitable[None]]

Examine = Callable[[Host, Snapshot], Awaitable["HostReport"]]

_ARMED = {OverlayVerb.ARM_ONCE: Armed.ONCE, OverlayVerb.ARM_ALWAYS: Armed.ALWAYS, OverlayVerb.DISARM: None}


def local_now() -> datetime:
    """The time, in the local zone."""
    return datetime.now().astimezone()


def look(host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
    """The snapshots of the host; what comes and goes in them is put on record."""
    from mvtui.operations.event_watch import recorded  # noqa: PLC0415
    from mvtui.operations.monitor import snapshots  # noqa: PLC0415

    return recorded(host, snapshots(host, interval=interval, wake=wake))


def only_look(host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
    """The snapshots of the host, and nothing is written."""
    from mvtui.operations import monitor  # noqa: PLC0415

    return monitor.snapshots(host, interval=interval, wake=wake)


async def act(host: Host, verb: UnitVerb, microvm: str, on_progress: Progress) -> "Outcome":
    """Run the verb to its end."""
    from mvtui.operations import lifecycle  # noqa: PLC0415

    return await lifecycle.run(host, verb, microvm, on_progress)


async def call_off(host: Host, microvm: str) -> str:
    """Cancel what is under way on it; one sentence of what came of it."""
    from mvtui.operations import lifecycle  # noqa: PLC0415

    return await lifecycle.cancel(host, microvm)


async def plan(host: Host, microvms: Sequence[str], *, after_stop: bool = False) -> tuple[ResetPlan, ...]:
    """What a reset of their overlays would do, planned together; `after_stop`: once they are stopped."""
    from mvtui.operations import overlay  # noqa: PLC0415

    return await overlay.plan_resets(host, microvms, after_stop=after_stop)


async def act_on_overlay(
    host: Host, verb: OverlayVerb, microvm: str, on_step: Step, *, plan: ResetPlan | None = None
) -> "ResetOutcome":
    """Do it to its end; `on_step` gets what is done now, in words."""
    from mvtui.operations import arming, overlay, overlay_kept  # noqa: PLC0415

    match verb:
        case OverlayVerb.RESET:
            return await overlay.run_reset(host, microvm, on_step, plan=plan)
        case OverlayVerb.FRESH | OverlayVerb.STOP_FRESH:
            stop = verb is OverlayVerb.STOP_FRESH
            return await overlay.run_fresh(host, microvm, on_step, plan=plan, stop=stop)
        case OverlayVerb.RESTORE:
            return await overlay_kept.restore(host, microvm)
        case OverlayVerb.FREE:
            return await overlay_kept.discard(host, microvm)
    return await arming.arm(host, microvm, _ARMED[verb])


async def choose_image(host: Host, microvm: str, image: str) -> None:
    """Remember that this image is its overlay. Raises MvtuiError where that can't be written."""
    from mvtui.operations import overlay  # noqa: PLC0415

    await asyncio.to_thread(overlay.remember_image, host, microvm, image)


def open_logs(host: Host, microvm: str) -> Logs:
    """What it has logged."""
    from mvtui.operations import logs  # noqa: PLC0415

    return logs.open_logs(host, [microvm])


async def examine(host: Host, snapshot: Snapshot) -> "HostReport":
    """What is wrong with the host itself."""
    from mvtui.operations import doctor  # noqa: PLC0415

    return await asyncio.to_thread(doctor.examine, host, snapshot)


class PlanGrowth(Protocol):
    """What makes the plan of a growth, as `growing.plan_growth`."""

    async def __call__(self, host: Host, microvm: str, image: str, *, way: GrowWay | None = None) -> GrowPlan:
        """The plan to the size that is defined; `way`: how, None: the safest. Raises MvtuiError."""


RunGrowth = Callable[[Host, GrowPlan, Step], Awaitable["ResetOutcome"]]


async def plan_growth(host: Host, microvm: str, image: str, *, way: GrowWay | None = None) -> GrowPlan:
    """What growing that image to its defined size would do."""
    from mvtui.operations import growing  # noqa: PLC0415

    return await growing.plan_growth(host, microvm, image, way=way)


async def run_growth(host: Host, plan: GrowPlan, on_step: Step) -> "ResetOutcome":
    """Do what is planned; `on_step` gets what is done now, in words."""
    from mvtui.operations import growing  # noqa: PLC0415

    return await growing.run_growth(host, plan, on_step)


def read_timelines(host: Host) -> Callable[[str, object], "Timeline"]:
    """What reads the timelines of `host`; blocking."""
    readers: list[TimelineReader] = []

    def read(microvm: str, mark: object) -> "Timeline":
        from mvtui.operations.timeline import TimelineReader  # noqa: PLC0415

        if not readers:
            readers.append(TimelineReader(host))
        return readers[0].read(microvm, mark)

    return read


async def find_login(host: Host, microvm: MicroVM, user: str = DEFAULTS.ssh_user) -> "Login":
    """The way into its guest, for `user`. Raises MvtuiError with all that is missing."""
    from mvtui.operations import into  # noqa: PLC0415

    return await asyncio.to_thread(into.find_login, host, microvm, user)


def no_bundle(_host: Host, _snapshot: Snapshot, microvm: MicroVM) -> "Written":
    """The command line gives what makes one."""
    raise MvtuiError("this panel makes no bundles", own_command("bundle", microvm.name))


def copy_text(text: str, calls: CallLog) -> "Copied":
    """Copy it in every way that there is here."""
    from mvtui.operations import copying  # noqa: PLC0415

    return copying.copy_text(text, os.environ, calls)


class PlanSource(Protocol):
    """What makes the plan of a share's source, as `making_source.plan_source`."""

    async def __call__(self, host: Host, microvm: MicroVM, share: Share, *, typed: bool = False) -> SourcePlan:
        """The plan; `typed`: a person has just written the source."""


RunSource = Callable[[Host, SourcePlan], Awaitable["ResetOutcome"]]


async def plan_source(host: Host, microvm: MicroVM, share: Share, *, typed: bool = False) -> SourcePlan:
    """What making the source of that share would do."""
    from mvtui.operations import making_source  # noqa: PLC0415

    return await making_source.plan_source(host, microvm, share, typed=typed)


async def run_source(host: Host, plan: SourcePlan) -> "ResetOutcome":
    """Do what is planned."""
    from mvtui.operations import making_source  # noqa: PLC0415

    return await making_source.run_source(host, plan)


@dataclass(frozen=True, slots=True)
class Seams:
    """`now` is local time; `monotonic` is in seconds."""

    now: Callable[[], datetime] = local_now
    monotonic: Callable[[], float] = time.monotonic
    source: Source = look
    run: Run = act
    cancel: Cancel = call_off
    plan: Plan = plan
    run_overlay: RunOverlay = act_on_overlay
    choose: Choose = choose_image
    examine: Examine = examine
    plan_growth: PlanGrowth = plan_growth
    run_growth: RunGrowth = run_growth
    find_login: Callable[[Host, MicroVM], Awaitable["Login"]] = find_login
    bundle: MakeBundle = no_bundle
    copy: Callable[[str, CallLog], "Copied"] = copy_text
    plan_source: PlanSource = plan_source
    run_source: RunSource = run_source
    forms: FormSeams = field(default_factory=FormSeams)
    logs: Callable[[Host, str], Logs] = open_logs
    timeline: Callable[[Host], Callable[[str, object], "Timeline"]] = read_timelines
    in_thread: InThread = asyncio.to_thread
