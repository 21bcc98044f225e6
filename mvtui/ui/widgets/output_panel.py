"""What a command says while it runs: docked over the foot; it can be left, and goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.geometry import Size

from mvtui.model.output import OutputLines
from mvtui.ui.commands import moves
from mvtui.ui.keys import all_keys, leave_label, leaves, live_keys
from mvtui.ui.lines import Line, Lines, ruled
from mvtui.ui.questions import Answer
from mvtui.ui.widgets.cursor_lines import CursorLines
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.question import answer_pieces, flowed

# So often it follows, unless that many cells would be more bytes than this, at four bytes a cell.
SECONDS = 0.5
BYTES_PER_SECOND = 16_000
_CELL_BYTES = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What stands around the output now: its title, in a role, and the keys that do something."""

    title: str
    role: str
    answers: tuple[Answer, ...]


def pieces(line: str, width: int) -> list[str]:
    """A line in pieces that fit; none has more characters than cells, so that what has no width is no more bytes."""
    step = max(1, width if cell_len(line) <= len(line) else width // 2)
    return [line[start : start + step] for start in range(0, len(line), step)] or [""]


class OutputText(CursorLines):
    """The lines; the last of them stays in sight until somebody scrolls up."""

    def __init__(self, output: OutputLines) -> None:
        super().__init__()
        self._output = output
        self._lines: Sequence[str] = ()
        self._counts: Sequence[int] = ()  # of each line of the output, in how many of these it is
        self._gone = output.gone
        self._height = 0

    def renew(self) -> None:
        """There may be more, or another size: who saw the end before sees it then."""
        before, self._height = self._height, self.size.height
        at_end = self.scroll_offset.y >= self.line_count - max(before, self._height)
        gone, self._gone = sum(self._counts[: self._output.gone - self._gone]), self._output.gone
        shown = [pieces(line, self.size.width) for line in self._output.lines]
        self._lines, self._counts = [part for parts in shown for part in parts], [len(parts) for parts in shown]
        self.follow()
        if at_end:
            self.scroll_to(y=max(0, self.line_count - self.size.height), animate=False, force=True, immediate=True)
        elif gone:
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False, force=True, immediate=True)

    @property
    def line_count(self) -> int:
        """All that are kept, each in as many as it takes."""
        return len(self._lines)

    @property
    def stop_count(self) -> int:
        """None: the keys scroll."""
        return 0

    def line_at(self, line: int) -> Line:
        """One of them."""
        return ((self._lines[line], "text"),)


class OutputHead(Lines):
    """One line."""

    told = Told("", "text", ())

    def fitted(self, size: Size) -> list[Line]:
        """The title."""
        return [ruled(self.told.title, size.width, role=self.told.role)]


class OutputFoot(Lines):
    """The keys."""

    told = Told("", "text", ())

    def fitted(self, size: Size) -> list[Line]:
        """On one line."""
        leave = leave_label(all_keys(self.app), taken={one.key for one in self.told.answers})
        return flowed(answer_pieces(self.told.answers, leave), size.width, "  ")[:1]


class OutputPanel(Vertical, Dialog):
    """Shows `output` as it comes, and what `tell` says of it; `own` is the id of the command that opens it, whose key
    leaves it too."""

    def __init__(self, output: OutputLines, tell: Callable[[], Told], own: str) -> None:
        super().__init__()
        self.output = output
        self._tell, self._own = tell, own
        self._head, self._text, self._foot = OutputHead(), OutputText(output), OutputFoot()
        self._is_left = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield from (self._head, self._text, self._foot)

    def on_mount(self) -> None:
        """The keys are its own from now on; it follows."""
        self.screen.set_focus(self._text)
        self._renew()
        self._follow()

    def _follow(self) -> None:
        cells = self.screen.size.width * self.screen.size.height
        self.set_timer(max(SECONDS, cells * _CELL_BYTES / BYTES_PER_SECOND), self._follow)
        self._renew()

    def _renew(self) -> None:
        told = self._tell()
        for part in (self._head, self._foot):
            part.told = told
            part.update()
        self._text.renew()

    def on_resize(self) -> None:
        """What was at the end stays there."""
        self.call_after_refresh(self._renew)

    def on_key(self, event: Key) -> None:
        """Do what a key says, scroll, or leave; no other key goes on to anything else."""
        answer = next((one for one in self._tell().answers if one.key == event.key), None)
        keys = live_keys(self.screen)
        if answer is None and moves(event.key, keys):
            return
        event.stop()
        event.prevent_default()
        if not self._is_left and (answer or leaves(event.key, keys, self._own, "back")):
            self._is_left = True
            self.post_message(DialogClosed(self, answer.act if answer else None))
