"""From a key to the directory that a share serves: planned beside the event loop, asked with the facts, made, told."""

from functools import partial

from mvtui.model.definition import Share
from mvtui.model.microvm import MicroVM, ShareHealth
from mvtui.model.source_plan import SourcePlan, missing_sources
from mvtui.model.text import clean
from mvtui.ui import jobs, source_questions
from mvtui.ui.command import ShareVerb
from mvtui.ui.commands import command
from mvtui.ui.into_acting import IntoApp

_MAKE = ShareVerb.MAKE_SOURCE


class SourceApp(IntoApp, inherit_bindings=False):
    """The part of the panel that makes the missing sources of shares."""

    def action_make_source(self) -> None:
        """Make the source of the share under the cursor, or of the first that has none."""
        if self.panel.asks:
            return
        microvm = self.panel.selected
        refusal = command(_MAKE).refusal(self.panel.situation(microvm))
        if refusal or microvm is None:
            self.say(refusal, "warning")
            return
        tab, tag = self.panel.under_cursor
        missing = [status.share for status in missing_sources(microvm)]
        meant = [share for share in missing if share.tag == tag] if tab == "shares" and tag is not None else missing
        if meant:
            self._begin_planning(partial(self._plan_source, microvm, meant[0]))
        else:
            others = ", ".join(clean(share.tag or "?") for share in missing)
            self.say(f"the source of share {clean(tag or '?')} is not missing, but that of {others}", "warning")

    async def _plan_source(self, microvm: MicroVM, share: Share) -> None:
        meant = self._meant
        plan = await self.seams.plan_source(self.host, microvm, share)
        # Whoever went elsewhere meanwhile wants no question about it.
        if self.panel.asks or self._meant != meant:
            return
        act = partial(self._begin_source, plan)
        self.panel.ask(source_questions.may_make(plan, self.host.name, act, is_up=microvm.state.word.is_up))

    def _begin_source(self, plan: SourcePlan) -> None:
        """Begin, if it may still be: the host may have changed since the question."""
        refusal = self._refusal(command(_MAKE), plan.microvm)
        if refusal:
            self.say(refusal, "warning")
        else:
            self._work(self._make_source(plan), _MAKE, plan.microvm)

    async def _make_source(self, plan: SourcePlan) -> None:
        end = await self.make_source_of(plan)
        before = self.shown.find(plan.microvm)
        self._end(_MAKE, plan.microvm, end)
        waits = end.ok and before is not None and self._waits_for(before, plan)
        if waits and not self.panel.asks and self._can_restart(plan.microvm):
            self._ask_to_restart(plan.microvm)

    async def plan_source_of(self, microvm: MicroVM, share: Share) -> SourcePlan:
        """What making the source would do, that a person has typed for a share of it."""
        return await self.seams.plan_source(self.host, microvm, share, typed=True)

    async def make_source_of(self, plan: SourcePlan) -> jobs.JobEnd:
        """Make it, with sudo where that takes root."""
        if plan.needs_root:
            return await jobs.make_source_with_sudo(self.host, plan, self.terminal_lent)
        return await jobs.run_source(self.host, plan, self.seams.run_source)

    def _waits_for(self, microvm: MicroVM, plan: SourcePlan) -> bool:
        """Whether a restart is what is left: of that share, and of no other that still has no source."""
        missing = {status.share.source for status in missing_sources(microvm)} - {plan.path}
        down = any(one.share.source == plan.path and one.health is not ShareHealth.OFF for one in microvm.shares)
        return down and not missing
