"""The panel of a definition: its shares, volumes and overlay, and the form of one of them. It changes a draft alone."""

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.geometry import Size
from textual.worker import Worker

from mvtui.errors import MvtuiError
from mvtui.model.text import clean
from mvtui.ui.command import Place
from mvtui.ui.commands import COMMANDS
from mvtui.ui.forms.definition_lines import Spot
from mvtui.ui.forms.definition_list import ABSENT_KEYS, BROKEN_KEYS, LIST_KEYS, DefinitionList
from mvtui.ui.forms.desk import Desk, Wanted
from mvtui.ui.forms.editing import Editing, resumed
from mvtui.ui.forms.findings import Findings
from mvtui.ui.forms.fixes import is_missing
from mvtui.ui.forms.form_lines import FormLines
from mvtui.ui.forms.making import SourceMaker
from mvtui.ui.forms.parts import Answers, Detail, Keys, Title, keys_line
from mvtui.ui.keys import live_keys
from mvtui.ui.lines import Line, folded
from mvtui.ui.widgets.cursor_lines import CursorLines
from mvtui.ui.widgets.dialog import Dialog, DialogClosed

_LEAVE = ("escape", "q")


class DefinitionPanel(Vertical, Dialog):
    """Docked over the foot. `wanted`: the share or volume whose form is opened first. Keys that come before the file is
    read wait for it."""

    def __init__(self, desk: Desk, wanted: Wanted | None) -> None:
        super().__init__()
        self._desk, self._wanted = desk, wanted
        self._title = Title()
        self._list = DefinitionList()
        self._form = FormLines(desk.complete)
        self._detail = Detail(self._detail_lines)
        self._keys = Keys(self._keys_lines)
        self.editing: Editing | None = None
        self.findings = Findings(self, desk.check_fields, self._tell)
        self._maker = SourceMaker(self, desk, self._keys, self._say, self._check_again)
        self._waiting: list[Key] = []
        self._problem: MvtuiError | None = None
        self._is_absent = False
        self._said = ("", "text")
        self._asks_to_end = False

    def compose(self) -> ComposeResult:
        """Title, list or form, what is said of it, keys."""
        self._form.display = False
        yield from (self._title, self._list, self._form, self._detail, self._keys)

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
            draft, words = resumed(self._desk.kept, document)
            self._is_absent = not document.exists and not draft.changed
            self.editing, self._said = Editing(draft), (words, "warning")
            self._renew()
            if self._wanted is not None and not self._is_absent:
                self._open_wanted(self.editing, self._wanted)
        self._present()
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._press(event.key, event.character)

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

    def take_focus(self) -> None:
        """The keys are the form's, or the list's."""
        self.screen.set_focus(self._form if self._form.display else self._list)

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
        """All are its own, but those that move the list's cursor, and what paints the screen anew."""
        keys = live_keys(self.screen)
        moves = {key for one in COMMANDS if one.place is Place.MOVE for key in keys.get(one.id, ())}
        is_list = self.editing is not None and not self._form.display and not self._keys.asks and not self._is_absent
        if event.key in keys.get("look", ()) or (is_list and event.key in moves):
            return
        event.stop()
        event.prevent_default()
        if self.editing is None and self._problem is None and event.key != "escape":
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
        else:
            self._press_in_list(self.editing, key)
        self._detail.update()
        self._keys.update()

    def _press_without(self, key: str) -> None:
        """There is no file, or it can't be read."""
        if key in _LEAVE:
            self._close()
        elif key == "E" and self._problem is not None:
            self._close(self._desk.edit_file)
        elif self._is_absent and key == "n":
            self._is_absent = False
            self._present()
        elif self._is_absent and key == "a":
            self._close(self._desk.adopt)

    def _press_in_list(self, editing: Editing, key: str) -> None:
        if key in _LEAVE:
            self._leave()
        elif key == "r":
            self._review(editing)
        elif key == "E":
            self._close(self._desk.edit_file)
        elif key == "Z":
            self._grow(editing)
        else:
            self._said = self._list.press(editing, key)
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
        elif key != "escape":
            self._form.press(key, character)
        elif editing.form is not None and editing.form.changed:
            question = "not taken: Esc drops it, other keys stay"
            self._keys.ask(question, {"escape": self._drop_form, "d": self._drop_form}, self._desk.monotonic())
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

    def _say(self, text: str, role: str) -> None:
        self._said = (text, role)
        self._detail.update()

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
            self._said = ("Z grows the image of a volume", "text")
        elif editing.draft.changed:
            self._said = ("save it first: r reviews, then Z grows the image to its new size", "warning")
        else:
            self._close(lambda: self._desk.grow(image))

    # Leaving

    def _leave(self) -> None:
        if not self.is_changed:
            self._close()
            return
        # Esc again and again leads to the list; what was changed is there when the panel is opened again.
        drop: Answers = {"d": lambda: self._close(lambda: self._desk.keep(None))}
        answers: Answers = {**drop, "k": self._close, "escape": self._close}
        question = "not saved: d drops, Esc keeps for later, other keys stay"
        self._keys.ask(question, answers, self._desk.monotonic())

    @property
    def asks_to_end(self) -> bool:
        """Whether it asks so."""
        return self._asks_to_end and self._keys.asks

    def ask_to_end(self, end: Callable[[], None]) -> None:
        """Whether mvtui may end without this."""
        self._keys.ask("not saved: y quits and drops it, other keys stay", {"y": end}, self._desk.monotonic())
        self._asks_to_end = True
        self._keys.update()

    def _close(self, then: Callable[[], None] | None = None) -> None:
        if self.editing is not None:
            self._desk.keep(self.editing.draft if self.editing.draft.changed else None)
        self.post_message(DialogClosed(self, then))

    # Showing

    def _show_form(self, editing: Editing) -> None:
        assert editing.form is not None
        self.field = self._form
        self._form.open(editing.form)
        self._list.display, self._form.display = False, True
        self.take_focus()
        self._ask_about(editing)

    def _ask_about(self, editing: Editing) -> None:
        self.findings.ask(editing.draft.document, editing.values)
        self._tell()

    def _show_list(self, spot: Spot | None = None) -> None:
        if spot is not None:
            self._list.go_to(spot)
        self.field = None
        self._list.display, self._form.display = True, False
        self.take_focus()
        self._renew()

    @on(FormLines.Typed)
    def _on_typed(self, event: FormLines.Typed) -> None:
        event.stop()
        if self.editing is not None and self._form.display:
            self.editing.form = self._form.form
            self._ask_about(self.editing)

    @on(CursorLines.Moved)
    def _on_moved(self, event: CursorLines.Moved) -> None:
        event.stop()
        self._said = ("", "text")
        self._detail.update()
        self._keys.update()

    def _renew(self) -> None:
        """The draft may be another one."""
        if self.editing is not None:
            self.findings.take(self.editing.draft.values, self.editing.draft.checked)
            self._tell()

    def _tell(self) -> None:
        """Something else is said of what is shown."""
        if self.editing is not None and self.editing.form is not None and self._form.display:
            self._form.tell(self.editing.form.own(self.findings.all))
        self._present()

    @on(DefinitionList.Fitted)
    def _present(self) -> None:
        editing = self.editing
        self._title.show(self._desk.microvm.name, editing)
        if editing is None:
            self._list.show_words(clean(str(self._problem or "reading …")), "error" if self._problem else "dim")
        elif self._is_absent:
            words = f"There is no definition file yet. It would be {editing.draft.document.path}."
            self._list.show_words(clean(words), "text")
        elif not self._form.display:
            self._list.show_draft(editing, self.findings.all)
        self._detail.update()
        self._keys.update()

    def _detail_lines(self, size: Size) -> Sequence[Line]:
        text, role = self._said
        if text:
            return [((f"  {line}", role),) for line in folded(clean(text), size.width - 2, size.height)]
        return self._form.detail(size) if self._form.display else self._list.detail(size)

    def _keys_lines(self, size: Size) -> Sequence[Line]:
        if self._form.display:
            return (keys_line(self._form.keys, size.width),)
        if self.editing is None:
            return (keys_line(BROKEN_KEYS[self._problem is None :], size.width),)
        return (keys_line(ABSENT_KEYS if self._is_absent else LIST_KEYS, size.width),)
