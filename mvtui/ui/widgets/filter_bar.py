"""The filter while it is typed, over the foot."""

from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Key
from textual.geometry import Size
from textual.widgets import Input

from mvtui.ui.keys import all_keys, leave_label, leaves
from mvtui.ui.lines import Line, Lines, justified, width_of
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.field import Field
from mvtui.ui.widgets.microvm_list import MicroVMList


class Sign(Lines):
    """The slash before the field."""

    def fitted(self, size: Size) -> tuple[Line, ...]:  # noqa: ARG002
        """One cell."""
        return ((("/", "key"),),)


class Found(Lines):
    """How many are shown, and how the filter is left where there is room for that."""

    text = ""

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """Flush right; the keys are those of the field."""
        keys: Line = (
            ("   ", "text"),
            ("Enter", "key"),
            (" keeps, ", "dim"),
            (leave_label(all_keys(self.app), typing=True), "key"),
            (" drops", "dim"),
        )
        right: Line = ((self.text, "dim"),)
        return (justified((), (*right, *keys) if len(self.text) + width_of(keys) <= size.width else right, size.width),)


class FilterBar(Horizontal, Dialog):
    """Filters `microvms` as it is typed; Enter keeps the filter, Esc drops it; without the focus it is kept."""

    def __init__(self, microvms: MicroVMList) -> None:
        super().__init__()
        self._list = microvms
        self.field: Field = Field(value=microvms.listing.text)
        self._found = Found()

    def compose(self) -> ComposeResult:
        """Slash, field, count."""
        yield Sign()
        yield self.field
        yield self._found

    def on_mount(self) -> None:
        """Type here."""
        self.screen.set_focus(self.field)
        self._filter(self.field.value)

    def _filter(self, text: str) -> None:
        self._list.list_as(replace(self._list.listing, text=text))
        self._found.text = f" {len(self._list.shown)} of {self._list.count}"
        self._found.update()

    def on_input_changed(self, event: Input.Changed) -> None:
        """As you type."""
        event.stop()
        if self.is_attached:
            self._filter(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """It stays."""
        event.stop()
        self.post_message(DialogClosed(self))

    def on_key(self, event: Key) -> None:
        """Drop it, or go on to the list with it."""
        if leaves(event.key, all_keys(self.app)) and not event.is_printable:
            event.stop()
            self._filter("")
            self.post_message(DialogClosed(self))
        elif event.key == "down":
            event.stop()
            self.post_message(DialogClosed(self))
