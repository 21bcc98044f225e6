"""The palette: type a few letters of an action or of a microVM's name."""

from collections.abc import Callable
from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.geometry import Size
from textual.widgets import Input

from mvtui.model.text import clean
from mvtui.ui.keys import Keys, all_keys, leave_label, leaves
from mvtui.ui.lines import Line, Lines, clipped, in_ascii, ruled
from mvtui.ui.palette import Offer, matching
from mvtui.ui.widgets.cursor_lines import CursorLines
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.field import Field


class PaletteTitle(Lines):
    """What it is, and how many there are."""

    count = 0

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """One line for this width."""
        leave = leave_label(all_keys(self.app), typing=True)
        return (ruled(f"Type an action or a name; Enter does it, {leave} leaves", size.width, f" {self.count} ─"),)


class Offers(CursorLines, can_focus=False):
    """What matches; the field keeps the focus."""

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self._offers: list[Offer] = []
        self._text = ""

    def present(self, found: list[Offer], text: str) -> None:
        """Offer these, which have `text`; the cursor is on the first that can be done."""
        self._offers, self._text = found, text
        first = next((offer for offer in found if not offer.refusal), None)
        self.cursor, self.cursor_key = 0, first.key if first is not None else None
        self.follow()
        self.scroll_home(animate=False, immediate=True)

    @property
    def chosen(self) -> Offer | None:
        """The one under the cursor."""
        return self._offers[self.cursor] if self._offers else None

    @property
    def line_count(self) -> int:
        """One each; where there is none, one that says so."""
        return len(self._offers) or 1

    @property
    def stop_count(self) -> int:
        """One each."""
        return len(self._offers)

    def key_of(self, stop: int) -> str:
        """The offer's."""
        return self._offers[stop].key

    def line_at(self, line: int) -> Line:
        """The offer's."""
        if not self._offers:
            return clipped(((f'  nothing has "{clean(self._text.strip())}"', "text"),), self.size.width)
        return self._offers[line].line(self._keys, self.size.width, in_ascii(self.app))


class PalettePanel(Vertical, Dialog):
    """Docked over the foot; `act` does what was chosen, after it is gone."""

    def __init__(self, offers: list[Offer], keys: Keys, act: Callable[[Offer], None]) -> None:
        super().__init__()
        self._all = offers
        self._act = act
        self._title = PaletteTitle()
        self._list = Offers(keys)
        self.field: Field = Field()
        # Enter alone changes nothing: something must have been typed, or pointed at.
        self._is_meant = False

    def compose(self) -> ComposeResult:
        """Title, offers, field."""
        yield self._title
        yield self._list
        yield self.field

    def on_mount(self) -> None:
        """Type here."""
        self._find("")
        self.screen.set_focus(self.field)

    def _find(self, text: str) -> None:
        found = matching(self._all, text)
        self._title.count = len(found)
        self._title.update()
        self._list.present(found, text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what matches."""
        event.stop()
        self._is_meant = bool(event.value)
        self._find(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what the cursor is on; what can't be done stays in sight with why."""
        event.stop()
        if self._is_meant:
            self._choose()

    def on_cursor_lines_chosen(self, event: CursorLines.Chosen) -> None:
        """As Enter."""
        event.stop()
        self._choose()

    def _choose(self) -> None:
        offer = self._list.chosen
        if offer is not None and not offer.refusal:
            self.post_message(DialogClosed(self, partial(self._act, offer)))

    def on_key(self, event: Key) -> None:
        """Move the cursor, or leave."""
        moves = {
            "down": self._list.action_cursor_down,
            "up": self._list.action_cursor_up,
            "pagedown": self._list.action_page_down,
            "pageup": self._list.action_page_up,
        }
        if event.key in moves:
            event.stop()
            self._is_meant = True
            moves[event.key]()
        elif leaves(event.key, all_keys(self.app)) and not event.is_printable:
            event.stop()
            self.post_message(DialogClosed(self))
