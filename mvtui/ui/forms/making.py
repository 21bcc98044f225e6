"""From a key in a share's form to its missing source: planned beside the event loop, asked with the facts, made."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from textual.widget import Widget
from textual.worker import Worker

from mvtui.model.definition import Share, ShareProto
from mvtui.model.source_plan import SourcePlan
from mvtui.model.text import clean
from mvtui.ui.forms.desk import Desk
from mvtui.ui.forms.parts import Answers, Keys
from mvtui.ui.source_questions import KEY, plan_words


class SourceMaker:
    """Makes sources for `owner`'s form, asking on `keys`. `say` shows words with a role, `again` has the form checked
    anew."""

    def __init__(
        self, owner: Widget, desk: Desk, keys: Keys, say: Callable[[str, str], None], again: Callable[[], None]
    ) -> None:
        self._owner, self._desk, self._keys, self._say, self._again = owner, desk, keys, say, again

    def begin(self, values: Mapping[str, Any]) -> None:
        """Ask about the source of a share with these values."""
        if refusal := self._desk.refusal():
            self._say(refusal, "warning")
            return
        source, proto = values.get("source"), values.get("proto", ShareProto.NINE_P)
        if isinstance(source, str) and proto in (*ShareProto,):
            share = Share(str(values.get("tag", "?")), ShareProto(proto), source)
            work = partial(self._ask, share)
            _: Worker[None] = self._owner.run_worker(work, name="plan source", group="plan source", exclusive=True)

    async def _ask(self, share: Share) -> None:
        plan = await self._desk.plan_source(share)
        if self._keys.asks:
            return
        if not plan.ok:
            self._say(f"{plan.nothing or plan.refusal}: {plan.fix}".removesuffix(": "), "warning")
            return
        told = "; ".join(words for title, words in plan_words(plan) if words and title != "Makes")
        self._say(f"{clean(plan.makes[-1])}  {told}", "text")
        does = "creates it with sudo" if plan.needs_root else "creates it"
        answers: Answers = {KEY: partial(self._begin_making, plan)}
        self._keys.ask(f"{KEY} {does}, Esc stays", answers, self._desk.monotonic())
        self._keys.update()

    def _begin_making(self, plan: SourcePlan) -> None:
        _: Worker[None] = self._owner.run_worker(partial(self._finish, plan), name="make source", group="make source")

    async def _finish(self, plan: SourcePlan) -> None:
        end = await self._desk.make_source(plan)
        self._say(end.words, "good" if end.ok else "error")
        self._again()
