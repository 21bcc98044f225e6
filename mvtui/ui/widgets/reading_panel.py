"""What asks about a text: docked over the foot, the text scrolls, one letter answers."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.geometry import Size

from mvtui.ui.commands import moves
from mvtui.ui.keys import all_keys, leave_label, leaves, live_keys
from mvtui.ui.lines import Line, Lines, folded, in_ascii, ruled
from mvtui.ui.reading import Reading, part_lines
from mvtui.ui.tabs.page import Entry
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.question import DEAF_SECONDS, answer_pieces, fact_lines, flowed
from mvtui.ui.widgets.sheet import Sheet

# The share of the screen that a long text may take; where it is so low that all of it is needed, all.
_MOST = 0.8
_LOW = 16
# Room for how much there is below.
_MORE_WIDTH = 12


class ReadingHead(Lines):
    """What is asked, and how much of the text has been in sight."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question
        self.left_below = 0

    def fitted(self, size: Size) -> list[Line]:
        """As many lines as it takes."""
        more = f" {self.left_below} more ─" if self.left_below else ""
        first, *others = folded(self.question, max(1, size.width - 8 - _MORE_WIDTH), len(self.question))
        return [ruled(first, size.width, more), *[((f"  {line}", "strong"),) for line in others]]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """How many lines there are."""
        return len(self.fitted(Size(width, 0)))


class ReadingFoot(Lines):
    """The answers."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    def fitted(self, size: Size) -> list[Line]:
        """As many lines as it takes."""
        answers = self._reading.answers
        leave = leave_label(all_keys(self.app), taken={one.key for one in answers})
        return flowed(answer_pieces(answers, leave), size.width, "  ")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """How many lines there are."""
        return len(self.fitted(Size(width, 0)))


class ReadingPanel(Vertical, Dialog):
    """Answers to no key in its first moments, nor where what is asked has no room."""

    def __init__(self, reading: Reading, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._reading = reading
        self._monotonic = monotonic
        self._asked_at = monotonic()
        self._answered, self._was_whole = False, True
        self._head, self._sheet, self._foot = ReadingHead(reading.question), Sheet(), ReadingFoot(reading)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield from (self._head, self._sheet, self._foot)

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self._asked_at = self._monotonic()
        self._was_whole = self._is_whole
        self._fit()
        self.screen.set_focus(self._sheet)
        self._sheet.present(lambda width, _: [Entry(tuple(self._body(width)))])
        self.watch(self._sheet, "scroll_y", self._tell_more)

    def _body(self, width: int) -> list[Line]:
        ascii_only = in_ascii(self.app)
        facts = fact_lines(self._reading.facts, width, 1000, ascii_only) if self._reading.facts else []
        lines = [*facts, *part_lines(self._reading.parts, width)]
        return lines if lines[:1] != [()] else lines[1:]

    def _fit(self) -> None:
        """As high as what it shows, as far as there is room."""
        screen = self.screen.size
        most = screen.height if screen.height <= _LOW else int(screen.height * _MOST)
        needed = len(self._body(screen.width)) + self._fixed
        self.styles.height = max(min(needed, most), min(self._fixed + 1, screen.height))
        self.call_after_refresh(self._tell_more)

    @property
    def _fixed(self) -> int:
        width = Size(self.screen.size.width, 0)
        return len(self._head.fitted(width)) + len(self._foot.fitted(width))

    def _tell_more(self) -> None:
        below = max(0, self._sheet.line_count - int(self._sheet.scroll_offset.y) - self._sheet.size.height)
        if below != self._head.left_below:
            self._head.left_below = below
            self._head.update()

    def on_resize(self) -> None:
        """The text may take more or fewer lines; what had no room can be read only now."""
        self._fit()
        if self._is_whole and not self._was_whole:
            self._asked_at = self._monotonic()
        self._was_whole = self._is_whole

    @property
    def _is_new(self) -> bool:
        return not self._reading.harmless and self._monotonic() - self._asked_at < DEAF_SECONDS

    @property
    def _is_whole(self) -> bool:
        return self._fixed < self.screen.size.height

    def on_key(self, event: Key) -> None:
        """Answer, leave, or move; no other key goes on to anything else."""
        answer = next((one for one in self._reading.answers if one.key == event.key), None)
        keys = live_keys(self.screen)
        if answer is None and moves(event.key, keys):
            return
        event.stop()
        event.prevent_default()
        if self._answered or self._is_new:
            return
        if answer is not None and self._is_whole:
            self._close(answer.act)
        elif answer is None and leaves(event.key, keys, "back"):
            self._close(self._reading.left)

    def _close(self, then: Callable[[], None] | None) -> None:
        self._answered = True
        self.post_message(DialogClosed(self, then))
