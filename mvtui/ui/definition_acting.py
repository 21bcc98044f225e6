"""From a change of a definition to the file on disk: reviewed, saved, what stands against it solved, brought back."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from mvtui.errors import MvtuiError
from mvtui.ui import refusals
from mvtui.ui.questions import Answer
from mvtui.ui.rebuild_acting import RebuildApp

if TYPE_CHECKING:
    from mvtui.operations.definitions_save import ConflictError, Document, Review, Saved

# What is done when the review is left without a save.
Left = Callable[[], None] | None


class DefinitionApp(RebuildApp, inherit_bindings=False):
    """The part of the panel that saves definition files."""

    def review_definition(
        self, document: "Document", new_text: str, what: str, left: Left = None, told: Sequence[str] = ()
    ) -> None:
        """Show what it means to save `new_text`, and save it where a person says so. `what` is changed, in a few words
        (`add share home`); `left` is done where it is not saved; `told` are sentences: what it means beside the diff.
        No other dialog may be open."""
        self.begin_definition(partial(self._review, document, new_text, what, left, told))

    def adopt_definition(self, name: str) -> None:
        """Write the definition file of that microVM from what is built."""
        self.say(f"mvtui adopt {name} writes it", "warning")

    def begin_definition(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Work on a definition file; only one at a time."""
        _: Worker[None] = self.run_worker(work, name="definition", group="definition", exclusive=True)

    async def _review(self, document: "Document", new_text: str, what: str, left: Left, told: Sequence[str]) -> None:
        from mvtui.operations import definitions_save  # noqa: PLC0415

        try:
            review = await asyncio.to_thread(definitions_save.review, document, new_text)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        if document.exists and new_text == document.text:
            self.say(f"{document.path}: nothing is changed", "text")
            return
        self._ask_to_save(review, document, new_text, what, left, told)

    def _ask_to_save(
        self, review: "Review", document: "Document", text: str, what: str, left: Left, told: Sequence[str]
    ) -> None:
        from mvtui.ui import definition_questions  # noqa: PLC0415

        save = Answer("s", "saves", partial(self._begin_save, document, text, what, review.follows))
        refusal = self._save_refusal(document)
        reading = definition_questions.may_save(review, document, what, self.host.name, refusal, save, left, told)
        self.panel.read(reading)

    def _save_refusal(self, document: "Document") -> str:
        """Why nothing can be saved now."""
        found = self.shown.find(document.microvm.name)
        return refusals.change(self.panel.situation(found or document.microvm))

    # Saving

    def _begin_save(self, document: "Document", text: str, what: str, follows: tuple[str, ...]) -> None:
        refusal = self._save_refusal(document)
        if refusal:
            self.say(refusal, "warning")
        else:
            self.begin_definition(partial(self._save, document, text, what, follows))

    async def _save(self, document: "Document", text: str, what: str, follows: tuple[str, ...]) -> None:
        from mvtui.operations import definitions_save  # noqa: PLC0415

        try:
            saved = await asyncio.to_thread(definitions_save.save, self.host, document, text)
        except definitions_save.ConflictError as conflict:
            self._ask_which_version(conflict, document.text, what)
        except MvtuiError as error:
            self.say(str(error), "error")
        else:
            undo = self.panel.situation(None).key("undo") if saved.undoable and document.exists else ""
            self.say(f"saved{f' ({undo} undoes it)' if undo else ''}: {document.path}", "good")
            self.look_soon()
            facts = [f"{what}: {document.path}", *([f"{undo} brings the former text back"] if undo else [])]
            self._tell_saved(saved, facts, follows)

    def _tell_saved(self, saved: "Saved", done: Sequence[str], follows: tuple[str, ...]) -> None:
        """What is to be known now, and what comes next; `done` are sentences."""
        from mvtui.ui import definition_questions  # noqa: PLC0415

        if self.panel.asks:
            return
        answers = []
        if any(finding.subject == "git" for finding in saved.findings):
            track = partial(self._track, saved, done, follows)
            answers.append(Answer("a", "git add -N", partial(self.begin_definition, track)))
        microvm = self.shown.find(saved.document.microvm.name)
        if microvm is not None and follows:
            answers.append(Answer("b", "rebuild", partial(self.ask_to_rebuild, microvm)))
        if answers or saved.findings:
            self.panel.read(definition_questions.is_saved(saved, done, follows, self.host.name, answers))

    async def _track(self, saved: "Saved", done: Sequence[str], follows: tuple[str, ...]) -> None:
        from mvtui.operations import definitions_save  # noqa: PLC0415

        refusal = self._save_refusal(saved.document)
        if refusal:
            self.say(refusal, "warning")
            return
        try:
            words = await asyncio.to_thread(definitions_save.track, saved.document)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        self.say(words, "good")
        left = tuple(finding for finding in saved.findings if finding.subject != "git")
        self._tell_saved(saved._replace(findings=left), (*done, words), follows)

    # Conflicts

    def _ask_which_version(self, conflict: "ConflictError", base: str, what: str) -> None:
        from mvtui.ui import definition_questions  # noqa: PLC0415

        if self.panel.asks:
            self.say(str(conflict), "error")
            return
        now = conflict.document
        answers = [Answer("m", "mine", partial(self.review_definition, now, conflict.mine, f"{what}, not theirs"))]
        if conflict.merged is not None:
            both = partial(self.review_definition, now, conflict.merged, f"{what}, merged with theirs")
            answers.append(Answer("b", "both merged", both))
        answers.append(Answer("t", "theirs", partial(self._take_theirs, now)))
        self.panel.read(definition_questions.may_resolve(conflict, base, self.host.name, answers))

    def _take_theirs(self, document: "Document") -> None:
        self.say(f"theirs stays: {document.path}", "text")
