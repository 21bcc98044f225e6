"""The panel of a definition: its shares, volumes and overlay, and the form of one of them. It changes a draft alone."""

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.geometry import Size
from textual.worker import Worker

from mvtui.errors import MvtuiError
from mvtui.model.edit import ItemKind
from mvtui.model.text import clean
from mvtui.operations.draft import begin
from mvtui.ui.command import Place
from mvtui.ui.commands import COMMANDS
from mvtui.ui.forms.definition_lines import Spot, about, entries, findings_lines, spot_of
from mvtui.ui.forms.desk import Desk, Wanted
from mvtui.ui.forms.editing import Editing
from mvtui.ui.forms.findings import Findings
from mvtui.ui.forms.form_lines import FormLines
from mvtui.ui.forms.latest import Latest
from mvtui.ui.forms.parts import Detail, Keys, Title, keys_line
from mvtui.ui.forms.told import FIX_KEY, candidate_lines, detail_lines, first_fix
from mvtui.ui.keys import live_keys
from mvtui.ui.lines import Line, folded, in_ascii
from mvtui.ui.tabs.page import Entry
from mvtui.ui.widgets.cursor_lines import CursorLines
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.question import DEAF_SECONDS
from mvtui.ui.widgets.sheet import Sheet

_LIST_KEYS = (
    ("Enter", "edit"),
    ("s", "add share"),
    ("v", "add volume"),
    ("r", "review"),
    ("c", "copy"),
    ("x", "delete"),
    ("J", "K move"),
    ("u", "undo"),
    ("Esc", "leaves"),
)
_NO_FILE_KEYS = (("a", "adopt"), ("n", "begin an empty one"), ("Esc", "leaves"))


class DefinitionPanel(Vertical, Dialog):
    """Docked over the foot. `wanted`: the share or volume whose form is opened first. Keys that come before the file is
    read wait for it."""

    def __init__(self, desk: Desk, wanted: Wanted | None) -> None:
        super().__init__()
        self._desk, self._wanted = desk, wanted
        self._title = Title()
        self._sheet = Sheet()
        self._form = FormLines()
        self._detail = Detail(self._detail_lines)
        self._keys = Keys(self._keys_lines)
        self.editing: Editing | None = None
        self.findings = Findings(self, desk.check_fields, self._tell)
        self._paths = Latest[tuple[str, str, bool]](self, "paths", 0.0, self._complete)
        self._waiting: list[Key] = []
        self._problem: MvtuiError | None = None
        self._is_absent = False
        self._said = ("", "text")
        self._found: Sequence[str] | None = None
        self._answers: dict[str, Callable[[], None]] = {}
        self._question = ""
        self._asked_at = 0.0

    def compose(self) -> ComposeResult:
        """Title, list or form, what is said of it, keys."""
        self._form.display = False
        yield from (self._title, self._sheet, self._form, self._detail, self._keys)

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self.take_focus()
        self._present()
        _: Worker[None] = self.run_worker(self._open, name="open definition", group="open definition")

    def take_focus(self) -> None:
        """The keys are the form's, or the list's."""
        self.screen.set_focus(self._form if self._form.display else self._sheet)

    def _leave_without_focus(self) -> None:
        """What was changed is not lost by a click beside it."""
        focused = self.screen.focused
        if focused is None or focused is self or self in focused.ancestors:
            return
        if self.is_changed:
            self.call_later(self.take_focus)
        else:
            self.post_message(DialogClosed(self))

    @property
    def is_changed(self) -> bool:
        """Whether leaving it would lose something."""
        return self.editing is not None and self.editing.changed

    async def _open(self) -> None:
        try:
            document = await self._desk.open_document()
        except MvtuiError as problem:
            self._problem = problem
        else:
            kept = self._desk.kept
            self._is_absent = not document.exists and kept is None
            if kept is not None and document.text not in (kept.document.text, kept.text):
                self._say("the file was changed since: a review shows both", "warning")
            draft = kept if kept is not None and kept.text != document.text else begin(document)
            self.editing = Editing(draft)
            if draft.changed:
                self._say("these changes were not saved yet: r reviews them", "warning")
            self._renew()
            if self._wanted is not None and not self._is_absent:
                self._open_wanted(self._wanted)
        self._present()
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._press(event.key, event.character)

    def _open_wanted(self, wanted: Wanted) -> None:
        editing = self.editing
        assert editing is not None
        items = editing.draft.items(wanted.kind)
        at = next((at for at, item in enumerate(items) if wanted.is_it(item)), None)
        if at is None:
            self._say(f"{clean(wanted.name)} is not in the file", "warning")
        else:
            self._sheet.cursor_key = Spot(wanted.kind, at).key
            editing.open(Spot(wanted.kind, at))
            self._show_form()

    # Keys

    def on_key(self, event: Key) -> None:
        """All are its own, but those that move the list's cursor, and what paints the screen anew."""
        keys = live_keys(self.screen)
        moves = {key for one in COMMANDS if one.place is Place.MOVE for key in keys.get(one.id, ())}
        is_list = self.editing is not None and not self._form.display and not self._answers and not self._is_absent
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
        if self._answers:
            self._answer(key)
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
        if key in ("escape", "q"):
            self._close()
        elif self._is_absent and key == "n":
            self._is_absent = False
            self._present()
        elif self._is_absent and key == "a":
            self._close(self._desk.adopt)

    def _press_in_list(self, editing: Editing, key: str) -> None:
        spot = spot_of(self._sheet.cursor_key)
        if key in ("escape", "q"):
            self._leave()
        elif key == "r":
            self._review(editing)
        elif key in ("s", "v", "o"):
            editing.open(Spot(None)) if key == "o" else editing.add(ItemKind.SHARES if key == "s" else ItemKind.VOLUMES)
            self._show_form()
        elif key == "u":
            self._say("undone" if editing.undo() else "nothing was changed here", "text")
            self._renew()
        elif spot is not None and key in ("enter", "e", "c", "x", "J", "K"):
            self._press_on(editing, spot, key)

    def _press_on(self, editing: Editing, spot: Spot, key: str) -> None:
        """A key about what the cursor stands on."""
        try:
            if key in ("enter", "e"):
                editing.open(spot)
            elif key == "c":
                editing.copy(spot)
            elif key == "x":
                self._say(editing.remove(spot), "text")
            else:
                self._sheet.cursor_key = editing.move(spot, 1 if key == "J" else -1).key
        except MvtuiError as problem:
            self._say(str(problem), "error")
        if editing.form is not None:
            self._show_form()
        else:
            self._renew()
            if editing.draft.moved and spot.kind is ItemKind.VOLUMES:
                self._say(" ".join(editing.draft.moved), "text")

    def _press_in_form(self, editing: Editing, key: str, character: str | None) -> None:
        self._found = None
        if key == "enter":
            self._take(editing)
        elif key == "escape":
            if editing.form is not None and editing.form.changed:
                self._ask("not taken: d drops it, Esc stays", {"d": self._drop_form})
            else:
                self._drop_form()
        elif key == "tab":
            self._complete_or_go_on()
        elif key == "ctrl+f":
            fix = self._form.form and first_fix(self._form.form, self._form.field, self._form.of_field)
            if fix and self._form.form is not None:
                self._form.put(self._form.form.with_value(*fix))
        else:
            self._form.press(key, character)

    def _take(self, editing: Editing) -> None:
        try:
            spot = editing.take()
        except MvtuiError as problem:
            self._say(str(problem), "error")
            return
        if spot is not None:
            self._sheet.cursor_key = spot.key
        self._show_list()
        moved = editing.draft.moved
        if moved:
            self._say(" ".join(moved), "text")

    def _drop_form(self) -> None:
        if self.editing is not None:
            self.editing.form = None
            self._show_list()

    def _complete_or_go_on(self) -> None:
        """Tab completes a path, gives the next choice, or goes on to the next field."""
        form, field = self._form.form, self._form.field
        if form is None:
            return
        if field.kind.is_path:
            self._paths.ask((field.key, form.line(field.key).text, field.kind == "directory"))
        elif field.choices and not field.kind.is_chosen:
            self._form.put(form.chosen(field, 1))
        else:
            self._form.press("down", None)

    async def _complete(self, wanted: tuple[str, str, bool]) -> None:
        key, typed, directories = wanted
        found = await self._desk.complete(typed, directories)
        form = self._form.form
        if form is None or not self._form.display or form.line(key).text != typed or self._form.field.key != key:
            return
        common = _common(found)
        if len(common) > len(typed):
            self._form.put(form.with_value(key, common))
        self._found = found if len(found) != 1 else None
        self._detail.update()

    # Leaving

    def _leave(self) -> None:
        if not self.is_changed:
            self._close()
            return
        answers = {"d": lambda: self._close(lambda: self._desk.keep(None)), "k": self._close}
        self._ask("not saved: d drops the changes, k keeps them for later, Esc stays", answers)

    def _ask(self, question: str, answers: dict[str, Callable[[], None]]) -> None:
        self._question, self._answers = question, answers
        self._asked_at = self._desk.monotonic()
        self._keys.emphasis = "question"
        self._keys.refresh()

    def _answer(self, key: str) -> None:
        if self._desk.monotonic() - self._asked_at < DEAF_SECONDS:
            return
        answers, self._answers = self._answers, {}
        self._keys.emphasis = ""
        self._keys.refresh()
        if key in answers:
            answers[key]()

    def _close(self, then: Callable[[], None] | None = None) -> None:
        if self.editing is not None:
            self._desk.keep(self.editing.draft if self.editing.draft.changed else None)
        self.post_message(DialogClosed(self, then))

    def _review(self, editing: Editing) -> None:
        draft, refusal = editing.draft, self._desk.refusal()
        if refusal:
            self._say(refusal, "warning")
        elif not draft.changed:
            self._say("nothing is changed", "text")
        else:
            self._close(lambda: self._desk.review(draft))

    # Showing

    def _show_form(self) -> None:
        editing = self.editing
        assert editing is not None
        assert editing.form is not None
        self.field = self._form
        self._form.open(editing.form)
        self._sheet.display, self._form.display = False, True
        self.take_focus()
        self._ask_about_form()

    def _show_list(self) -> None:
        self.field = None
        self._sheet.display, self._form.display = True, False
        self.take_focus()
        self._renew()

    @on(FormLines.Typed)
    def _on_typed(self, event: FormLines.Typed) -> None:
        event.stop()
        if self.editing is not None and self._form.display:
            self.editing.form = self._form.form
            self._ask_about_form()

    def _ask_about_form(self) -> None:
        """What is said of the file with what stands in the form."""
        editing = self.editing
        assert editing is not None
        self.findings.ask(editing.draft.document, editing.values)
        self._tell()

    def _renew(self) -> None:
        """The draft may be another one."""
        if self.editing is not None:
            self.findings.take(self.editing.draft.values, self.editing.draft.checked)
            self._tell()

    def _tell(self) -> None:
        """Something else is said of what is shown."""
        editing = self.editing
        if editing is not None and editing.form is not None and self._form.display:
            self._form.tell(editing.form.own(self.findings.all))
        self._present()

    @on(CursorLines.Moved)
    def _on_moved(self, event: CursorLines.Moved) -> None:
        event.stop()
        self._found = None
        self._detail.update()
        self._keys.update()

    def _present(self) -> None:
        name, editing = clean(self._desk.microvm.name), self.editing
        if editing is not None and editing.form is not None:
            self._title.say(f"{name} > {editing.form.name}{' (new)' if editing.form.is_new else ''}")
        else:
            changed = "not saved" if editing is not None and editing.draft.changed else ""
            self._title.say(f"{name}: what its definition file says", changed)
        self._sheet.present(self._entries)
        self._detail.update()
        self._keys.update()

    def _entries(self, width: int, cursor: str | None) -> list[Entry]:  # noqa: ARG002
        if self._problem is not None:
            lines = folded(clean(str(self._problem)), width - 2, 20)
            return [Entry(tuple(((f"  {line}", "error"),) for line in lines))]
        if self.editing is None:
            return [Entry(((("  reading …", "dim"),),))]
        if self._is_absent:
            path = clean(str(self.editing.draft.document.path))
            told = f"There is no definition file yet. It would be {path}. What is built can be written there (adopt)."
            return [Entry(tuple(((f"  {line}", "text"),) for line in folded(told, width - 2, 6)))]
        return entries(self.editing.draft, self.findings.all, width, ascii_only=in_ascii(self.app))

    def _say(self, text: str, role: str) -> None:
        self._said = (text, role)

    def _detail_lines(self, size: Size) -> Sequence[Line]:
        text, role = self._said
        room = (size.width, size.height)
        if text:
            return [((f"  {line}", role),) for line in folded(clean(text), size.width - 2, size.height)]
        if self.editing is None or self._is_absent:
            return ()
        if self._form.display and self._form.form is not None:
            if self._found is not None:
                return candidate_lines(self._found, room)
            return detail_lines(self._form.form, self._form.field, self._form.of_field, room)
        spot = spot_of(self._sheet.cursor_key)
        told = findings_lines(about(self.findings.all, spot), *room) if spot is not None else []
        moved = [((f"  {clean(one)}", "text"),) for one in self.editing.draft.moved]
        return (told or moved)[: size.height]

    def _keys_lines(self, size: Size) -> Sequence[Line]:
        if self._answers:
            return (((self._question, "strong"),),)
        if self._form.display:
            field, keys = self._form.field, [("Enter", "takes it")]
            if field.kind.is_path:
                keys.append(("Tab", "completes"))
            if field.kind.is_chosen:
                keys.append(("space", "the next one"))
            if self._form.form is not None and first_fix(self._form.form, field, self._form.of_field):
                keys.append((FIX_KEY, "mends it"))
            return (keys_line((*keys, ("↑", "↓ fields"), ("Esc", "leaves")), size.width),)
        if self.editing is None:
            return (keys_line((("Esc", "leaves"),), size.width),)
        return (keys_line(_NO_FILE_KEYS if self._is_absent else _LIST_KEYS, size.width),)


def _common(found: Sequence[str]) -> str:
    """What all of them begin with."""
    if not found:
        return ""
    first, last = min(found), max(found)
    return first[: next((at for at, char in enumerate(first) if char != last[at : at + 1]), len(first))]
