"""From a key to another store of a microVM's guest: what its definition file would be, then the review."""

from functools import partial

from mvtui.errors import MvtuiError
from mvtui.model.finding import Severity
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui.commands import command
from mvtui.ui.forms.acting import FormsApp
from mvtui.ui.forms.desk import StoreVerb


class StoreApp(FormsApp, inherit_bindings=False):
    """The part of the panel that makes a store writable, and shares the host's."""

    def action_make_writable(self) -> None:
        """Make the store of the microVM that is selected writable."""
        self._change_store(StoreVerb.MAKE_WRITABLE)

    def action_share_store(self) -> None:
        """Have it share the host's store."""
        self._change_store(StoreVerb.SHARE_STORE)

    def _change_store(self, verb: StoreVerb) -> None:
        if self.panel.asks:
            return
        microvm = self.panel.selected
        refusal = command(verb).refusal(self.panel.situation(microvm))
        if not refusal and microvm is not None and microvm.name in self.drafts:
            edit = self.panel.situation(None).key("edit")
            refusal = f"{clean(microvm.name)} has changes that are not saved: {edit} leads to them"
        if refusal or microvm is None:
            self.say(refusal, "warning")
            return
        self.begin_definition(partial(self._plan_store, verb, microvm))

    async def _plan_store(self, verb: StoreVerb, microvm: MicroVM) -> None:
        seams, selected = self.seams.forms, self.panel.selected
        try:
            document = await seams.open_document(self.host, microvm)
            change = await seams.change_store(self.host, microvm, document, verb)
        except MvtuiError as error:
            self.say(str(error), "warning")
            return
        found = await self._check_fields(microvm, change.definition)
        # Whoever went elsewhere meanwhile wants no question about it.
        here = self.panel.selected
        if self.panel.asks or selected is None or here is None or here.name != selected.name:
            return
        worst = [f"{each.what} {each.why}".rstrip() for each in found if each.severity is not Severity.INFO]
        self.review_definition(document, change.text, change.what, told=(*change.words, *worst))
