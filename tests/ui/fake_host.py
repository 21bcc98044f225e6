"""A host that does what the test says: snapshots when it says so, and a record of every verb that was asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.host.clipboard import osc52
from mvtui.host.ports import Host
from mvtui.host.themes import read_themes, shipped_folder
from mvtui.model.definition import Share
from mvtui.model.finding import Finding, Severity
from mvtui.model.growth import GrowPlan, GrowWay
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.overlay import ResetPlan
from mvtui.model.process import ProcessSample
from mvtui.model.source_plan import SourcePlan
from mvtui.model.unit import JobResult, UnitStatus, UnitVerb
from mvtui.operations.bundle import Written
from mvtui.operations.copying import Copied
from mvtui.operations.doctor import HostReport
from mvtui.operations.into import Login
from mvtui.operations.lifecycle import Outcome, Progress
from mvtui.operations.overlay_outcome import ResetOutcome
from mvtui.ui.app import MvtuiApp
from mvtui.ui.command import OverlayVerb
from mvtui.ui.seams import Seams
from tests.ui.fake_definitions import FakeDefinitions
from tests.ui.fake_logs import FakeLogs
from tests.ui.growth_samples import growth_of
from tests.ui.history_samples import Told
from tests.ui.overlay_samples import plan_of
from tests.ui.samples import NOW, PRODUCT
from tests.ui.timeline_samples import PAST


class NoUnits:
    """Units that are never asked: snapshots and verbs come from the fake."""

    @property
    def manager(self) -> str:
        return "systemd"

    async def statuses(self) -> Mapping[str, UnitStatus]:
        raise NotImplementedError

    async def run_job(self, verb: UnitVerb, unit: str) -> JobResult:
        raise NotImplementedError

    @property
    def can_cancel(self) -> bool:
        return True

    async def cancel(self, microvm: str) -> str:
        raise NotImplementedError

    async def before_start(self, microvm: str) -> tuple[tuple[str, ...], ...]:
        raise NotImplementedError

    async def reload(self) -> None:
        raise NotImplementedError

    async def free_apart(self, microvm: str, argv: Sequence[str]) -> None:
        raise NotImplementedError

    def changes(self) -> AsyncIterator[None]:
        raise NotImplementedError

    async def close(self) -> None:
        return


class NoProcesses:
    def sample(self, *, slow: bool = False) -> Mapping[int, ProcessSample]:
        raise NotImplementedError

    def close(self) -> None:
        return


REPORT = HostReport(
    (
        Finding(
            Severity.WARNING,
            "disk",
            "disk 96%",
            "The disk under /var/lib/microvms is 96% full.",
            "38G left.",
            "free space where /var/lib/microvms is",
        ),
    ),
    (
        ("KVM", "/dev/kvm can be used (root:kvm 0666)"),
        ("vhost-vsock", "/dev/vhost-vsock can be used (root:kvm 0660)"),
        ("space", "/var/lib/microvms: 38G of 932G free, 96% full"),
        ("open files", "41232 of 9223372"),
        ("user", "microVMs run as microvm, mvtui as uid 0"),
        ("journal", "can be read"),
    ),
)


# Without those of whoever runs the tests.
SHIPPED = read_themes([shipped_folder()])

P = ParamSpec("P")
T = TypeVar("T")


async def at_once(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns, without a thread."""
    return work(*args, **kwargs)


class FakeHost:
    """`now` and `seconds` are the clocks; `asked` is what was run; a verb ends when `finish` says how;
    `calls` has what was called. Plans are those of `plans`, or made of what the snapshot tells (`plan_of`), at once,
    or where `planning` is cleared, when it is set; `overlays` is what was done with overlays."""

    def __init__(self, snapshot: Snapshot | None = PRODUCT) -> None:
        self.now = NOW
        self.seconds = 1000.0
        self.asked: list[tuple[UnitVerb, str]] = []
        self.cancelled: list[str] = []
        self.calls = Told()
        # What was run, cancelled, and run behind sudo.
        self.deeds: list[tuple[str, str]] = []
        self.overlays: list[tuple[OverlayVerb, str]] = []
        self.growths: dict[str, GrowPlan | MvtuiError] = {}
        self.grown: list[tuple[str, str, GrowWay]] = []
        self.source_plans: dict[str, SourcePlan] = {}
        self.made: list[SourcePlan] = []
        self._source_end: asyncio.Future[ResetOutcome]
        self._growth_end: asyncio.Future[ResetOutcome]
        self.agreed: ResetPlan | None = None
        self.chosen: dict[str, str] = {}
        self.logs = FakeLogs()
        self.timeline = PAST
        self.plans: dict[str, ResetPlan | MvtuiError] = {}
        self.planning = asyncio.Event()
        self.planning.set()
        self.steps: dict[str, Callable[[str], None]] = {}
        self.definitions = FakeDefinitions()
        self.report = REPORT
        self.written: Written | MvtuiError = MvtuiError("/root/a.tar.gz can't be written: no space left on device")
        self.login: Login | MvtuiError = MvtuiError("web can't be reached: vsock: it has no vsock number")
        self.copied: list[str] = []
        self.looks = 0
        self.after_look: Callable[[], None] | None = None
        self.progress: dict[tuple[UnitVerb, str], Progress] = {}
        self._ends: dict[tuple[UnitVerb, str], asyncio.Future[Outcome]] = {}
        self._overlay_ends: dict[tuple[OverlayVerb, str], asyncio.Future[ResetOutcome]] = {}
        self._queue: asyncio.Queue[Snapshot | MvtuiError] = asyncio.Queue()
        self.last = snapshot
        if snapshot is not None:
            self._queue.put_nowait(snapshot)

    @property
    def host(self) -> Host:
        nowhere = Path("/proc/mvtui")  # where nothing can be made
        return Host(
            "hv01",
            NoUnits(),
            NoProcesses(),
            Path("/var/lib/microvms"),
            calls=self.calls,
            definitions=nowhere / "definitions",
            records=nowhere / "records",
        )

    @property
    def seams(self) -> Seams:
        return Seams(
            lambda: self.now,
            lambda: self.seconds,
            self.snapshots,
            self.run,
            self.cancel,
            self.plan,
            self.run_overlay,
            self.choose,
            examine=self.examine,
            plan_growth=self.plan_growth,
            run_growth=self.run_growth,
            find_login=self.find_login,
            bundle=self.bundle,
            copy=self.copy,
            plan_source=self.plan_source,
            run_source=self.run_source,
            forms=self.definitions.seams,
            logs=lambda _host, _microvm: self.logs,
            timeline=lambda _host: lambda _microvm, _mark: self.timeline,
            in_thread=at_once,
        )

    def app(self, **options: object) -> MvtuiApp:
        """The panel of this host."""
        return MvtuiApp(self.host, seams=self.seams, **{"themes": lambda: SHIPPED, **options})  # type: ignore[arg-type]

    async def examine(self, host: Host, snapshot: Snapshot) -> HostReport:
        return self.report._replace(findings=(*snapshot.findings, *self.report.findings))

    async def snapshots(self, host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
        while True:
            getting, waking = asyncio.create_task(self._queue.get()), asyncio.create_task(wake.wait())
            try:
                await asyncio.wait({getting, waking}, return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    told = getting.result()
                    if isinstance(told, MvtuiError):
                        raise told
                    self.last = told
                elif self.last is None:
                    continue
                wake.clear()
                self.looks += 1
                yield self.last
                if self.after_look is not None:
                    self.after_look()
            finally:
                getting.cancel()
                waking.cancel()

    def tell(self, told: Snapshot | MvtuiError) -> None:
        """The next look sees this."""
        self._queue.put_nowait(told)

    def passes(self, **span: float) -> None:
        """Time passes, on both clocks."""
        self.now += timedelta(**span)
        self.seconds += timedelta(**span).total_seconds()

    async def run(self, host: Host, verb: UnitVerb, microvm: str, on_progress: Progress | None) -> Outcome:
        assert (verb, microvm) not in self._ends, f"{verb} of {microvm} is under way already"
        self.asked.append((verb, microvm))
        self.deeds.append((str(verb), microvm))
        if on_progress is not None:
            self.progress[verb, microvm] = on_progress
        end: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._ends[verb, microvm] = end
        return await end

    async def cancel(self, host: Host, microvm: str) -> str:
        self.cancelled.append(microvm)
        self.deeds.append(("cancel", microvm))
        return f"start of {microvm} is cancelled"

    async def plan(self, host: Host, microvms: Sequence[str], *, after_stop: bool = False) -> tuple[ResetPlan, ...]:
        await self.planning.wait()
        return tuple(self._plan(name, after_stop=after_stop) for name in microvms)

    def _plan(self, name: str, *, after_stop: bool) -> ResetPlan:
        microvm = self.last.find(name) if self.last is not None else None
        found = self.plans.get(f"{name} stopped" if after_stop else name)
        if isinstance(found, MvtuiError):
            raise found
        if found is not None:
            return found
        if microvm is None:
            raise MvtuiError(f"there is no microVM {name!r}")
        return plan_of(microvm, after_stop=after_stop, chosen=self.chosen.get(name))

    async def choose(self, host: Host, microvm: str, image: str) -> None:
        self.chosen[microvm] = image
        self.deeds.append(("choose", microvm))
        self.plans.pop(microvm, None)

    async def run_overlay(
        self,
        host: Host,
        verb: OverlayVerb,
        microvm: str,
        on_step: Callable[[str], None],
        *,
        plan: ResetPlan | None = None,
    ) -> ResetOutcome:
        self.agreed = plan
        assert (verb, microvm) not in self._overlay_ends, f"{verb} of {microvm} is under way already"
        self.overlays.append((verb, microvm))
        self.deeds.append((str(verb), microvm))
        self.steps[microvm] = on_step
        end: asyncio.Future[ResetOutcome] = asyncio.get_running_loop().create_future()
        self._overlay_ends[verb, microvm] = end
        return await end

    def bundle(self, host: Host, snapshot: Snapshot, microvm: MicroVM) -> Written:
        if isinstance(self.written, MvtuiError):
            raise self.written
        return self.written

    def copy(self, text: str, _calls: CallLog) -> Copied:
        """As a plain terminal does it; no file is left."""
        self.copied.append(text)
        way = "OSC 52 (if the terminal takes it)"
        return Copied((way,), Path("/run/user/1000/mvtui/copied"), "", osc52(text, {"TERM": "xterm-256color"}))

    async def find_login(self, host: Host, microvm: MicroVM) -> Login:
        if isinstance(self.login, MvtuiError):
            raise self.login
        return self.login

    async def plan_growth(self, host: Host, microvm: str, image: str, *, way: GrowWay | None = None) -> GrowPlan:
        found = self.growths.get(f"{microvm} {image}")
        if isinstance(found, MvtuiError):
            raise found
        one = self.last.find(microvm) if self.last is not None else None
        if one is None:
            raise MvtuiError(f"there is no microVM {microvm!r}")
        return found if found is not None else growth_of(one, image, way)

    async def run_growth(self, host: Host, plan: GrowPlan, on_step: Callable[[str], None]) -> ResetOutcome:
        self.grown.append((plan.microvm, plan.image, plan.way))
        self.deeds.append(("grow", plan.microvm))
        self.steps[plan.microvm] = on_step
        self._growth_end = asyncio.get_running_loop().create_future()
        return await self._growth_end

    @property
    def is_growing(self) -> bool:
        """Whether a growth has not ended."""
        return bool(self.grown) and not self._growth_end.done()

    def finish_growth(self, outcome: ResetOutcome | MvtuiError) -> None:
        """It ends so."""
        if isinstance(outcome, MvtuiError):
            self._growth_end.set_exception(outcome)
        else:
            self._growth_end.set_result(outcome)

    async def plan_source(self, host: Host, microvm: MicroVM, share: Share, *, typed: bool = False) -> SourcePlan:
        path = share.source or ""
        plan = SourcePlan(
            microvm.name, share.tag or "?", path, (path,), owner="root:root",
            serves="virtiofsd, which serves it, runs as root", mount_point="/", fs_type="ext4",
        )  # fmt: skip
        return self.source_plans.get(path, plan)

    async def run_source(self, host: Host, plan: SourcePlan) -> ResetOutcome:
        self.made.append(plan)
        self.deeds.append(("make source", plan.microvm))
        self._source_end = asyncio.get_running_loop().create_future()
        return await self._source_end

    def finish_source(self, outcome: ResetOutcome | MvtuiError) -> None:
        """It ends so."""
        if isinstance(outcome, MvtuiError):
            self._source_end.set_exception(outcome)
        else:
            self._source_end.set_result(outcome)

    @property
    def at_work(self) -> list[tuple[OverlayVerb, str]]:
        """What of overlays has not ended."""
        return list(self._overlay_ends)

    def finish_overlay(
        self, verb: OverlayVerb, microvm: str, words: str = "", *, ok: bool = True, hint: str = ""
    ) -> None:
        """It ends so."""
        said = words or f"{microvm}: {verb} is done"
        self._overlay_ends.pop((verb, microvm)).set_result(ResetOutcome(microvm, str(verb), ok, said, hint))

    def fail_overlay(self, verb: OverlayVerb, microvm: str, error: MvtuiError) -> None:
        """It ends with an error."""
        self._overlay_ends.pop((verb, microvm)).set_exception(error)

    def finish(self, verb: UnitVerb, microvm: str, words: str = "", *, ok: bool = True, hint: str = "") -> None:
        """The verb ends so."""
        said = words or f"{microvm}: {verb} is done"
        self._ends.pop((verb, microvm)).set_result(Outcome(microvm, verb, ok, said, 1.0, hint))

    @property
    def running(self) -> list[tuple[UnitVerb, str]]:
        """What has not ended."""
        return list(self._ends)

    def fail(self, verb: UnitVerb, microvm: str, error: MvtuiError) -> None:
        """The verb ends with an error."""
        self._ends.pop((verb, microvm)).set_exception(error)
