"""From a change of a definition to the file on disk: reviewed, saved, what stands against it solved."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be saved: `what` is changed, in a few words; `left` is done where it is not saved; `told` are
    sentences: what it means beside the diff; `key` and `words` are the answer that saves; `forced`: with an error too.
    """

    document: "Document"
    text: str
    what: str
    left: Left = None
    told: Sequence[str] = ()
    key: str = "s"
    words: str = "saves"
    forced: bool = False
    follows: tuple[str, ...] = ()


class ReviewApp(RebuildApp, inherit_bindings=False):
    """The part of the panel that saves definition files."""

    def review_definition(
        self, document: "Document", new_text: str, what: str, left: Left = None, told: Sequence[str] = ()
    ) -> None:
        """Show what it means to save `new_text`, and save it where a person says so. `what` is changed, in a few words
        (`add share home`); `left` is done where it is not saved; `told` are sentences: what it means beside the diff.
        No other dialog may be open."""
        self._begin_review(_Change(document, new_text, what, left, told))

    def review_undo(self, document: "Document", former: str, told: Sequence[str]) -> None:
        """The same of the text that the last save replaced; what was there may come back with its errors."""
        undo = self.panel.situation(None).key("undo")
        key = undo if len(undo) == 1 else "u"
        what = "bring the former text back"
        self._begin_review(_Change(document, former, what, None, told, key, "brings it back", forced=True))

    def begin_definition(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Work on a definition file; only one at a time."""
        _: Worker[None] = self.run_worker(work, name="definition", group="definition", exclusive=True)

    def definition_settled(self, microvm: str) -> None:
        """What was edited of it stands in the file, or is not wanted any more."""

    def _begin_review(self, change: _Change) -> None:
        self.begin_definition(partial(self._review, change))

    async def _review(self, change: _Change) -> None:
        from mvtui.operations import definitions_save  # noqa: PLC0415

        try:
            review = await self.seams.in_thread(definitions_save.review, change.document, change.text)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        if change.document.exists and change.text == change.document.text:
            self.say(f"{change.document.path}: nothing is changed", "text")
            return
        self._ask_to_save(review, replace(change, follows=review.follows))

    def _ask_to_save(self, review: "Review", change: _Change) -> None:
        from mvtui.ui import definition_questions  # noqa: PLC0415

        save = Answer(change.key, change.words, partial(self._begin_save, change))
        refusal = self.definition_refusal(change.document)
        reading = definition_questions.may_save(
            review, change.document, change.what, self.host.name, refusal, save, change.left, change.told, change.forced
        )
        self.panel.read(reading)

    def definition_refusal(self, document: "Document") -> str:
        """Why nothing can be saved now."""
        found = self.shown.find(document.microvm.name)
        return refusals.change(self.panel.situation(found or document.microvm))

    # Saving

    def _begin_save(self, change: _Change) -> None:
        refusal = self.definition_refusal(change.document)
        if refusal:
            self.say(refusal, "warning")
        else:
            self.begin_definition(partial(self._save, change))

    async def _save(self, change: _Change) -> None:
        from mvtui.operations import definitions_save  # noqa: PLC0415

        document = change.document
        try:
            saved = await self.seams.in_thread(definitions_save.save, self.host, document, change.text)
        except definitions_save.ConflictError as conflict:
            self.ask_which_version(conflict, change.what, change.left)
        except MvtuiError as error:
            self.say(str(error), "error")
        else:
            self.definition_settled(document.microvm.name)
            undo = self.panel.situation(None).key("undo") if saved.undoable and document.exists else ""
            self.say(f"saved{f' ({undo} undoes it)' if undo else ''}: {document.path}", "good")
            self.look_soon()
            facts = [f"{change.what}: {document.path}", *([f"{undo} brings the former text back"] if undo else [])]
            self.tell_saved(saved, facts, change.follows)

    def tell_saved(
        self, saved: "Saved", done: Sequence[str], follows: tuple[str, ...], *, to_read: bool = False
    ) -> None:
        """What is to be known now, and what comes next; `done` are sentences, which must be read where `to_read`."""
        from mvtui.operations.what_follows import NOTHING_TO_REBUILD  # noqa: PLC0415
        from mvtui.ui import definition_questions  # noqa: PLC0415

        if self.panel.asks:
            return
        answers = []
        if any(finding.subject == "git" for finding in saved.findings):
            track = partial(self._track, saved, done, follows)
            answers.append(Answer("a", "git add -N", partial(self.begin_definition, track)))
        microvm = self.shown.find(saved.document.microvm.name)
        if microvm is not None and follows and NOTHING_TO_REBUILD not in follows:
            answers.append(Answer("b", "rebuild", partial(self.ask_to_rebuild, microvm)))
        if answers or saved.findings or to_read:
            self.panel.read(definition_questions.is_saved(saved, done, follows, self.host.name, answers))

    async def _track(self, saved: "Saved", done: Sequence[str], follows: tuple[str, ...]) -> None:
        from mvtui.operations import definitions_save  # noqa: PLC0415

        refusal = self.definition_refusal(saved.document)
        if refusal:
            self.say(refusal, "warning")
            return
        try:
            words = await self.seams.in_thread(definitions_save.track, saved.document)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        self.say(words, "good")
        left = tuple(finding for finding in saved.findings if finding.subject != "git")
        self.tell_saved(saved._replace(findings=left), (*done, words), follows, to_read=True)

    # Conflicts

    def ask_which_version(self, conflict: "ConflictError", what: str, left: Left = None) -> None:
        """Show both, and which of them is to stand."""
        from mvtui.ui import definition_questions  # noqa: PLC0415

        if self.panel.asks:
            self.say(str(conflict), "error")
            return
        now = conflict.document
        mine = _Change(now, conflict.mine, f"{what}, not theirs", left)
        answers = [Answer("m", "mine", partial(self._begin_review, mine))]
        if conflict.merged is not None:
            both = _Change(now, conflict.merged, f"{what}, merged with theirs", left)
            answers.append(Answer("b", "both merged", partial(self._begin_review, both)))
        answers.append(Answer("t", "theirs", partial(self._take_theirs, now)))
        self.panel.read(definition_questions.may_resolve(conflict, self.host.name, answers, left))

    def _take_theirs(self, document: "Document") -> None:
        self.definition_settled(document.microvm.name)
        self.say(f"theirs stays: {document.path}", "text")
