"""Definition files from keys: adopted from what is built, edited in an editor, the last change undone."""

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from mvtui.errors import MvtuiError
from mvtui.model.finding import Severity
from mvtui.model.microvm import MicroVM
from mvtui.ui import editor, refusals
from mvtui.ui.commands import command, hint
from mvtui.ui.questions import Answer
from mvtui.ui.review_acting import ReviewApp

if TYPE_CHECKING:
    from mvtui.model.definition import Definition
    from mvtui.model.hypervisor import Hypervisor
    from mvtui.operations.adopting import Adoption
    from mvtui.operations.definitions import Validation


class DefinitionApp(ReviewApp, inherit_bindings=False):
    """The part of the panel that makes definition files, lends the terminal to an editor, and undoes."""

    def _one(self, id: str) -> MicroVM | None:  # noqa: A002
        """The microVM that the command means; None, and why is said, where it can't be used now."""
        if self.panel.asks:
            return None
        targets = self.panel.targets
        microvm = targets[0] if targets else None
        refusal = command(id).refusal(self.panel.situation(microvm))
        if len(targets) > 1:
            refusal = f"{command(id).words} is of one microVM: {hint('leave', self.keys)} drops the marks"
        if refusal:
            self.say(refusal, "warning")
            return None
        return microvm

    # Undo

    def action_undo(self) -> None:
        """Undo mvtui's last change of it: the definition's former text back, or the overlay that was set aside."""
        if self.panel.asks:
            return
        targets = self.panel.targets
        if len(targets) == 1:
            self.begin_definition(partial(self._undo, targets[0]))
        else:
            super().action_undo()

    async def _undo(self, microvm: MicroVM) -> None:
        from mvtui.operations import definitions_save, last_change  # noqa: PLC0415

        meant = self._meant
        change = await self.seams.in_thread(last_change.last_change, self.host, microvm.name)
        if self.panel.asks or self._meant != meant:
            return
        if change is None or not change.of_definition:
            refusal = refusals.overlay(self.panel.situation(microvm))
            if refusal:
                self.say(refusal, "warning")
            else:
                super().action_undo()
            return
        refusal = refusals.change(self.panel.situation(microvm))
        if refusal:
            self.say(refusal, "warning")
            return
        try:
            document, former = await self.seams.in_thread(definitions_save.former_version, self.host, microvm)
        except definitions_save.ConflictError as conflict:
            self.ask_which_version(conflict, "bring the former text back")
        except MvtuiError as error:
            self.say(str(error), "warning")
        else:
            self.review_undo(document, former, (change.words(self.seams.now()),))

    # Adopt

    def action_adopt(self) -> None:
        """Write the definition file of a microVM that has none, from what is built."""
        microvm = self._one("adopt")
        if microvm is not None:
            self.adopt_definition(microvm.name)

    def adopt_definition(self, name: str) -> None:
        """Show the definition file of that microVM, from what is built, and write it where a person says so."""
        microvm = self.shown.find(name)
        if microvm is None:
            self.say(f"{name} is gone", "warning")
        else:
            self.begin_definition(partial(self._adopt, microvm, None))

    async def _adopt(self, microvm: MicroVM, evaluated: "Definition | None") -> None:
        from mvtui.operations import adopting, definitions_save  # noqa: PLC0415
        from mvtui.ui import definition_questions  # noqa: PLC0415

        ask = Answer("n", "asks Nix for the rest (minutes)", partial(self._begin_asking_nix, microvm))
        can_ask = evaluated is None and await self.seams.in_thread(adopting.can_ask_nix, self.host, microvm)
        more = (ask,) if can_ask else ()
        try:
            adoption = await self.seams.in_thread(adopting.adopt, self.host, microvm, evaluated=evaluated)
            review = await self.seams.in_thread(definitions_save.review, adoption.document, adoption.text)
        except MvtuiError as error:
            if more and not self.panel.asks:
                self.panel.read(definition_questions.can_not_adopt(microvm, error, self.host.name, more))
            else:
                self.say(str(error), "warning")
            return
        if self.panel.asks:
            return
        write = Answer("s", "writes it", partial(self._begin_adopting, adoption))
        refusal = self.definition_refusal(adoption.document)
        reading = definition_questions.may_adopt(adoption, review, self.host.name, refusal, (write, *more))
        self.panel.read(reading)

    def _begin_asking_nix(self, microvm: MicroVM) -> None:
        self.begin_definition(partial(self._ask_nix, microvm))

    async def _ask_nix(self, microvm: MicroVM) -> None:
        from mvtui.operations import adopting  # noqa: PLC0415

        self.say(f"asking Nix what {microvm.name} has: that takes minutes", "text")
        try:
            evaluated = await adopting.ask_nix(self.host, microvm)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        if self.panel.asks:
            key = self.panel.situation(None).key("adopt")
            self.say(f"Nix has told what {microvm.name} has; something else is asked now: {key} asks anew", "warning")
            return
        await self._adopt(microvm, evaluated)

    def _begin_adopting(self, adoption: "Adoption") -> None:
        refusal = self.definition_refusal(adoption.document)
        if refusal:
            self.say(refusal, "warning")
        else:
            self.begin_definition(partial(self._write, adoption))

    async def _write(self, adoption: "Adoption") -> None:
        from mvtui.operations import definitions_save  # noqa: PLC0415

        document = adoption.document
        try:
            saved = await self.seams.in_thread(definitions_save.save, self.host, document, adoption.text)
        except definitions_save.ConflictError:
            self.say(f"there is a definition already: {document.path}; nothing was written", "error")
        except MvtuiError as error:
            self.say(str(error), "error")
        else:
            self.say(f"written: {document.path}", "good")
            self.look_soon()
            done = (f"{document.path}, from what is built", f"Nix reads it by: {adoption.nix}", *adoption.notes)
            self.tell_saved(saved, done, (), to_read=True)

    # The editor

    def action_edit_file(self) -> None:
        """Edit its definition file in $VISUAL or $EDITOR."""
        microvm = self._one("edit_file")
        if microvm is not None:
            self.begin_definition(partial(self.edit_file, microvm))

    async def edit_file(self, microvm: MicroVM) -> None:
        """Lend the terminal to the editor, at the first error; then say what is wrong in the file."""
        from mvtui.operations import definitions  # noqa: PLC0415

        path = await self.seams.in_thread(definitions.find_document, self.host, microvm)
        if path is None:
            adopt = self.panel.situation(None).key("adopt")
            self.say(f"{microvm.name} has no definition file: {adopt} writes one from what is built", "warning")
            return
        hypervisor = _built_for(microvm)
        before = await self.seams.in_thread(definitions.validate, path, hypervisor)
        text = await self.seams.in_thread(definitions.raw_text, path)
        try:
            argv = editor.editor_argv(os.environ, path, _first_error_line(before))
            ended = await editor.run(argv, self.terminal_lent, self.host.calls)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        after = await self.seams.in_thread(definitions.validate, path, hypervisor)
        is_changed = await self.seams.in_thread(definitions.raw_text, path) != text
        self.host.changes += is_changed
        self.look_soon()
        self._tell_edited(microvm, after, ended, is_changed=is_changed)

    def _tell_edited(self, microvm: MicroVM, found: "Validation", ended: str, *, is_changed: bool) -> None:
        from mvtui.ui import definition_questions  # noqa: PLC0415

        words = f"{found.path} {'is changed' if is_changed else 'is as it was'}"
        worst = max((located.finding.severity for located in found.findings), default=Severity.INFO)
        self.say(f"{ended}{words}", {Severity.ERROR: "error", Severity.WARNING: "warning"}.get(worst, "text"))
        if self.panel.asks or not (found.findings or is_changed):
            return
        again = Answer("E", "edits it again", partial(self.begin_definition, partial(self.edit_file, microvm)))
        answers: Sequence[Answer] = (again,)
        if found.valid and is_changed:
            answers = (again, Answer("b", "rebuild", partial(self.ask_to_rebuild, microvm)))
        self.panel.read(definition_questions.is_edited(found, f"{ended}{words}", self.host.name, answers))


def _built_for(microvm: MicroVM) -> "Hypervisor | None":
    return microvm.built.definition.hypervisor if microvm.built is not None and microvm.built.definition else None


def _first_error_line(found: "Validation") -> int | None:
    lines = [one.line for one in found.findings if one.line and one.finding.severity is Severity.ERROR]
    return min(lines, default=None)
