"""The panel of a definition: its shares, volumes and overlay, and the form of one of them. It changes a draft alone."""

from collections.abc import Callable
from contextlib import suppress

from textual import on
from textual.events import Key
from textual.worker import Worker

from mvtui.errors import MvtuiError
from mvtui.model.text import clean
from mvtui.ui.commands import DEFINITION_COMMANDS, hint
from mvtui.ui.forms.definition_lines import Spot
from mvtui.ui.forms.definition_list import DefinitionList
from mvtui.ui.forms.definition_view import DefinitionView
from mvtui.ui.forms.desk import Desk, Wanted
from mvtui.ui.forms.editing import Editing, resumed
from mvtui.ui.forms.fixes import is_missing
from mvtui.ui.forms.form_lines import FormLines
from mvtui.ui.forms.making import SourceMaker
from mvtui.ui.forms.parts import Answers
from mvtui.ui.key_names import types_something
from mvtui.ui.keys import all_keys, leave_label, leaves
from mvtui.ui.widgets.dialog import DialogClosed

# Of the commands that work here, beside those that leave.
_IDS = (*[one.id for one in DEFINITION_COMMANDS], "edit_file", "grow", "adopt")


class DefinitionPanel(DefinitionView):
    """`wanted`: the share or volume whose form is opened first. Keys that come before there is something
    to see of the file wait for it."""

    def __init__(self, desk: Desk, wanted: Wanted | None) -> None:
        super().__init__(desk)
        self._wanted = wanted
        self._maker = SourceMaker(self, desk, self._keys, self._say, self._check_again)
        self._waiting: list[Key] = []
        self._asks_to_end = False

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self.take_focus()
        self._present()
        _: Worker[None] = self.run_worker(self._open, name="open definition", group="open definition")

    async def _open(self) -> None:
        try:
            document = await self._desk.open_document()
        except MvtuiError as problem:
            self._problem = problem
        else:
            draft, words = resumed(await self._desk.kept(document), document)
            self._is_absent = not document.exists and not draft.changed
            self.editing, self._said = Editing(draft), (words, "warning")
            self._renew()
            if self._wanted is not None and not self._is_absent:
                self._open_wanted(self.editing, self._wanted)
        self._present()
        self._press_what_waits()

    @on(DefinitionList.Fitted)
    def _press_what_waits(self) -> None:
        while self._waiting and self._is_ready:
            event = self._waiting.pop(0)
            self._press(event.key, event.character)

    @property
    def _is_ready(self) -> bool:
        """Whether there is what keys are meant for."""
        if self.editing is None:
            return self._problem is not None
        return self._form.display or self._list.is_fitted

    def _open_wanted(self, editing: Editing, wanted: Wanted) -> None:
        items = editing.draft.items(wanted.kind)
        at = next((at for at, item in enumerate(items) if wanted.is_it(item)), None)
        if at is None:
            self._said = (f"{clean(wanted.name)} is not in the file", "warning")
        else:
            self._list.go_to(Spot(wanted.kind, at))
            editing.open(Spot(wanted.kind, at))
            self._show_form(editing)

    # The focus

    def _leave_without_focus(self) -> None:
        """What was changed is not lost by a click beside it."""
        focused = self.screen.focused
        if focused is not None and self.is_changed and self not in focused.ancestors_with_self:
            self.call_later(self.take_focus)
        else:
            super()._leave_without_focus()

    @property
    def is_changed(self) -> bool:
        """Whether leaving it would lose something."""
        return self.editing is not None and self.editing.changed

    # Keys

    def on_key(self, event: Key) -> None:
        """All are its own, but what paints the screen anew."""
        keys = all_keys(self.app)
        is_typed = self._form.display and event.is_printable
        if event.key in keys.get("look", ()) and not is_typed:
            return
        event.stop()
        event.prevent_default()
        if not self._is_ready and not leaves(event.key, keys):
            self._waiting.append(event)
        else:
            self._press(event.key, event.character)

    def _press(self, key: str, character: str | None) -> None:
        self._said = ("", "text")
        if self._keys.asks:
            self._asks_to_end = False
            answer = self._keys.answer(key, self._desk.monotonic())
            if answer is not None:
                answer()
        elif self.editing is None or self._is_absent:
            self._press_without(key)
        elif self._form.display:
            self._press_in_form(self.editing, key, character)
        elif not self._list.move(key):
            self._press_in_list(self.editing, key)
        self._detail.update()
        self._keys.update()

    def _meant(self, key: str) -> str:
        """The id of the command whose key it is here, `leave` for whatever leaves, "" for none."""
        keys = all_keys(self.app)
        if leaves(key, keys, "back"):
            return "leave"
        return next((one for one in _IDS if key in keys.get(one, ())), "")

    def _press_without(self, key: str) -> None:
        """There is no file, or it can't be read."""
        meant = self._meant(key)
        if meant == "leave":
            self._close()
        elif meant == "edit_file" and self._problem is not None:
            self._close(self._desk.edit_file)
        elif self._is_absent and meant == "begin_empty":
            self._is_absent = False
            self._present()
        elif self._is_absent and meant == "adopt":
            self._close(self._desk.adopt)

    def _press_in_list(self, editing: Editing, key: str) -> None:
        meant = self._meant(key)
        if meant == "leave":
            self._leave()
        elif meant == "review":
            self._review(editing)
        elif meant == "edit_file":
            self._close(self._desk.edit_file)
        elif meant == "grow":
            self._grow(editing)
        else:
            self._said = self._list.act(editing, meant)
            if editing.form is not None:
                self._show_form(editing)
            else:
                self._renew()

    def _press_in_form(self, editing: Editing, key: str, character: str | None) -> None:
        editing.form = self._form.form  # that it was typed in may be on its way yet
        if key == "enter":
            self._take(editing)
        elif key == "ctrl+f" and editing.form is not None and is_missing(self._form.of_field):
            self._maker.begin(editing.form.values)
        elif types_something(key) or not leaves(key, all_keys(self.app)):
            self._form.press(key, character)
        elif editing.form is not None and editing.form.changed:
            answers = {"d": self._drop_form, **self._leaving(self._drop_form)}
            self._keys.ask(f"not taken: {self._leave_key} drops it, other keys stay", answers, self._desk.monotonic())
        else:
            self._drop_form()

    def _take(self, editing: Editing) -> None:
        try:
            spot = editing.take()
        except MvtuiError as problem:
            self._said = (str(problem), "error")
            return
        self._show_list(spot)
        self._said = (" ".join(editing.draft.moved), "text")

    def _check_again(self) -> None:
        if self.editing is not None and self._form.display:
            self._ask_about(self.editing)

    def _drop_form(self) -> None:
        if self.editing is not None:
            self.editing.form = None
            self._show_list()

    def _review(self, editing: Editing) -> None:
        draft, refusal = editing.draft, self._desk.refusal()
        if refusal:
            self._said = (refusal, "warning")
        elif not draft.changed:
            self._said = ("nothing is changed", "text")
        else:
            self._close(lambda: self._desk.review(draft))

    def _grow(self, editing: Editing) -> None:
        """The image of the volume under the cursor, to the size that the file has for it."""
        image = editing.image(self._list.spot)
        if image is None:
            self._said = (f"{hint('grow', all_keys(self.app))} grows the image of a volume", "text")
        elif editing.draft.changed:
            review, grow = (hint(one, all_keys(self.app)) for one in ("review", "grow"))
            self._said = (f"save it first: {review} reviews, then {grow} grows the image to its new size", "warning")
        else:
            self._close(lambda: self._desk.grow(image))

    # Leaving

    @property
    def _leave_key(self) -> str:
        return leave_label(all_keys(self.app), typing=True)

    def _leaving(self, act: Callable[[], None]) -> Answers:
        """What the keys that leave answer, but for those that are letters of the answers."""
        keys = ("escape", *all_keys(self.app).get("leave", ()))
        return dict.fromkeys([key for key in keys if not types_something(key)], act)

    def _leave(self) -> None:
        if not self.is_changed:
            self._close()
            return
        # Esc again and again leads to the list; what was changed is there when the panel is opened again.
        drop: Answers = {"d": lambda: self._close(lambda: self._desk.keep(None))}
        answers: Answers = {**drop, "k": self._close, **self._leaving(self._close)}
        question = f"not saved: d drops, {self._leave_key} keeps for later, other keys stay"
        self._keys.ask(question, answers, self._desk.monotonic())

    @property
    def asks_to_end(self) -> bool:
        """Whether it asks so."""
        return self._asks_to_end and self._keys.asks

    def ask_to_end(self, end: Callable[[], None]) -> None:
        """Whether mvtui may end without this."""
        self._keys.ask(
            "quit? It is not saved: y quits and drops it, other keys stay", {"y": end}, self._desk.monotonic()
        )
        self._asks_to_end = True
        self._keys.update()

    def keep_changes(self) -> None:
        """Also what stands in a form, where it can be taken."""
        if self.editing is not None:
            with suppress(MvtuiError):
                if self._form.display:
                    self.editing.form = self._form.form
                    self.editing.take()
            if self.editing.draft.changed:
                self._desk.keep(self.editing.draft)

    def _close(self, then: Callable[[], None] | None = None) -> None:
        if self.editing is not None:
            self._desk.keep(self.editing.draft if self.editing.draft.changed else None)
        self.post_message(DialogClosed(self, then))

    @on(FormLines.Typed)
    def _on_typed(self, event: FormLines.Typed) -> None:
        event.stop()
        if self.editing is not None and self._form.display:
            self.editing.form = self._form.form
            self._ask_about(self.editing)
