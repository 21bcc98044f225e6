"""From a key to what is done: refused with why, asked first, begun, followed to its end."""

from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.model.unit import UnitStatus, UnitVerb
from mvtui.ui import jobs, questions
from mvtui.ui.command import Command, Tier, Verb
from mvtui.ui.commands import command
from mvtui.ui.looking import LookingApp
from mvtui.ui.picture import Job
from mvtui.ui.screens.panel_screen import PanelScreen
from mvtui.ui.theming import ThemedApp


class ActingApp(LookingApp, ThemedApp, inherit_bindings=False):
    """The half of the panel that acts; what is under way, and what came of it, stands in the picture."""

    # True while the terminal is another's.
    lent = False

    @property
    def panel(self) -> PanelScreen:
        """The screen that stands at the bottom of all."""
        screen = self.screen
        assert isinstance(screen, PanelScreen)
        return screen

    # Asking

    def use(self, wanted: Command) -> None:
        """Do the command with what is selected or marked, or ask first, or say why not."""
        if self.panel.asks:
            return  # the focus has not reached the dialog yet
        targets = self.panel.targets
        if len(targets) > 1:
            self._offer_to_several(wanted, targets)
        else:
            self._offer(wanted, targets[0] if targets else None)

    def _offer(self, wanted: Command, microvm: MicroVM | None) -> None:
        if wanted.verb is UnitVerb.STOP and microvm is not None and self._stops_long(microvm):
            self._ask_about_long_stop(microvm)
            return
        refusal = wanted.refusal(self.panel.situation(microvm))
        if refusal or microvm is None:
            self.say(refusal, "warning")
            return
        act = partial(self._begin_all, wanted, (microvm.name,))
        host, now = self.host.name, self.seams.now()
        if wanted.tier is Tier.FREE and microvm is self.panel.selected:
            act()  # one that is marked elsewhere may be out of sight
        elif wanted.verb is UnitVerb.KILL:
            self.panel.ask(questions.may_kill(microvm, host, now, act, self.panel.situation(microvm).key("stop")))
        elif wanted.verb is not None:
            self.panel.ask(questions.may_act(wanted.verb, microvm, host, now, act))
        else:
            self.panel.ask(questions.may_cancel(microvm, host, act))

    def _offer_to_several(self, wanted: Command, microvms: Sequence[MicroVM]) -> None:
        refusals = [wanted.refusal(self.panel.situation(microvm)) for microvm in microvms]
        usable = [microvm for microvm, refusal in zip(microvms, refusals, strict=True) if not refusal]
        refused = [refusal for refusal in refusals if refusal]
        if not usable:
            self.say(refused[0], "warning")
            return
        act = partial(self._begin_all, wanted, tuple(microvm.name for microvm in usable))
        host, now = self.host.name, self.seams.now()
        self.panel.ask(questions.may_act_on_several(wanted.words, usable, refused, host, now, act))

    def _stops_long(self, microvm: MicroVM) -> bool:
        job = self.shown.job(UnitVerb.STOP, microvm.name)
        may_kill = not command("kill").refusal(self.panel.situation(microvm))
        return may_kill and questions.stops_long(microvm, job.since if job is not None else None, self.seams.now())

    def _ask_about_long_stop(self, microvm: MicroVM) -> None:
        kill = partial(self._offer, command("kill"), microvm)
        self.panel.ask(questions.takes_long(microvm, self.host.name, self.seams.now(), kill))

    # Doing

    def _begin_all(self, wanted: Command, names: Sequence[str]) -> None:
        if self.panel.opened is None:
            self.panel.unmark()  # what they were for has begun
        for name in names:
            self._begin(wanted, name)

    def _begin(self, wanted: Command, name: str) -> None:
        """Start the job, if it may still be: the host may have changed since the question."""
        refusal = self._refusal(wanted, name)
        if refusal:
            self.say(refusal, "warning")
        elif wanted.verb is not None:
            self._work(self._run(wanted.verb, name), wanted.verb, name)
        else:
            self.run_worker(self._cancel(name), name=f"cancel {name}", group=f"cancel {name}")

    def _refusal(self, wanted: Command, name: str) -> str:
        microvm = self.shown.find(name)
        return wanted.refusal(self.panel.situation(microvm)) if microvm is not None else f"{name} is gone"

    def begin_job(self, verb: Verb, name: str) -> None:
        """It is under way from now on."""
        self.update(jobs=self.shown.with_job(Job(verb, name, self.seams.now())).jobs, message=())

    def _work(self, work: Awaitable[None], verb: Verb, name: str) -> None:
        self.begin_job(verb, name)
        self.run_worker(work, name=f"{verb} {name}", group=f"{verb} {name}")

    async def _run(self, verb: UnitVerb, name: str) -> None:
        end = await jobs.run(self.host, verb, name, partial(self._on_progress, verb, name), self.seams.run)
        self._end(verb, name, end)
        if end.lacks_rights and not self.panel.asks and not self._refusal(command(verb), name):
            act = partial(self._begin_with_sudo, verb, name)
            self.panel.ask(questions.may_sudo(verb, name, self.host.name, act))

    async def _cancel(self, name: str) -> None:
        end = await jobs.cancel(self.host, name, self.seams.cancel)
        self.say(end.words, "good" if end.ok else "error")
        self.look_soon()

    def _begin_with_sudo(self, verb: UnitVerb, name: str) -> None:
        refusal = self._refusal(command(verb), name)
        if refusal:
            self.say(refusal, "warning")
        else:
            self._work(self._run_with_sudo(verb, name), verb, name)

    async def _run_with_sudo(self, verb: Verb, name: str) -> None:
        self._end(verb, name, await jobs.run_with_sudo(self.host, verb, name, self.terminal_lent))

    def _on_progress(self, verb: UnitVerb, name: str, units: tuple[UnitStatus, ...]) -> None:
        job = self.shown.job(verb, name)
        if job is not None:
            self.update(jobs=self.shown.with_job(replace(job, units=units)).jobs)

    def _end(self, verb: Verb, name: str, end: jobs.JobEnd) -> None:
        left = self.shown.without_job(verb, name).jobs
        # What failed since the last began stays in sight: of several the last to end would speak for all.
        ends = [piece for piece in self.shown.message if piece[1] == "error"]
        ends.append((clean(end.words), "good" if end.ok else "error"))
        apart = [piece for each in ends for piece in (("   ", "text"), each)]
        self.update(jobs=left, message=tuple(apart[1:]))
        self.look_soon()

    @contextmanager
    def terminal_lent(self) -> Iterator[None]:
        """Within, the terminal is another's: nothing is painted, though the panel goes on looking."""
        self.lent = True
        try:
            with self.batch_update(), self.suspend():
                yield
        finally:
            self.lent = False
