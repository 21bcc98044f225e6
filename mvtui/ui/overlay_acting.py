"""From a key to what is done with overlays: planned beside the event loop, asked with the plan, done, told."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from textual.worker import Worker

from mvtui.errors import MvtuiError
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay import OverlayKind, ResetPlan
from mvtui.model.text import clean
from mvtui.ui import jobs, overlay_questions, questions
from mvtui.ui.acting import ActingApp
from mvtui.ui.command import OverlayVerb, Verb
from mvtui.ui.commands import command

# A plan that takes longer is announced.
MOMENT_SECONDS = 0.3

# The plans of what is meant, and why the others of it are refused.
Ask = Callable[[Sequence[ResetPlan], Sequence[str]], None]
# The plan is the one that was agreed to, where there is one.
Begin = Callable[[str, OverlayVerb, ResetPlan | None], None]

_STOPPED_VERBS = (OverlayVerb.RESET, OverlayVerb.FRESH)
_RUNNING_VERBS = (OverlayVerb.STOP_FRESH, OverlayVerb.ARM_ONCE)


class OverlayApp(ActingApp, inherit_bindings=False):
    """The part of the panel that resets overlays, brings them back, frees them, arms."""

    def action_reset(self) -> None:
        """Reset the overlay of what is selected or marked."""
        self._look_at_overlays("reset", self._ask_to_reset)

    def action_undo(self) -> None:
        """Bring back what was set aside last."""
        self._look_at_overlays("undo", partial(self._ask_about_kept, OverlayVerb.RESTORE))

    def action_free(self) -> None:
        """Free what was set aside."""
        self._look_at_overlays("free", partial(self._ask_about_kept, OverlayVerb.FREE))

    def action_arm(self) -> None:
        """Have it reset by itself, or no longer."""
        if self.panel.asks:
            return
        usable, refused = self._usable("arm")
        if not usable:
            self.say(refused[0], "warning")
        elif len(self.panel.targets) == 1:
            act = partial(self._begin_overlay, usable[0].name)
            self.panel.ask(overlay_questions.may_arm(usable[0], self.host.name, act))
        else:
            act_on_all = partial(self._ask_to_arm_several, tuple(one.name for one in usable), refused)
            self.panel.ask(overlay_questions.may_arm_several(len(usable), self.host.name, act_on_all))

    # Planning

    def _usable(self, id: str) -> tuple[list[MicroVM], list[str]]:  # noqa: A002
        """Those that the command can be used on, and why the others are refused; at least one is the one or other."""
        targets = self.panel.targets
        told = [(one, command(id).refusal(self.panel.situation(one))) for one in targets]
        refused = [refusal for _, refusal in told if refusal]
        if not targets:
            refused = [command(id).refusal(self.panel.situation(None))]
        return [one for one, refusal in told if not refusal], refused

    def _look_at_overlays(self, id: str, ask: Ask) -> None:  # noqa: A002
        """Plan, then ask; what was planned before is forgotten."""
        if self.panel.asks:
            return
        usable, refused = self._usable(id)
        if not usable:
            self.say(refused[0], "warning")
            return
        names = tuple(one.name for one in usable)
        self._begin_planning(partial(self._plan, names, refused, ask))

    def _begin_planning(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        # No coroutine yet: one that is cancelled before it begins would never be awaited.
        _: Worker[None] = self.run_worker(work, name="plan", group="plan", exclusive=True)

    async def _plan(self, names: Sequence[str], refused: Sequence[str], ask: Ask) -> None:
        meant = self._meant
        what = f"the overlay of {clean(names[0])}" if len(names) == 1 else f"{len(names)} overlays"
        try:
            with self._announced(f"looking at {what} …"):
                plans = await self.seams.plan(self.host, names)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        # Whoever went elsewhere meanwhile wants no question about it.
        if not self.panel.asks and self._meant == meant:
            self.update(message=())
            ask(plans, refused)

    @contextmanager
    def _announced(self, words: str) -> Iterator[None]:
        """Say so where what is done takes longer than a moment."""
        announcing = self.set_timer(MOMENT_SECONDS, partial(self.say, words, "text"))
        try:
            yield
        finally:
            announcing.stop()

    @property
    def _meant(self) -> tuple[str | None, ...]:
        return (self.panel.opened, *[one.name for one in self.panel.targets])

    def stop_planning(self) -> None:
        """Nothing is to be asked that was planned before."""
        self.workers.cancel_group(self, "plan")

    # Asking

    def _ask_to_reset(self, plans: Sequence[ResetPlan], refused: Sequence[str]) -> None:
        if len(self.panel.targets) > 1:
            refused = (*refused, *[f"{plan.microvm}: {plan.refusal}" for plan in plans if not plan.ok])
            self._ask_several(OverlayVerb.RESET, [plan for plan in plans if plan.ok], refused)
            return
        (plan,) = plans
        microvm = self.shown.find(plan.microvm)
        if microvm is None:
            self.say(f"{plan.microvm} is gone", "warning")
        elif plan.nothing:
            self.say(f"{plan.microvm}: {plan.nothing}", "warning")
        elif plan.rights_missing:
            running = microvm.state.word.is_up
            self._ask_with_sudo(_RUNNING_VERBS if running else _STOPPED_VERBS, plan)
        elif plan.target.kind is OverlayKind.UNKNOWN and plan.target.told_by is None:
            self._ask_which(plan, microvm)
        elif not plan.ok and microvm.state.word.is_up:
            self._begin_planning(partial(self._ask_about_running, plan))
        else:
            self._ask_with_plan(plan, None)

    def _ask_with_plan(self, plan: ResetPlan, stopped: ResetPlan | None) -> None:
        now, act = self.seams.now(), partial(self._do_with_plan, plan, self._begin_overlay)
        self.panel.ask(overlay_questions.may_reset(plan, stopped, self.host.name, now, act))

    def _do_with_plan(self, plan: ResetPlan, begin: Begin, verb: OverlayVerb) -> None:
        """Begin; to stop it first, its name must be typed."""
        microvm = self.shown.find(plan.microvm)
        if verb is not OverlayVerb.STOP_FRESH or microvm is None:
            begin(plan.microvm, verb, plan)
            return

        def act(verb: OverlayVerb) -> None:
            begin(plan.microvm, verb, None)  # what is there once it is stopped, nobody knows yet

        uptime = questions.uptime(microvm, self.seams.now())
        self.panel.ask(overlay_questions.may_stop_and_reset(plan, microvm, self.host.name, uptime, act))

    async def _ask_about_running(self, plan: ResetPlan) -> None:
        """It can't be reset while it runs: whether it could once it is stopped."""
        meant = self._meant
        try:
            (stopped,) = await self.seams.plan(self.host, (plan.microvm,), after_stop=True)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        if not self.panel.asks and self._meant == meant:
            self._ask_with_plan(plan, stopped)

    def _ask_which(self, plan: ResetPlan, microvm: MicroVM) -> None:
        choose = partial(self._choose, microvm.name)
        question = overlay_questions.may_choose(microvm, plan.refusal, self.host.name, choose)
        if question is None:
            self.say(f"{microvm.name}: {plan.refusal}", "warning")
        else:
            self.panel.ask(question)

    def _choose(self, name: str, image: str) -> None:
        self.run_worker(self._remember(name, image), name=f"choose {name}", group=f"choose {name}")

    async def _remember(self, name: str, image: str) -> None:
        refusal = self._refusal(command("reset"), name)
        if refusal:
            self.say(refusal, "warning")
            return
        try:
            await self.seams.choose(self.host, name, image)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        if [one.name for one in self.panel.targets] == [name]:
            self.action_reset()

    def _ask_about_kept(self, verb: OverlayVerb, plans: Sequence[ResetPlan], refused: Sequence[str]) -> None:
        having = [plan for plan in plans if plan.facts is not None and plan.facts.kept]
        nothing = [f"{plan.microvm}: no overlay of it is kept" for plan in plans if plan not in having]
        if len(self.panel.targets) > 1:
            self._ask_several(verb, having, (*refused, *nothing))
        elif plans[0].rights_missing:
            self._ask_with_sudo((verb,), plans[0])
        elif not having:
            self.say(nothing[0], "warning")
        else:
            self._ask_about_one_kept(verb, having[0])

    def _ask_about_one_kept(self, verb: OverlayVerb, plan: ResetPlan) -> None:
        microvm = self.shown.find(plan.microvm)
        if microvm is None:
            self.say(f"{plan.microvm} is gone", "warning")
            return
        make = overlay_questions.may_restore if verb is OverlayVerb.RESTORE else overlay_questions.may_free
        act = partial(self._begin_overlay, plan.microvm)
        self.panel.ask(make(plan, microvm, self.host.name, self.seams.now(), act))

    def _ask_with_sudo(self, verbs: Sequence[OverlayVerb], plan: ResetPlan) -> None:
        act = partial(self._do_with_plan, plan, self._begin_overlay_with_sudo)
        self.panel.ask(overlay_questions.may_with_sudo(verbs, plan, self.host.name, act))

    def _ask_several(self, verb: OverlayVerb, plans: Sequence[ResetPlan], refused: Sequence[str]) -> None:
        if not plans:
            self.say(refused[0], "warning")
            return
        act = partial(self._begin_several, verb, tuple(plan.microvm for plan in plans))
        self.panel.ask(overlay_questions.may_on_several(verb, plans, refused, self.host.name, act))

    def _ask_to_arm_several(self, names: Sequence[str], refused: Sequence[str], verb: OverlayVerb) -> None:
        plans = [ResetPlan(name, overlay_questions.NO_TARGET) for name in names]
        self._ask_several(verb, plans, refused)

    # Doing

    def _begin_overlay(self, name: str, verb: OverlayVerb, plan: ResetPlan | None = None) -> None:
        """Begin, if it may still be: the host may have changed since the question."""
        refusal = self._refusal(command(verb.command), name)
        if refusal:
            self.say(refusal, "warning")
        else:
            self._work(self._run_overlay(verb, name, plan), verb, name)

    async def _run_overlay(self, verb: OverlayVerb, name: str, plan: ResetPlan | None) -> None:
        end = await self._run_one(verb, name, plan)
        if end.lacks_rights and not self.panel.asks and not self._refusal(command(verb.command), name):
            act = partial(self._begin_overlay_with_sudo, name)
            self.panel.ask(overlay_questions.may_try_sudo(verb, name, self.host.name, act))

    async def _run_one(self, verb: OverlayVerb, name: str, plan: ResetPlan | None = None) -> jobs.JobEnd:
        undo_key = self.panel.situation(None).key("undo")
        on_step = partial(self._on_step, verb, name)
        run = partial(self.seams.run_overlay, plan=plan)
        end = await jobs.run_overlay(self.host, verb, name, on_step, run, undo_key)
        self._end(verb, name, end)
        return end

    def _on_step(self, verb: Verb, name: str, step: str) -> None:
        job = self.shown.job(verb, name)
        if job is not None:
            self.update(jobs=self.shown.with_job(replace(job, step=step)).jobs)

    def _begin_overlay_with_sudo(self, name: str, verb: OverlayVerb, _plan: ResetPlan | None = None) -> None:
        refusal = self._refusal(command(verb.command), name)
        if refusal:
            self.say(refusal, "warning")
        else:
            self._work(self._run_with_sudo(verb, name), verb, name)

    def _begin_several(self, verb: OverlayVerb, names: Sequence[str]) -> None:
        """One after the other; one that fails stops no other."""
        if self.panel.opened is None:
            self.panel.unmark()
        self.run_worker(self._run_several(verb, names), name=f"{verb} {names}", group=f"{verb} {names}")

    async def _run_several(self, verb: OverlayVerb, names: Sequence[str]) -> None:
        ends = []
        for name in names:
            refusal = self._refusal(command(verb.command), name)
            if refusal:
                ends.append((name, False, refusal))
                continue
            self.begin_job(verb, name)
            end = await self._run_one(verb, name)
            ends.append((name, end.ok, clean(end.words)))
        done = sum(ok for _, ok, _ in ends)
        self.say(f"{verb}: {done} of {len(ends)} done", "good" if done == len(ends) else "error")
        if not self.panel.asks:
            self.panel.ask(overlay_questions.results(verb, ends, self.host.name))
