"""The operations on overlays: a test sets what is planned and what comes of it, and sees what was asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.definition import Volume
from mvtui.model.overlay import (
    Armed,
    Check,
    KeptOverlay,
    NewImage,
    OverlayFacts,
    OverlayKind,
    OverlayTarget,
    ResetPlan,
    ToldBy,
)
from mvtui.operations.arming import AtStart
from mvtui.operations.overlay import ResetOutcome
from tests.fakes import EPOCH

_IMAGE = "/var/lib/microvms/web/nix-rw.img"
_MADE = EPOCH - timedelta(days=9)
KEPT = KeptOverlay(
    "20260801T110000Z.img",
    "/var/lib/microvms/web/.mvtui/overlay/nix-rw.img/20260801T110000Z.img",
    EPOCH - timedelta(hours=1),
    2 << 30,
    100 << 20,
)
PLAN = ResetPlan(
    "web",
    OverlayTarget(
        OverlayKind.VOLUME, _IMAGE, Volume("nix-rw.img", "a", "/nix/.rw-store", 2048, "ext4"), None, ToldBy.BUILT
    ),
    OverlayFacts(
        _IMAGE,
        (64769, 77),
        None,
        2 << 30,
        300 << 20,
        "ext4",
        None,
        _MADE,
        993,
        994,
        0o644,
        True,
        False,
        9 << 30,
        "/nix/store/1-e2fsprogs/bin/mkfs.ext4",
        None,
        (KEPT,),
    ),
    NewImage(2 << 30, "ext4", None, ("-m", "0"), 994, 0o644),
    (Check("all of its units are inactive", True), Check("no process has it open", True)),
    ("make a new image beside it", "exchange the two"),
    ("what the guest built or wrote since",),
    ("the guest's other volumes and shares",),
    ("the old image; mvtui restore web brings it back",),
)
REFUSED = PLAN._replace(
    microvm="git",
    checks=(
        Check("all of its units are inactive", False, "microvm@git.service is active", "mvtui stop git"),
        Check("no process has it open", False, "qemu (pid 7) has it open"),
    ),
)
NOTHING = ResetPlan("git", OverlayTarget(OverlayKind.TMPFS), nothing="the overlay is in the guest's memory")


def done(name: str, action: str = "reset") -> ResetOutcome:
    return ResetOutcome(name, action, True, f"{name}: {action}: done", seconds=0.25, plan=PLAN)


@dataclass
class FakeOverlay:
    """`plans` and `outcomes` are by microVM; what has none is planned well, and done. `asked` is what was done."""

    plans: dict[str, ResetPlan] = field(default_factory=dict)
    outcomes: dict[str, ResetOutcome | MvtuiError] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    at_start: int = 0
    armed: bool = True

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("plan_resets", "run_reset", "run_fresh", "restore", "discard", "free_older", "remember_image"):
            monkeypatch.setattr(f"mvtui.operations.overlay.{name}", getattr(self, name))
        for name in ("arm", "reset_if_armed", "give_up_later", "leave"):
            monkeypatch.setattr(f"mvtui.operations.arming.{name}", getattr(self, name))

    async def plan_resets(
        self, host: Host, names: Sequence[str], *, images: Mapping[str, str] = {}
    ) -> tuple[ResetPlan, ...]:
        if images:
            self.asked.append(("plan", dict(images)))
        return tuple(self.plans.get(name, PLAN._replace(microvm=name)) for name in names)

    async def run_reset(
        self,
        host: Host,
        name: str,
        on_progress: Callable[[str], None] | None = None,
        *,
        plan: ResetPlan | None = None,
    ) -> ResetOutcome:
        return self._came_of("reset", name)

    async def run_fresh(self, host: Host, name: str, on_progress: Callable[[str], None] | None = None) -> ResetOutcome:
        return self._came_of("reset and start", name)

    async def restore(self, host: Host, name: str) -> ResetOutcome:
        return self._came_of("restore", name)

    async def discard(self, host: Host, name: str) -> ResetOutcome:
        return self._came_of("discard", name)

    async def free_older(self, host: Host, name: str) -> ResetOutcome:
        return self._came_of("free", name)

    def remember_image(self, host: Host, name: str, image: str) -> None:
        self.asked.append(("remember", name, image))

    async def arm(self, host: Host, name: str, how: Armed | None, *, persistent: bool, strict: bool) -> ResetOutcome:
        return self._came_of("arm", name, how, persistent, strict)

    async def reset_if_armed(self, host: Host, name: str, *, strict: bool) -> AtStart:
        return AtStart(self._came_of("if armed", name, strict), self.at_start, armed=self.armed)

    def give_up_later(self) -> None:
        self.asked.append(("give up later",))

    def leave(self, code: int) -> None:
        self.asked.append(("leave", code))

    def _came_of(self, action: str, name: str, *more: object) -> ResetOutcome:
        self.asked.append((action, name, *more))
        outcome = self.outcomes.get(name, done(name, action))
        if isinstance(outcome, MvtuiError):
            raise outcome
        return outcome
