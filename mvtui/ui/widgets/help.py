"""The keys that work here, and what the glyphs mean."""

from itertools import zip_longest

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Key
from textual.geometry import Size

from mvtui.model.state import StateWord
from mvtui.ui.charset import fit
from mvtui.ui.commands import COMMANDS, Place
from mvtui.ui.lines import Line, Lines, clipped, in_ascii, width_of
from mvtui.ui.widgets.dialog import DialogClosed

TWO_COLUMNS = 80

_MEANINGS = {
    StateWord.RUNNING: "up, every share served",
    StateWord.STARTING: "activating, since when",
    StateWord.STOPPING: "time left until killed",
    StateWord.DEGRADED: "up, but something is down",
    StateWord.LOOPING: "restarted again and again",
    StateWord.FAILED: "with its result",
    StateWord.STOPPED: "nothing runs",
    StateWord.ORPHAN: "its directory is missing",
    StateWord.UNKNOWN: "could not be asked",
}


def help_lines(width: int, ascii_only: bool) -> list[Line]:
    """All lines, in two columns where there is room."""
    keys, states = _keys(), _states(ascii_only)
    if width < TWO_COLUMNS:
        return [clipped(line, width) for line in (*keys, (), *states)]
    half = width // 2
    pairs = zip_longest(keys, states, fillvalue=())
    return [(*left, (" " * (half - width_of(left)), "text"), *right) for left, right in pairs]


def _keys() -> list[Line]:
    titles = {Place.LIST: "Move", Place.PANEL: "Do", Place.QUESTION: "When it asks"}
    lines: list[Line] = []
    for place in (Place.LIST, Place.PANEL, Place.QUESTION):
        lines.append(((titles[place], "strong"),))
        lines += [
            ((fit(f"  {one.shown_keys}", 12), "key"), (one.help, "text")) for one in COMMANDS if one.place is place
        ]
    return lines


def _states(ascii_only: bool) -> list[Line]:
    lines: list[Line] = [(("States", "strong"),)]
    for word, meaning in _MEANINGS.items():
        glyph = word.ascii_glyph if ascii_only else word.glyph
        lines.append(((f"  {glyph} {word:<10}", str(word)), (meaning, "text")))
    lines += [(), (("Columns", "strong"),)]
    lines.append((("  CPU% of one core, of all its processes", "text"),))
    lines.append((("  FSD  shares that are served", "text"),))
    return lines


class HelpText(Lines):
    """As high as its lines."""

    def fitted(self, size: Size) -> list[Line]:
        """The lines for this width."""
        return help_lines(size.width, in_ascii(self.app))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """How many lines there are."""
        return len(self.fitted(Size(width, 0)))


class Help(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Over the list while it is asked for; it has the focus and scrolls."""

    def compose(self) -> ComposeResult:
        """The text."""
        yield HelpText()

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self.screen.set_focus(self)

    def on_key(self, event: Key) -> None:
        """Scroll, or leave; no key goes on to anything else."""
        event.stop()
        event.prevent_default()
        height = max(1, self.size.height - 1)
        steps = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": height, "pageup": -height, "space": height}
        if event.key in ("escape", "q", "question_mark", "f1"):
            self.post_message(DialogClosed(self))
        elif event.key in steps:
            self.scroll_relative(y=steps[event.key], animate=False)
        elif event.key in ("g", "home"):
            self.scroll_home(animate=False)
        elif event.key in ("G", "end"):
            self.scroll_end(animate=False)
