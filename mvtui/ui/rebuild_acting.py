"""From a key to a rebuild: asked with what it means, begun, followed in a panel that can be left, told."""

from functools import partial
from typing import TYPE_CHECKING

from mvtui.errors import MvtuiError
from mvtui.model.format import age
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.model.unit import UnitVerb
from mvtui.ui import questions
from mvtui.ui.command import DefinitionVerb
from mvtui.ui.commands import command, hint
from mvtui.ui.overlay_acting import OverlayApp
from mvtui.ui.questions import Answer

if TYPE_CHECKING:
    from mvtui.operations.rebuild import Rebuild, RebuildOutcome, RebuildPlan
    from mvtui.ui.widgets.output_panel import Told

REBUILD = DefinitionVerb.REBUILD


class RebuildApp(OverlayApp, inherit_bindings=False):
    """The part of the panel that builds microVMs anew."""

    # The last of each record, whether or not it has ended.
    _rebuilds: "dict[str, Rebuild]"
    # Of those, what ended and was seen.
    _seen: set[str]
    # It exits when none is under way any more.
    _exits_after = False

    def begin_rebuilds(self) -> None:
        """None yet."""
        self._rebuilds, self._seen = {}, set()

    def action_rebuild(self) -> None:
        """Build it anew, or show how that goes."""
        if self.panel.asks:
            return
        targets = self.panel.targets
        if len(targets) > 1:
            self.say(f"a rebuild is of one microVM: {hint('leave', self.keys)} drops the marks", "warning")
        elif targets and self._rebuild_of(targets[0]) is not None and self._record(targets[0]) not in self._seen:
            self._show_rebuild(self._record(targets[0]))
        else:
            self.ask_to_rebuild(targets[0] if targets else None)

    def _record(self, microvm: MicroVM) -> str:
        from mvtui.operations.rebuild import record_of  # noqa: PLC0415

        return record_of(microvm)

    def _rebuild_of(self, microvm: MicroVM) -> "Rebuild | None":
        return self._rebuilds.get(self._record(microvm))

    def under_way(self) -> "list[Rebuild]":
        """Those that have not ended."""
        return [one for one in self._rebuilds.values() if one.outcome is None]

    # Asking

    def ask_to_rebuild(self, microvm: MicroVM | None) -> None:
        """Ask, with what it means; say why not where it can't be."""
        refusal = command("rebuild").refusal(self.panel.situation(microvm))
        if refusal or microvm is None:
            self.say(refusal, "warning")
        else:
            self._begin_planning(partial(self._plan_rebuild, microvm))

    async def _plan_rebuild(self, microvm: MicroVM) -> None:
        from mvtui.operations.rebuild import plan_rebuild  # noqa: PLC0415
        from mvtui.ui import rebuild_questions  # noqa: PLC0415

        meant = self._meant
        others = self.shown.snapshot.microvms if self.shown.snapshot is not None else ()
        try:
            plan = await self.seams.in_thread(plan_rebuild, self.host, microvm, others)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        if self.panel.asks or self._meant != meant:
            return
        last = Answer("l", "what the last one said", partial(self._show_rebuild, plan.record))
        known = last if plan.record in self._rebuilds else None
        act = partial(self._begin_rebuild, plan)
        self.panel.ask(rebuild_questions.may_rebuild(plan, microvm, self.host.name, act, known))

    # Doing

    def _begin_rebuild(self, plan: "RebuildPlan") -> None:
        """Begin, if it may still be: the host may have changed since the question."""
        refusal = self._refusal(command("rebuild"), plan.microvm)
        running = self._rebuilds.get(plan.record)
        if refusal:
            self.say(refusal, "warning")
        elif running is not None and running.outcome is None:
            self._show_rebuild(plan.record)
        elif plan.needs_root:
            self._work(self._run_with_sudo(REBUILD, plan.microvm), REBUILD, plan.microvm)
        else:
            self.begin_job(REBUILD, plan.microvm)
            self.run_worker(self._run_rebuild(plan), name=f"rebuild {plan.record}", group=f"rebuild {plan.record}")

    async def _run_rebuild(self, plan: "RebuildPlan") -> None:
        from mvtui.operations.rebuild import begin_rebuild  # noqa: PLC0415

        try:
            rebuild = await begin_rebuild(self.host, plan)
        except MvtuiError as error:
            self.update(
                jobs=self.shown.without_job(REBUILD, plan.microvm).jobs, message=((clean(str(error)), "error"),)
            )
            return
        self._rebuilds[plan.record] = rebuild
        self._seen.discard(plan.record)
        if not self.panel.asks:
            self._show_rebuild(plan.record)
        self._tell_end(rebuild, await rebuild.follow(lambda: None))

    def _tell_end(self, rebuild: "Rebuild", outcome: "RebuildOutcome") -> None:
        plan = rebuild.plan
        shown = self.panel.shows_output_of(rebuild.output)
        situation = self.panel.situation(self.shown.find(plan.microvm))
        hint = "" if outcome.ok or shown else f"  {situation.key('rebuild')} shows what it said"
        role = "good" if outcome.ok else "error"
        left = self.shown.without_job(REBUILD, plan.microvm).jobs
        self.update(jobs=left, message=((clean(outcome.words + hint), role),))
        self.look_soon()
        if self._exits_after and not self.under_way():
            self.exit()
        elif outcome.ok and outcome.new and not self.panel.asks and self._can_restart(plan.microvm):
            self._seen.add(plan.record)
            self._ask_to_restart(plan.microvm)

    def _can_restart(self, name: str) -> bool:
        """Whether it is the one that is looked at, runs, and may be restarted."""
        microvm = self.shown.find(name)
        is_meant = [one.name for one in self.panel.targets] == [name]
        return (
            is_meant
            and microvm is not None
            and microvm.state.word.is_up
            and not self._refusal(command("restart"), name)
        )

    def _ask_to_restart(self, name: str) -> None:
        microvm = self.shown.find(name)
        refusal = self._refusal(command("restart"), name)
        if refusal or microvm is None:
            self.say(refusal, "warning")
            return
        act = partial(self._begin_all, command("restart"), (name,))
        self.panel.ask(questions.may_act(UnitVerb.RESTART, microvm, self.host.name, self.seams.now(), act))

    # Its panel

    def _show_rebuild(self, record: str) -> None:
        rebuild = self._rebuilds[record]
        if rebuild.outcome is not None:
            self._seen.add(record)
        self.panel.show_output(rebuild.output, partial(self._told, rebuild), "rebuild")

    def _told(self, rebuild: "Rebuild") -> "Told":
        from mvtui.ui.widgets.output_panel import Told  # noqa: PLC0415

        plan, outcome = rebuild.plan, rebuild.outcome
        where = f"{clean(plan.words)} on {clean(self.host.name)}"
        if outcome is None:
            cancel = Answer("c", "cancels", partial(self._ask_to_cancel_rebuild, rebuild))
            title = f"{where}, {age(rebuild.began, self.seams.now())}; it goes on when this is left"
            return Told(title, "strong", (cancel,) if rebuild.here else ())
        self._seen.add(plan.record)
        answers = []
        microvm = self.shown.find(plan.microvm)
        if outcome.ok and microvm is not None and microvm.state.word.is_up:
            answers.append(Answer("r", f"restart {clean(plan.microvm)}", partial(self._ask_to_restart, plan.microvm)))
        if microvm is not None:
            answers.append(Answer("b", "rebuild again", partial(self.ask_to_rebuild, microvm)))
        return Told(clean(outcome.words), "good" if outcome.ok else "error", tuple(answers))

    def _ask_to_cancel_rebuild(self, rebuild: "Rebuild") -> None:
        from mvtui.ui import rebuild_questions  # noqa: PLC0415

        act = partial(self._cancel_rebuild, rebuild)
        again = rebuild.cancelled
        self.panel.ask(rebuild_questions.may_cancel_rebuild(rebuild.plan, self.host.name, act, again=again))

    def _cancel_rebuild(self, rebuild: "Rebuild") -> None:
        try:
            rebuild.cancel()
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        self._show_rebuild(rebuild.plan.record)

    # Quitting

    def end_panel(self) -> None:
        """Exit; while something is built, ask first. Who asks once more, means it."""
        from mvtui.ui import rebuild_questions  # noqa: PLC0415

        running = self.under_way()
        if not running or self._asks_to_quit:
            self.exit()
            return
        own = all(one.here for one in running)
        cancel = self._cancel_and_exit if own else None
        plans = [one.plan for one in running]
        self._quit_question = rebuild_questions.may_quit(plans, self.host.name, self.exit, cancel)
        self.panel.ask(self._quit_question)

    _quit_question: questions.Question | None = None

    @property
    def _asks_to_quit(self) -> bool:
        return self._quit_question is not None and self.panel.question is self._quit_question

    def _cancel_and_exit(self) -> None:
        self._exits_after = True
        for one in self.under_way():
            one.cancel()
        self.say("cancelling: mvtui ends when it has", "text")

    def last_words(self) -> list[str]:
        """What is to be known when the panel is gone."""
        return [clean(f"{one.plan.words} goes on; what it says: {one.plan.output}") for one in self.under_way()]
