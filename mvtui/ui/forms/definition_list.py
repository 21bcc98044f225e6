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
from mvtui.ui.keys import Keys, all_keys, key_labels, leave_label
from mvtui.ui.lines import Line, folded, in_ascii
from mvtui.ui.tabs.page import Entry
from mvtui.ui.widgets.sheet import Sheet

# Ids of commands, and what they do; `{ID}` stands for the key of another.
ToldKeys = tuple[tuple[str, str], ...]

DRAFT_KEYS: ToldKeys = (
    ("edit_item", "edit"),
    ("add_share", "+share"),
    ("add_volume", "+volume"),
    ("copy_item", "copy"),
    ("delete_item", "delete"),
    ("move_item_down", "{move_item_up} move"),
    ("review", "review"),
    ("undo_edit", "undo"),
    ("edit_overlay", "overlay"),
    ("edit_file", "the file"),
    ("grow", "grow image"),
)
# Where something is not saved, what saves it is told at any width.
CHANGED_KEYS: ToldKeys = (("review", "review, save"), *(one for one in DRAFT_KEYS if one[0] != "review"))
# Where there is a file that can't be read.
BROKEN_KEYS: ToldKeys = (("edit_file", "edits the file"),)
# Where there is none yet.
ABSENT_KEYS: ToldKeys = (("adopt", "adopt: write what is built"), ("begin_empty", "begin an empty one"))


def told_keys(told: ToldKeys, keys: Keys) -> list[tuple[str, str]]:
    """The keys that work, and what they do; a command without one is not told."""
    labels = {one: key_labels(own[:1]) for one, own in keys.items()}
    found = [(labels[one], words.format_map(labels)) for one, words in told if labels.get(one)]
    return [*found, (leave_label(keys), "leaves")]


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
        keys = all_keys(self.app)
        return entries(self.editing.draft, self._findings, keys, width, ascii_only=in_ascii(self.app))

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
        told = findings_lines(about(self._findings, self.spot), all_keys(self.app), size.width, size.height)
        moved: list[Line] = [((f"  {clean(one)}", "text"),) for one in self.editing.draft.moved]
        return (told or moved)[: size.height]

    def act(self, editing: Editing, meant: str) -> tuple[str, str]:
        """Do that command: the draft changes, or a form is open in `editing`; what there is to say of it, and its
        role."""
        spot = self.spot
        try:
            if meant in ("add_share", "add_volume"):
                editing.add(ItemKind.SHARES if meant == "add_share" else ItemKind.VOLUMES)
            elif meant == "edit_overlay":
                editing.open(Spot(None))
            elif meant == "undo_edit":
                return ("undone", "text") if editing.undo() else ("nothing was changed here", "text")
            elif spot is not None:
                return self._act_on(editing, spot, meant)
        except MvtuiError as problem:
            return (str(problem), "error")
        return ("", "text")

    def _act_on(self, editing: Editing, spot: Spot, meant: str) -> tuple[str, str]:
        words = ""
        if meant == "edit_item":
            editing.open(spot)
        elif meant == "copy_item":
            editing.copy(spot)
        elif meant == "delete_item":
            words = editing.remove(spot)
        elif meant in ("move_item_down", "move_item_up"):
            moved = editing.move(spot, 1 if meant == "move_item_down" else -1)
            if moved == spot:
                return ("it has no neighbour there", "text")
            self.go_to(moved)
        else:
            return ("", "text")
        if spot.kind is ItemKind.VOLUMES and editing.form is None and editing.draft.moved:
            words = " ".join((f"{words}." if words else "", *editing.draft.moved)).strip()
        return (words, "text")
