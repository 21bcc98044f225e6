"""What resets have set aside: brought back, or freed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host.armed import made_path, note_moved
from mvtui.host.ports import Host
from mvtui.model.format import size
from mvtui.model.overlay import KeptOverlay
from mvtui.model.overlay_checks import OverlayEvidence
from mvtui.model.overlay_plan import plan_reset, restore_checks
from mvtui.model.own_command import own_command
from mvtui.model.text import clean
from mvtui.operations.kept import Kept
from mvtui.operations.overlay_evidence import came_up_on, gather, has_files, look, made_at, targeted, working
from mvtui.operations.overlay_outcome import Attempt, ResetOutcome, of_plan
from mvtui.operations.uninterrupted import in_thread, to_its_end

if TYPE_CHECKING:
    from mvtui.host.overlay.worker import OverlayWorker


async def restore(host: Host, name: str, which: str | None = None) -> ResetOutcome:
    """Bring back what was set aside: the newest, or `which` (KeptOverlay.name). What has the name now is set aside in
    its place, so a second restore takes the first one back.

    Raises RightsMissingError; all else that stands against it is an outcome.
    """
    attempt = Attempt(host, name, "restore")
    return await attempt.run(_restore(attempt, which))


async def _restore(attempt: Attempt, which: str | None) -> ResetOutcome:
    host, name = attempt.host, attempt.microvm
    kept = Kept(host, inline=False)
    snapshot = await look(host, kept)
    evidence = await in_thread(targeted, host, snapshot, name)
    if not has_files(evidence):
        return of_plan(name, "restore", plan_reset(evidence))
    async with working(host, name, evidence.target, (), "restore") as worker:
        evidence = await gather(host, snapshot, evidence, worker)
        refused = next((check for check in restore_checks(evidence, which) if not check.ok), None)
        if refused is not None:
            words = f"{name}: no restore: {refused.why}"
            return ResetOutcome(name, "restore", False, words, refused.fix, refused=True)
        return await to_its_end(_bring_back(attempt, kept, evidence, worker, which))


async def _bring_back(
    attempt: Attempt, kept: Kept, evidence: OverlayEvidence, worker: OverlayWorker, which: str | None
) -> ResetOutcome:
    name = attempt.microvm
    unused = await in_thread(_unused, attempt.host, evidence, which)
    aside = await in_thread(worker.restore, which)
    if aside is not None and await came_up_on(attempt.host, kept, name, evidence.target, aside):
        await in_thread(worker.restore, aside.name)
        words = f"{name}: no restore: it was started meanwhile, and its overlay has its name back"
        return attempt.done(ResetOutcome(name, "restore", False, words, own_command("stop", clean(name)), refused=True))
    await in_thread(_note_moved, attempt.host, evidence, unused, aside)
    if aside is None:
        return attempt.done(ResetOutcome(name, "restore", True, f"{name}: the overlay is back"))
    hint = f"{own_command('restore', clean(name))} changes them back"
    how_large = f" ({size(aside.allocated)})" if aside.allocated is not None else ""
    words = f"{name}: the overlay is back, the other one{how_large} is set aside"
    return attempt.done(ResetOutcome(name, "restore", True, words, hint))


class _Unused(NamedTuple):
    """What mvtui made last and nobody has used: where it is now, and whether it is what comes back."""

    path: str
    comes_back: bool


def _unused(host: Host, evidence: OverlayEvidence, which: str | None) -> _Unused | None:
    made = made_path(host.records, evidence.microvm.name)
    if made is None or evidence.facts is None:
        return None
    if made == made_at(host, evidence.target):
        return _Unused(made, comes_back=False)
    chosen = next((kept for kept in evidence.facts.kept if which in (None, kept.name)), None)
    if chosen is not None and made == made_at(host, evidence.target._replace(path=chosen.path)):
        return _Unused(made, comes_back=True)
    return None


def _note_moved(host: Host, evidence: OverlayEvidence, unused: _Unused | None, aside: KeptOverlay | None) -> None:
    """The two have changed places, which moves the ctime of each as a use would."""
    target = evidence.target
    if unused is not None and not unused.comes_back:
        target = target._replace(path=aside.path if aside is not None else None)
    if unused is not None and target.path is not None:
        with suppress(MvtuiError):  # it then counts as used
            note_moved(host.records, evidence.microvm.name, unused.path, made_at(host, target))


async def free_older(host: Host, name: str) -> ResetOutcome:
    """Free all that resets have set aside but the newest; returns when it is done, which can take hours. It is the
    rest of a reset that is on record. Raises RightsMissingError, MvtuiError."""
    snapshot = await look(host, Kept(host, inline=False))
    evidence = await in_thread(targeted, host, snapshot, name)
    if not has_files(evidence):
        return of_plan(name, "free", plan_reset(evidence))
    async with working(host, name, evidence.target, (), "reset --free") as worker:
        if await in_thread(worker.free_older):
            return ResetOutcome(name, "free", True, f"{name}: what was set aside before the newest is freed")
    return ResetOutcome(name, "free", False, f"{name}: there is nothing to free", nothing=True)


async def discard(host: Host, name: str) -> ResetOutcome:
    """Free all that resets have set aside, in the background; the overlay itself is not touched, and the microVM may
    run. Raises RightsMissingError; all else that stands against it is an outcome."""
    attempt = Attempt(host, name, "discard")
    return await attempt.run(_discard(attempt))


async def _discard(attempt: Attempt) -> ResetOutcome:
    host, name = attempt.host, attempt.microvm
    snapshot = await look(host, Kept(host, inline=False))
    evidence = await in_thread(targeted, host, snapshot, name)
    if not has_files(evidence):
        return of_plan(name, "discard", plan_reset(evidence))
    async with working(host, name, evidence.target, (), "discard") as worker:
        return await to_its_end(_free(attempt, worker))


async def _free(attempt: Attempt, worker: OverlayWorker) -> ResetOutcome:
    name = attempt.microvm
    facts = await in_thread(worker.look)
    count = await in_thread(worker.free_older_in_background, all=True)
    if not count:
        return ResetOutcome(name, "discard", False, f"{name}: nothing is set aside", nothing=True)
    allocated = sum(kept.allocated or 0 for kept in facts.kept)
    how_much = f" ({size(allocated)})" if allocated else ""
    words = f"{name}: what was set aside{how_much} is freed in the background"
    return attempt.done(ResetOutcome(name, "discard", True, words))
