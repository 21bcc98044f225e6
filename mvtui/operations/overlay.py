"""Resets writable store overlays. Everything is checked when it is planned, and again right before the new one gets the
name; killed or cancelled in between, the old or the new one is there, whole."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.armed import Mark, made_path, mark_of, note_made
from mvtui.host.ports import Host
from mvtui.host.records import remember_image as remember
from mvtui.model.format import size
from mvtui.model.microvm import Snapshot
from mvtui.model.overlay import KeptOverlay, OverlayFacts, OverlayTarget, ResetPlan
from mvtui.model.overlay_checks import OverlayEvidence
from mvtui.model.overlay_plan import plan_reset
from mvtui.model.own_command import own_command
from mvtui.model.text import clean
from mvtui.model.unit import UnitVerb
from mvtui.operations import lifecycle
from mvtui.operations.kept import Kept
from mvtui.operations.overlay_evidence import (
    came_up_on,
    child_ready,
    complete,
    gather,
    get_to_know,
    has_files,
    look,
    made_at,
    targeted,
    tools_of,
    working,
)
from mvtui.operations.overlay_kept import discard, free_older, restore
from mvtui.operations.overlay_outcome import Attempt, Progress, ResetOutcome, of_plan, recorded, silent
from mvtui.operations.uninterrupted import both, in_thread, to_its_end

if TYPE_CHECKING:
    from mvtui.host.overlay.worker import OverlayWorker

__all__ = [
    "ResetOutcome",
    "discard",
    "free_older",
    "plan_resets",
    "remember_image",
    "restore",
    "run_fresh",
    "run_reset",
]

_NO_IMAGES: Mapping[str, str] = {}


async def plan_resets(
    host: Host, names: Iterable[str], *, images: Mapping[str, str] = _NO_IMAGES, after_stop: bool = False
) -> tuple[ResetPlan, ...]:
    """The plans of all `names`, from one look; two that have the same image refuse each other. `images` are what a
    person named as the overlay, by microVM (nothing is remembered yet). `after_stop`: what could be done once each is
    stopped, for "stop, reset, start".

    Nothing is changed. What can't be looked at is a check of its plan that says why (rights, too). Raises MvtuiError
    where there is no such microVM.
    """
    snapshot = await look(host, Kept(host, inline=False))
    plans = []
    for name in dict.fromkeys(names):
        evidence = await in_thread(targeted, host, snapshot, name, images.get(name))
        evidence = evidence._replace(after_stop=after_stop)
        rights_missing = False
        tools: tuple[str, ...] = ()
        if has_files(evidence):
            try:
                tools = await in_thread(tools_of, host, evidence.microvm)
                async with working(host, name, evidence.target, tools, "plan") as worker:
                    evidence = await gather(host, snapshot, evidence, worker)
            except MvtuiError as error:
                evidence = evidence._replace(trouble=(error.message, error.hint))
                rights_missing = isinstance(error, RightsMissingError)
        plans.append(plan_reset(evidence)._replace(rights_missing=rights_missing, tools=tools))
    if any(plan.ok for plan in plans):
        await in_thread(child_ready)
    return tuple(plans)


async def run_reset(
    host: Host,
    name: str,
    on_progress: Progress | None = None,
    *,
    plan: ResetPlan | None = None,
    starting: bool = False,
) -> ResetOutcome:
    """Reset the overlay of the microVM `name`: planned, made, checked again, given the name, checked after.
    `on_progress` gets a sentence for each of these. `plan`: what somebody agreed to; where
    the overlay is elsewhere by now, it is refused. `starting`: the microVM's own start waits for it (ExecStartPre).

    Raises RightsMissingError; all else that stands against it is an outcome. Cancelled, it leaves the old or the new
    one, whole.
    """
    attempt = Attempt(host, name, "reset", on_progress)
    return await attempt.run(_reset(attempt, plan, starting=starting))


async def _reset(attempt: Attempt, agreed: ResetPlan | None, *, starting: bool) -> ResetOutcome:
    host, name = attempt.host, attempt.microvm
    kept = Kept(host, inline=False)
    if agreed is not None and agreed.ok:
        async with working(host, name, agreed.target, agreed.tools, "reset") as worker:
            return await _carry_out(attempt, kept, agreed, worker, starting=starting)
    snapshot = await look(host, kept)
    evidence = (await in_thread(targeted, host, snapshot, name))._replace(starting=starting)
    if not has_files(evidence):
        return of_plan(name, "reset", plan_reset(evidence))
    tools = await in_thread(tools_of, host, evidence.microvm)
    async with working(host, name, evidence.target, tools, "reset") as worker:
        plan = plan_reset(await gather(host, snapshot, evidence, worker))
        if not plan.ok:
            return of_plan(name, "reset", plan)
        return await _carry_out(attempt, kept, plan, worker, starting=starting)


async def _carry_out(
    attempt: Attempt, kept: Kept, plan: ResetPlan, worker: OverlayWorker, *, starting: bool
) -> ResetOutcome:
    """Do what is planned well; all of it is checked again before anything gets or loses its name. Where it is not done,
    the new one goes with the worker."""
    how = f": mkfs.{plan.new.fs_type}" if plan.new is not None else ""
    attempt.say(f"Making the new one{how}.")
    expected = plan.facts.file_id if plan.facts is not None else None
    await both(in_thread(worker.make, plan.new, expected), get_to_know(attempt.host, kept))
    attempt.say("Checking again that nothing uses the old one.")
    refused = await _refused_now(attempt.host, kept, plan, worker, starting=starting)
    if refused is not None:
        return refused
    return await to_its_end(_commit(attempt, kept, plan, worker, starting=starting))


async def _refused_now(
    host: Host, kept: Kept, before: ResetPlan, worker: OverlayWorker, *, starting: bool
) -> ResetOutcome | None:
    """What stands against it now that the new one is complete; None where nothing does."""
    name = before.microvm
    snapshot, facts = await both(look(host, kept), in_thread(worker.look))
    evidence = await in_thread(_evidence_again, host, snapshot, before, facts)
    if evidence.target != before.target:
        words = f"{name}: no reset: where its overlay is has changed meanwhile"
        return ResetOutcome(
            name, "reset", False, words, f"{own_command('reset', name, option='--dry-run')} shows it", refused=True
        )
    plan = plan_reset(evidence._replace(starting=starting, made=True))
    return None if plan.ok else of_plan(name, "reset", plan)


def _evidence_again(host: Host, snapshot: Snapshot, before: ResetPlan, facts: OverlayFacts) -> OverlayEvidence:
    """All of it where the overlay still is where it was and is still trusted, else what stands against it. Blocking."""
    evidence = targeted(host, snapshot, before.microvm)
    if evidence.target != before.target or not has_files(evidence):
        return evidence
    return complete(host, snapshot, evidence, facts)


async def _commit(
    attempt: Attempt, kept: Kept, plan: ResetPlan, worker: OverlayWorker, *, starting: bool
) -> ResetOutcome:
    host, name, target = attempt.host, attempt.microvm, plan.target
    attempt.say("Giving it the name.")
    old, unused, mark = await in_thread(_exchange, host, plan, worker)
    if old is not None and await came_up_on(host, kept, name, target, old, starting=starting):
        await in_thread(worker.undo_commit)
        words = f"{name}: no reset: it was started meanwhile and has the old overlay, which has its name back"
        return attempt.done(ResetOutcome(name, "reset", False, words, _stop(name), refused=True, plan=plan))
    words = f"{name}: the overlay is reset"
    if unused is not None:
        words += ", the last one was unused"
    elif old is not None:
        aside = f"{size(old.allocated)} are" if old.allocated is not None else "the old one is"
        words += f", {aside} set aside"
    back = "brings it back" if unused is None else "brings the one before back"
    hint = f"{own_command('restore', clean(name))} {back}" if old is not None else ""
    outcome = attempt.done(ResetOutcome(name, "reset", True, words, hint, plan=plan))
    _, trouble = await both(
        in_thread(_note_made, host, name, target, mark), _free_older(host, name, worker, unused, starting=starting)
    )
    if trouble:
        return attempt.done(outcome._replace(words=f"{words}; what was set aside before is not freed: {trouble}"))
    return outcome


def _exchange(host: Host, plan: ResetPlan, worker: OverlayWorker) -> tuple[KeptOverlay | None, str | None, Mark | None]:
    """What is set aside, and its name where mvtui made it, nobody has used it since, and there is an older one: that is
    worth more. Then the mark of the new one, before anybody can have used it. Blocking."""
    path = made_at(host, plan.target)
    unused = made_path(host.records, plan.microvm) == path  # a moment later its ctime is another
    old = worker.commit()
    has_older = plan.facts is not None and bool(plan.facts.kept)
    return old, old.name if old is not None and unused and has_older else None, mark_of(path)


def _note_made(host: Host, name: str, target: OverlayTarget, mark: Mark | None) -> None:
    with suppress(MvtuiError):  # it then counts as used
        note_made(host.records, name, made_at(host, target), mark)


async def _free_older(host: Host, name: str, worker: OverlayWorker, unused: str | None, *, starting: bool) -> str:
    """What was set aside before is freed in the background; why not, "" where it is."""
    try:
        if not starting:
            await in_thread(worker.free_older_in_background, unused=unused)
        elif await in_thread(worker.throw_older_away):
            await host.units.free_apart(name, lifecycle.sudo_argv(host, "reset", name, "--free"))
    except MvtuiError as error:
        return error.message
    return ""


def _stop(name: str) -> str:
    return own_command("stop", clean(name))


async def run_fresh(
    host: Host,
    name: str,
    on_progress: Progress | None = None,
    *,
    plan: ResetPlan | None = None,
    stop: bool = False,
) -> ResetOutcome:
    """Reset the overlay of the microVM `name` (`plan` as for `run_reset`), then start it; with `stop`, stop it before,
    if the reset would be possible then. A reset that is refused or fails starts nothing; one with nothing to reset does
    no harm.

    Raises RightsMissingError, and MvtuiError where the manager does not answer.
    """
    action = "stop, reset and start" if stop else "reset and start"
    say = on_progress or silent
    began = time.monotonic()
    if stop:
        (plan,) = await plan_resets(host, [name], after_stop=True)
        if not plan.ok and not plan.nothing:
            return recorded(host, of_plan(name, "reset", plan)._replace(action=action))
        say("Stopping it.")
        stopped = await lifecycle.run(host, UnitVerb.STOP, name)
        if not stopped.ok:
            return ResetOutcome(name, action, False, stopped.words, stopped.hint, stopped.seconds)
    reset = await run_reset(host, name, on_progress, plan=plan)
    if not reset.ok and not reset.nothing:
        return reset._replace(action=action, seconds=time.monotonic() - began)
    say("Starting it.")
    started = await lifecycle.run(host, UnitVerb.START, name)
    return reset._replace(
        action=action,
        ok=started.ok,
        words=f"{reset.words}; {started.words}",
        hint=reset.hint if started.ok else started.hint,
        seconds=time.monotonic() - began,
    )


def remember_image(host: Host, name: str, image: str) -> None:
    """Remember that a person chose `image` as the overlay of `name`: it counts where neither what is built nor the
    definition file can tell. Raises RightsMissingError, MvtuiError."""
    remember(host.records, name, image)
