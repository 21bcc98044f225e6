"""From the key to the panel of a definition, or to the form of what the cursor is on."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mvtui.model.definition import Definition, Share
from mvtui.model.edit import ItemKind
from mvtui.model.finding import Finding
from mvtui.model.microvm import MicroVM
from mvtui.model.source_plan import SourcePlan
from mvtui.model.text import clean
from mvtui.ui import refusals
from mvtui.ui.commands import command
from mvtui.ui.definition_acting import DefinitionApp
from mvtui.ui.forms.desk import Desk, Wanted
from mvtui.ui.forms.leaving import may_drop
from mvtui.ui.jobs import JobEnd
from mvtui.ui.questions import Question

if TYPE_CHECKING:
    from mvtui.operations.definitions_save import Document
    from mvtui.operations.draft import Draft


class FormsApp(DefinitionApp, inherit_bindings=False):
    """The part of the panel that edits definitions."""

    # What was changed and not saved yet, by microVM: leaving a panel loses none of it.
    drafts: "dict[str, Draft]"
    # The files of those that an earlier panel left, by microVM.
    _left: "dict[str, Path]"
    _told_at_end: list[str]

    def begin_drafts(self) -> None:
        """Nothing is changed yet."""
        self.drafts, self._left, self._told_at_end = {}, {}, []

    def definition_settled(self, microvm: str) -> None:
        """What was changed of it is saved, or given up."""
        self.drafts.pop(microvm, None)
        path = self._left.pop(microvm, None)
        if path is not None:
            from mvtui.operations import left_drafts  # noqa: PLC0415

            left_drafts.forget(path)

    def action_edit(self) -> None:
        """Edit its definition: of the share or volume under the cursor its form, else all of it."""
        if self.panel.asks:
            return
        microvm = self.panel.selected
        refusal = command("edit").refusal(self.panel.situation(microvm))
        if refusal or microvm is None:
            self.say(refusal, "warning")
            return
        tab, key = self.panel.under_cursor
        kind = {"shares": ItemKind.SHARES, "volumes": ItemKind.VOLUMES}.get(tab)
        wanted = Wanted(kind, key, microvm.path) if kind is not None and key is not None else None
        self.panel.open_definition(self._desk(microvm), wanted)

    # Quitting

    def end_panel(self) -> None:
        """Exit; where a definition was changed and not saved, ask first. Who asks once more, means it."""
        dialog = self.panel.changed_dialog
        names = sorted(self.drafts)
        if dialog is not None and dialog.asks_to_end:
            self._drop_and_end()
        elif dialog is not None:
            dialog.ask_to_end(self._drop_and_end)
        elif not names or (self._drop_question is not None and self.panel.question is self._drop_question):
            self._drop_and_end()
        else:
            self.panel.ask(may_drop(tuple(self.drafts[name] for name in names), self._drop_and_end))
            self._drop_question = self.panel.question

    _drop_question: Question | None = None

    def leave_drafts(self) -> None:
        """Keep what is not saved for the next panel: this one is ended from outside, and can't ask. Blocking."""
        if not self.screen_stack:
            return  # a signal before there is anything
        dialog = self.panel.changed_dialog
        if dialog is not None:
            dialog.keep_changes()
        if not self.drafts:
            return
        from mvtui.operations import left_drafts  # noqa: PLC0415

        self._told_at_end = []
        key = self.panel.situation(None).key("edit")
        for name, draft in sorted(self.drafts.items()):
            try:
                left_drafts.leave(draft)
                self._told_at_end.append(f"what was changed of {name} is not saved, but kept: {key} shows it again")
            except OSError as error:
                self._told_at_end.append(
                    f"what was changed of {name} is lost: it can't be kept ({error.strerror or error})"
                )

    def last_words(self) -> list[str]:
        """What is to be known when the panel is gone."""
        return [*super().last_words(), *map(clean, self._told_at_end)]

    def _drop_and_end(self) -> None:
        for name in {*self.drafts, *self._left}:
            self.definition_settled(name)
        self.panel.drop_dialog()
        super().end_panel()

    def edit_again(self, name: str) -> None:
        """Back to what was not saved."""
        microvm = self.shown.find(name)
        if microvm is not None and not self.panel.asks:
            self.panel.open_definition(self._desk(microvm), None)

    def grow_volume(self, name: str, image: str) -> None:
        """Grow that image of that microVM, where a person says so."""
        raise NotImplementedError

    async def plan_source_of(self, microvm: MicroVM, share: Share) -> SourcePlan:
        """What making the source would do, that a person has typed for a share of it."""
        raise NotImplementedError

    async def make_source_of(self, plan: SourcePlan) -> JobEnd:
        """Make it."""
        raise NotImplementedError

    def _desk(self, microvm: MicroVM) -> Desk:
        seams = self.seams.forms
        return Desk(
            microvm,
            partial(self._kept, microvm.name),
            partial(seams.open_document, self.host, microvm),
            partial(self._check_fields, microvm),
            lambda typed, directories: seams.complete(self.host, microvm, typed, directories=directories),
            partial(self._keep, microvm.name),
            self._review_draft,
            partial(self.adopt_definition, microvm.name),
            self.action_edit_file,
            partial(self.grow_volume, microvm.name),
            partial(self.plan_source_of, microvm),
            self.make_source_of,
            lambda: refusals.change(self.panel.situation(microvm)),
            self.seams.monotonic,
        )

    async def _check_fields(self, microvm: MicroVM, definition: Definition) -> tuple[Finding, ...]:
        snapshot = self.shown.snapshot
        return await self.seams.forms.check_fields(self.host, microvm, definition, snapshot) if snapshot else ()

    async def _kept(self, name: str, document: "Document") -> "Draft | None":
        from mvtui.operations import left_drafts  # noqa: PLC0415

        if name in self.drafts:
            return self.drafts[name]
        left = await self.seams.in_thread(left_drafts.find, document)
        if left is not None:
            self._left[name] = document.path
        return left

    def _keep(self, name: str, draft: "Draft | None") -> None:
        if draft is None:
            self.definition_settled(name)
        else:
            self.drafts[name] = draft

    def _review_draft(self, draft: "Draft") -> None:
        name = draft.document.microvm.name
        what = ", ".join(draft.changes)
        self.review_definition(draft.document, draft.text, what, partial(self.edit_again, name))
