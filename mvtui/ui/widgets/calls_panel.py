"""Every command and D-Bus call that mvtui made: when, how long, what came back."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import tzinfo

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.geometry import Size

from mvtui.model.call import Call, CallKind
from mvtui.model.text import clean
from mvtui.ui.commands import moves
from mvtui.ui.keys import all_keys, leave_label, leaves, live_keys
from mvtui.ui.lines import Line, Lines, clipped, folded, ruled
from mvtui.ui.picture import Picture
from mvtui.ui.tabs.page import Entry
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.sheet import Sheet

_INDENT = 29
_MOST_LINES = 40


def call_entries(calls: Sequence[Call], width: int, cursor: str | None, zone: tzinfo | None) -> list[Entry]:
    """One for each call, the newest first, its time in `zone`; the one under the cursor is shown in full."""
    if not calls:
        return [Entry(((("  mvtui has called nothing yet.", "text"),),))]
    entries = []
    seen = Counter[tuple[str, str]]()
    for call in calls:
        # A poll keeps its key when it is made again, and so does the same command when another one comes.
        key = f"{call.kind} {seen[call.kind, call.what]} {call.what}"
        seen[call.kind, call.what] += 1
        entries.append(Entry(tuple(_lines(call, width, zone, whole=key == cursor)), key))
    return entries[::-1]


def _lines(call: Call, width: int, zone: tzinfo | None, *, whole: bool) -> list[Line]:
    took = f"{call.seconds * 1000:.1f}ms" if call.seconds is not None else "runs"
    times = f" ×{call.times}" if call.times > 1 else ""
    role = "text" if call.ok else "dim" if call.ok is None else "error"
    start: Line = (
        (f"{call.at.astimezone(zone):%H:%M:%S} ", "dim"),
        (f"{took:>9}  ", "text"),
        (f"{call.kind:<7}  ", "dim"),
    )
    result = f" → {call.result}" if call.result else ""
    if not whole:
        if call.kind is CallKind.COMMAND and call.result:  # which may have a line much longer than the screen
            told: Line = ((clean(call.result), role), (" ← ", "dim"), (clean(call.what[: 4 * width]), "strong"))
        else:
            told = ((clean(call.what[: 4 * width]), "strong"), (times, "dim"), (clean(result), role))
        return [clipped((*start, *told), width)]
    room = max(10, width - _INDENT)
    first, *more = folded(clean(call.what), room, _MOST_LINES)
    lines: list[Line] = [(*start, (first, "strong"), (times, "dim") if not more else ("", "dim"))]
    lines += [((" " * _INDENT, "text"), (line, "strong")) for line in more]
    lines += [((" " * _INDENT, "text"), (line, role)) for line in folded(clean(result.strip()), room, _MOST_LINES)]
    return [clipped(line, width) for line in lines]


class CallsTitle(Lines):
    """What it is, and how it is left."""

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """One line for this width."""
        leave = leave_label(all_keys(self.app))
        return (ruled(f"What mvtui called, the newest first; {leave} leaves", size.width),)


class CallsPanel(Vertical, Dialog):
    """Docked over the foot; `calls` gives them, the oldest first. It follows while it is open."""

    def __init__(self, calls: Callable[[], Sequence[Call]]) -> None:
        super().__init__()
        self._calls = calls
        self._sheet = Sheet()

    def compose(self) -> ComposeResult:
        """Title and calls."""
        yield CallsTitle()
        yield self._sheet

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self.screen.set_focus(self._sheet)
        self.watch(self.screen, "picture", self._renew)

    def _renew(self, picture: Picture | None) -> None:
        calls, zone = self._calls(), picture.now.tzinfo if picture is not None else None
        self._sheet.present(lambda width, cursor: call_entries(calls, width, cursor, zone))

    def on_key(self, event: Key) -> None:
        """Move, or leave; no other key goes on to anything else."""
        keys = live_keys(self.screen)
        if moves(event.key, keys):
            return
        event.stop()
        if leaves(event.key, keys, "calls", "back"):
            self.post_message(DialogClosed(self))
