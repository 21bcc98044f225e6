"""A stand-in for the child that does the file work of a reset: it tells what a test says, and notes what is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.overlay import KeptOverlay, NewImage, OverlayFacts, OverlayTarget
from mvtui.operations import overlay_evidence

FACTS = OverlayFacts(
    "rw.img",
    file_id=(1, 2),
    size=64 << 20,
    allocated=30 << 20,
    fs_type="ext4",
    gid=994,
    mode=0o100644,
    in_use=False,
    free=1 << 30,
    mkfs="/sbin/mkfs.ext4",
)
KEPT = KeptOverlay("20260801T120000Z.img", "/nowhere/rw.img", datetime(2026, 8, 1, tzinfo=UTC), 64 << 20, 30 << 20)


@dataclass
class FakeWorker:
    """`at` is what happens at a request, by its name, before it is answered."""

    facts: OverlayFacts = FACTS
    at: dict[str, Callable[[], None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    new: NewImage | None = None
    expected: tuple[int, int] | None = None

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what in self.at:
            self.at[what]()

    def look(self) -> OverlayFacts:
        self._note("look")
        return self.facts

    def make(self, new: NewImage | None, expected: tuple[int, int] | None) -> None:
        self.new, self.expected = new, expected
        self._note("make")

    def commit(self) -> KeptOverlay:
        self._note("commit")
        return KEPT

    def undo_commit(self) -> None:
        self._note("undo_commit")

    def restore(self, name: str | None = None) -> KeptOverlay:
        self._note(f"restore {name}" if name else "restore")
        return KEPT

    def free_older_in_background(self, *, all: bool = False, unused: str | None = None) -> int:  # noqa: A002
        self._note("free all" if all else "free" if unused is None else f"free {unused}")
        return len(self.facts.kept) if all else 0

    def throw_older_away(self) -> bool:
        self._note("throw away")
        return bool(self.facts.kept)

    def free_older(self) -> int:
        self._note("free and wait")
        return len(self.facts.kept)

    def close(self) -> None:
        self._note("close")

    @property
    def changes(self) -> list[str]:
        """What was asked but looks, from the first of `make`, `restore` and `free` on."""
        return [what for what in self.asked if what not in ("look", "close")]


@dataclass
class Workers:
    """Whoever starts a worker gets `worker`, or `error`."""

    worker: FakeWorker = field(default_factory=FakeWorker)
    error: MvtuiError | None = None
    verbs: list[str] = field(default_factory=list)
    targets: list[OverlayTarget] = field(default_factory=list)

    def start(self, host: Host, name: str, target: OverlayTarget, tools: Sequence[str], verb: str) -> FakeWorker:
        self.verbs.append(verb)
        self.targets.append(target)
        if self.error is not None:
            raise self.error
        return self.worker


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    made = Workers()
    monkeypatch.setattr(overlay_evidence, "_start_worker", made.start)
    return made


def failing(error: MvtuiError) -> Callable[[], None]:
    """What happens at a request that fails."""

    def fail() -> None:
        raise error

    return fail
