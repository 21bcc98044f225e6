"""The list of what a definition has, and the keys that change it."""

from collections.abc import Sequence

from textual.events import Resize
from textual.geometry import Size
from textual.message import Message

from mvtui.errors import MvtuiError
from mvtui.model.edit import ItemKind
from mvtui.model.finding import Finding
from mvtui.model.text import clean
from mvtui.ui.forms.definition_lines import Spot, about, entries, findings_lines, spot_of
from mvtui.ui.forms.editing import Editing
from mvtui.ui.lines import Line, folded, in_ascii
from mvtui.ui.tabs.page import Entry
from mvtui.ui.widgets.sheet import Sheet

LIST_KEYS = (
    ("e", "edit"),
    ("s", "+share"),
    ("v", "+volume"),
    ("c", "copy"),
    ("x", "delete"),
    ("J", "K move"),
    ("r", "review"),
    ("u", "undo"),
    ("o", "overlay"),
    ("E", "the file"),
    ("Z", "grow image"),
    ("Esc", "leaves"),
)
# Where there is no file that can be read.
BROKEN_KEYS = (("E", "edits the file"), ("Esc", "leaves"))
# Where there is none yet.
ABSENT_KEYS = (
    ("a", "adopt: write what is built"),
    ("n", "begin an empty one"),
    ("Esc", "leaves"),
)
_READING = Entry(((("  reading …", "dim"),),))


class DefinitionList(Sheet):
    """Shares, volumes and overlay, each with its worst finding; a draft, and what is said of it."""

    class Fitted(Message):
        """The lines were made anew for another size: the cursor may stand on something else."""

    def __init__(self) -> None:
        super().__init__()
        self.editing: Editing | None = None
        self._findings: Sequence[Finding] = ()

    def show_words(self, text: str, role: str) -> None:
        """There is nothing to be listed, for this reason."""
        self.present(lambda width, _: [Entry(tuple(((f"  {line}", role),) for line in folded(text, width - 2, 20)))])

    def show_draft(self, editing: Editing, findings: Sequence[Finding]) -> None:
        """Show this from now on."""
        self.editing, self._findings = editing, findings
        self.present(self._entries)

    def _entries(self, width: int, _cursor: str | None) -> list[Entry]:
        if self.editing is None:
            return [_READING]
        return entries(self.editing.draft, self._findings, width, ascii_only=in_ascii(self.app))

    def on_resize(self, _event: Resize) -> None:
        """After the lines are."""
        self.post_message(self.Fitted())

    @property
    def spot(self) -> Spot | None:
        """What the cursor stands on."""
        return spot_of(self.cursor_key) if self.editing is not None else None

    def go_to(self, spot: Spot) -> None:
        """The cursor stands there when the lines are made anew."""
        self.cursor_key = spot.key

    def detail(self, size: Size) -> Sequence[Line]:
        """All that is said of what the cursor stands on; where that is nothing, which drive letters move."""
        if self.editing is None or self.spot is None:
            return ()
        told = findings_lines(about(self._findings, self.spot), size.width, size.height)
        moved: list[Line] = [((f"  {clean(one)}", "text"),) for one in self.editing.draft.moved]
        return (told or moved)[: size.height]

    def press(self, editing: Editing, key: str) -> tuple[str, str]:
        """Take the key: the draft changes, or a form is open in `editing`; what there is to say of it, and its role."""
        spot = self.spot
        try:
            if key in ("s", "v"):
                editing.add(ItemKind.SHARES if key == "s" else ItemKind.VOLUMES)
            elif key == "o":
                editing.open(Spot(None))
            elif key == "u":
                return ("undone", "text") if editing.undo() else ("nothing was changed here", "text")
            elif spot is not None:
                return self._press_on(editing, spot, key)
        except MvtuiError as problem:
            return (str(problem), "error")
        return ("", "text")

    def _press_on(self, editing: Editing, spot: Spot, key: str) -> tuple[str, str]:
        words = ""
        if key in ("enter", "e"):
            editing.open(spot)
        elif key == "c":
            editing.copy(spot)
        elif key == "x":
            words = editing.remove(spot)
        elif key in ("J", "K"):
            moved = editing.move(spot, 1 if key == "J" else -1)
            if moved == spot:
                return ("it has no neighbour there", "text")
            self.go_to(moved)
        else:
            return ("", "text")
        if spot.kind is ItemKind.VOLUMES and editing.form is None and editing.draft.moved:
            words = " ".join((f"{words}." if words else "", *editing.draft.moved)).strip()
        return (words, "text")
