"""The keys that work where it is asked for, and what the glyphs mean."""

from collections.abc import Sequence
from itertools import zip_longest

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Key
from textual.geometry import Size

from mvtui.model.state import StateWord
from mvtui.ui.command import Command, Situation
from mvtui.ui.commands import COMMANDS, help_of
from mvtui.ui.glyphs import glyph_of
from mvtui.ui.key_names import labels_within
from mvtui.ui.keys import Keys, leave_label, leaves
from mvtui.ui.lines import Line, Lines, clipped, in_ascii, ruled, width_of
from mvtui.ui.widgets.dialog import Dialog, DialogClosed

TWO_COLUMNS = 80
_KEYS_WIDTH = 8

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
_LEFT, _RIGHT = ("Act", "Move", "Page"), ("List", "Logs", "Panel")


def help_lines(keys: Keys, situations: Sequence[Situation], width: int, ascii_only: bool) -> list[Line]:
    """All lines, in two columns where there is room. `keys` are those that work; what can't be done now is dimmed, with
    why in the place of what it does."""
    half = width // 2 if width >= TWO_COLUMNS else width
    left = [line for group in _LEFT for line in _group(group, keys, situations, half - 1)]
    right = [line for group in _RIGHT for line in _group(group, keys, situations, half - 1)]
    title = ruled(f"The keys that work here; {leave_label(keys)} leaves", width)
    if half == width:
        return [title, *[clipped(line, width) for line in (*left, *right, *_states(ascii_only), *_columns())]]
    for lines in (_states(ascii_only), _columns()):
        (left if len(left) <= len(right) else right).extend(lines)
    pairs = zip_longest(left, right, fillvalue=())
    return [title, *[(*one, (" " * (half - width_of(one)), "text"), *other) for one, other in pairs]]


def _group(group: str, keys: Keys, situations: Sequence[Situation], width: int) -> list[Line]:
    shown = [one for one in COMMANDS if one.group == group and keys.get(one.id)]
    return [((group, "strong"),), *[clipped(_line(one, keys, situations), width) for one in shown]] if shown else []


def _line(one: Command, keys: Keys, situations: Sequence[Situation]) -> Line:
    refusal = one.refusal_of_all(situations)
    label = f"  {labels_within(keys[one.id], _KEYS_WIDTH)} "
    if refusal:
        return ((label, "dim"), (f"{one.words}: {refusal}", "dim"))
    return ((label, "key"), (help_of(one, keys), "text"))


def _states(ascii_only: bool) -> list[Line]:
    lines: list[Line] = [(("States", "strong"),)]
    for word, meaning in _MEANINGS.items():
        lines.append(((f"  {glyph_of(word, ascii_only)} {word:<10}", str(word)), (meaning, "text")))
    return lines


def _columns() -> list[Line]:
    words = ("  CPU% of one core, of all its processes", "  FSD  shares that are served")
    return [(("Columns", "strong"),), *[((line, "text"),) for line in words]]


class HelpText(Lines):
    """As high as its lines."""

    def __init__(self, keys: Keys, situations: Sequence[Situation]) -> None:
        super().__init__()
        self._keys, self._situations = keys, situations

    def fitted(self, size: Size) -> list[Line]:
        """The lines for this width."""
        return help_lines(self._keys, self._situations, size.width, in_ascii(self.app))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """How many lines there are."""
        return len(self.fitted(Size(width, 0)))


class Help(VerticalScroll, Dialog, can_focus=True, inherit_bindings=False):
    """Over the level while it is asked for; it has the focus and scrolls."""

    def __init__(self, keys: Keys, situations: Sequence[Situation]) -> None:
        super().__init__()
        self._keys = keys
        self._text = HelpText(keys, situations)

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._text

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self.screen.set_focus(self)

    def on_key(self, event: Key) -> None:
        """Scroll, or leave; no key goes on to anything else."""
        event.stop()
        event.prevent_default()
        height = max(1, self.size.height - 1)
        half = max(1, self.size.height // 2)
        steps = {"cursor_down": 1, "cursor_up": -1, "page_down": height, "page_up": -height}
        steps |= {"half_down": half, "half_up": -half}
        meant = next((one for one, keys in self._keys.items() if event.key in keys), "")
        if meant not in steps and leaves(event.key, self._keys, "help", "back"):
            self.post_message(DialogClosed(self))
        elif meant in steps:
            self.scroll_relative(y=steps[meant], animate=False)
        elif meant == "first":
            self.scroll_home(animate=False)
        elif meant == "last":
            self.scroll_end(animate=False)
