"""The fields of a form: typed in, chosen, moved between."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.events import Paste
from textual.message import Message

from mvtui.model.finding import Finding
from mvtui.ui.forms.fields import FormField
from mvtui.ui.forms.form import Form
from mvtui.ui.forms.told import field_line
from mvtui.ui.lines import Line, in_ascii
from mvtui.ui.widgets.cursor_lines import CursorLines


class FormLines(CursorLines, can_focus=True, inherit_bindings=False):
    """One line for each field, as many as have room; the one under the cursor is typed in. Its dialog hands it the
    keys."""

    BINDINGS: ClassVar[list[BindingType]] = []

    class Typed(Message):
        """Something else stands in a field."""

    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self.findings: Mapping[str, Sequence[Finding]] = {}
        self._fields: tuple[FormField, ...] = ()

    def open(self, form: Form) -> None:
        """Type in this from now on, at its first field."""
        self.form, self._fields, self.findings = form, form.fields, {}
        self.cursor, self.cursor_key = 0, None
        self.follow()
        self.scroll_home(animate=False, immediate=True)

    def put(self, form: Form) -> None:
        """Something else stands in it."""
        self.form, self._fields = form, form.fields
        self.follow()
        self.post_message(self.Typed())

    def tell(self, findings: Mapping[str, Sequence[Finding]]) -> None:
        """This is said of it."""
        self.findings = findings
        self.follow()

    @property
    def field(self) -> FormField:
        """The one under the cursor."""
        return self._fields[self.cursor]

    @property
    def of_field(self) -> Sequence[Finding]:
        """What is said of that."""
        return self.findings.get(self.field.key, ())

    def press(self, key: str, character: str | None) -> bool:
        """Take the key; False where it is none of its own."""
        if self.form is None:
            return False
        moves = {"down": 1, "up": -1, "shift+tab": -1}
        if key in moves:
            self.move_to((self.cursor + moves[key]) % len(self._fields))
        elif key == "pagedown":
            self.move_to(len(self._fields) - 1)
        elif key == "pageup":
            self.move_to(0)
        elif self.field.kind.is_chosen:
            return self._choose(self.form, key, character)
        else:
            line = self.form.line(self.field.key)
            typed = line.pressed(key, character)
            if typed is None:
                return False
            if typed != line:
                self.put(self.form.typed(self.field.key, typed))
        return True

    def _choose(self, form: Form, key: str, character: str | None) -> bool:
        steps = {"right": 1, "space": 1, "left": -1}
        if key in steps:
            self.put(form.chosen(self.field, steps[key]))
            return True
        begins = [each for each in self.field.choices if character and each.startswith(character)]
        if begins:
            self.put(form.with_value(self.field.key, begins[0]))
        return bool(begins)

    def _on_paste(self, event: Paste) -> None:
        """The first line of it, as it can be seen."""
        event.stop()
        if self.form is not None and not self.field.kind.is_chosen and event.text:
            line = self.form.line(self.field.key)
            self.put(self.form.typed(self.field.key, line.insert(event.text.splitlines()[0])))

    # Painting

    @property
    def line_count(self) -> int:
        """One for each field."""
        return len(self._fields)

    def key_of(self, stop: int) -> str:
        """The option."""
        return self._fields[stop].key

    def line_at(self, line: int) -> Line:
        """The field's."""
        each = self._fields[line]
        if self.form is None:
            return ()
        found = self.findings.get(each.key, ())
        return field_line(
            self.form, each, found, self.size.width, focused=line == self.cursor, ascii_only=in_ascii(self.app)
        )
