"""What the panel of a definition shows: the title, the list of the draft or the form of a part of it, what is said."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from mvtui.errors import MvtuiError
from mvtui.model.text import clean
from mvtui.ui.forms.definition_lines import Spot
from mvtui.ui.forms.definition_list import ABSENT_KEYS, BROKEN_KEYS, CHANGED_KEYS, DRAFT_KEYS, DefinitionList, told_keys
from mvtui.ui.forms.desk import Desk
from mvtui.ui.forms.editing import Editing
from mvtui.ui.forms.findings import Findings
from mvtui.ui.forms.form_lines import FormLines
from mvtui.ui.forms.parts import Detail, Keys, Title, keys_line
from mvtui.ui.keys import all_keys
from mvtui.ui.lines import Line, folded
from mvtui.ui.widgets.cursor_lines import CursorLines
from mvtui.ui.widgets.dialog import Dialog


class DefinitionView(Vertical, Dialog):
    """Docked over the foot. `editing` is None until the file is read, and where it can't be."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._title = Title()
        self._list = DefinitionList()
        self._form = FormLines(desk.complete)
        self._detail = Detail(self._detail_lines)
        self._keys = Keys(self._keys_lines)
        self.editing: Editing | None = None
        self.findings = Findings(self, desk.check_fields, self._tell)
        self._problem: MvtuiError | None = None
        self._is_absent = False
        self._said = ("", "text")

    def compose(self) -> ComposeResult:
        """Title, list or form, what is said of it, keys."""
        self._form.display = False
        yield from (self._title, self._list, self._form, self._detail, self._keys)

    def take_focus(self) -> None:
        """The keys are the form's, or the list's."""
        self.screen.set_focus(self._form if self._form.display else self._list)

    def _show_form(self, editing: Editing) -> None:
        assert editing.form is not None
        self.field = self._form
        self._form.open(editing.form)
        self._list.display, self._form.display = False, True
        self.take_focus()
        self._ask_about(editing)

    def _show_list(self, spot: Spot | None = None) -> None:
        if spot is not None:
            self._list.go_to(spot)
        self.field = None
        self._list.display, self._form.display = True, False
        self.take_focus()
        self._renew()

    def _ask_about(self, editing: Editing) -> None:
        self.findings.ask(editing.draft.document, editing.values)
        self._tell()

    def _say(self, text: str, role: str) -> None:
        self._said = (text, role)
        self._detail.update()

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
            told = () if self._problem is None else BROKEN_KEYS
        elif self._is_absent:
            told = ABSENT_KEYS
        else:
            told = CHANGED_KEYS if self.editing.changed else DRAFT_KEYS
        return (keys_line(told_keys(told, all_keys(self.app)), size.width),)
