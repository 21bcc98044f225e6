"""The fields of a form: typed in, chosen, moved between."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.events import Paste
from textual.geometry import Size
from textual.message import Message

from mvtui.model.finding import Finding
from mvtui.ui.forms.fields import FieldKind, FormField
from mvtui.ui.forms.fixes import is_missing
from mvtui.ui.forms.form import Form
from mvtui.ui.forms.latest import Latest
from mvtui.ui.forms.told import FIX_KEY, candidate_lines, detail_lines, field_line, first_fix
from mvtui.ui.keys import all_keys, leave_label
from mvtui.ui.lines import Line, in_ascii
from mvtui.ui.widgets.cursor_lines import CursorLines


class FormLines(CursorLines, can_focus=True, inherit_bindings=False):
    """One line for each field, as many as have room; the one under the cursor is typed in. Its dialog hands it the
    keys. `complete` gives what a path can be completed with, of directories alone where its second argument is true."""

    BINDINGS: ClassVar[list[BindingType]] = []

    class Typed(Message):
        """Something else stands in a field."""

    def __init__(self, complete: Callable[[str, bool], Awaitable[tuple[str, ...]]]) -> None:
        super().__init__()
        self._complete = complete
        self._paths = Latest[tuple[str, str, bool]](self, "paths", 0.0, self._complete_path)
        self._candidates: Sequence[str] | None = None
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
        self._candidates = None
        if self.form is None:
            return False
        moves = {"down": 1, "up": -1, "shift+tab": -1}
        if key in moves:
            self.move_to((self.cursor + moves[key]) % len(self._fields))
        elif key == "pagedown":
            self.move_to(len(self._fields) - 1)
        elif key == "pageup":
            self.move_to(0)
        elif key == "tab":
            self._complete_or_go_on(self.form)
        elif key == "ctrl+f":
            if (fix := first_fix(self.form, self.field, self.of_field)) is not None:
                self.put(self.form.with_value(*fix))
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

    def _complete_or_go_on(self, form: Form) -> None:
        """Tab completes a path, gives the next of what a text may be, or goes on to the next field."""
        if self.field.kind.is_path:
            typed = form.line(self.field.key).text
            self._paths.ask((self.field.key, typed, self.field.kind is FieldKind.DIRECTORY))
        elif self.field.choices and not self.field.kind.is_chosen:
            self.put(form.chosen(self.field, 1))
        else:
            self.move_to((self.cursor + 1) % len(self._fields))

    async def _complete_path(self, wanted: tuple[str, str, bool]) -> None:
        key, typed, directories = wanted
        found = await self._complete(typed, directories)
        if self.form is None or self.field.key != key or self.form.line(key).text != typed:
            return  # it was typed on
        common = _common(found)
        if len(common) > len(typed):
            self.put(self.form.with_value(key, common))
        self._candidates = found if len(found) != 1 else None
        self.post_message(self.Moved())

    def _on_paste(self, event: Paste) -> None:
        """The first line of it, as it can be seen."""
        event.stop()
        if self.form is not None and not self.field.kind.is_chosen and event.text:
            line = self.form.line(self.field.key)
            self.put(self.form.typed(self.field.key, line.insert(event.text.splitlines()[0])))

    # What is said of it

    def detail(self, size: Size) -> Sequence[Line]:
        """All that is said of the field under the cursor, or what its path can be completed with."""
        if self.form is None:
            return ()
        if self._candidates is not None:
            return candidate_lines(self._candidates, (size.width, size.height))
        return detail_lines(self.form, self.field, self.of_field, (size.width, size.height), all_keys(self.app))

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Those that work in it, and what they do."""
        keys = [("Enter", "takes it")]
        if self.form is not None and first_fix(self.form, self.field, self.of_field) is not None:
            keys.append((FIX_KEY, "mends it"))
        elif is_missing(self.of_field):
            keys.append((FIX_KEY, "creates it"))
        if self.field.kind.is_path:
            keys.append(("Tab", "completes"))
        if self.field.choices:
            keys.append(("space" if self.field.kind.is_chosen else "Tab", "the next one"))
        return [*keys, ("↑", "↓ fields"), (leave_label(all_keys(self.app), typing=True), "leaves")]

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


def _common(found: Sequence[str]) -> str:
    """What all of them begin with."""
    if not found:
        return ""
    first, last = min(found), max(found)
    return first[: next((at for at, char in enumerate(first) if char != last[at : at + 1]), len(first))]
