"""What is done with a draft in the definition's panel: add, copy, change, remove, move, undo. Nothing is written."""

from collections.abc import Mapping
from typing import Any

from mvtui.model.document import OVERLAY_IMAGE
from mvtui.model.edit import Edit, ItemKind, MoveItem, RemoveItem
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.hypervisors import SHARES
from mvtui.model.text import clean
from mvtui.operations.definitions_save import Document
from mvtui.operations.draft import Draft, begin, change, is_saved, meant
from mvtui.ui.forms.definition_lines import Spot
from mvtui.ui.forms.fields import OVERLAY, new_values
from mvtui.ui.forms.fixes import another_name
from mvtui.ui.forms.form import Form

_NAMED_BY = {ItemKind.SHARES: "tag", ItemKind.VOLUMES: "image"}
# What can't be in two of them, and has a default.
_OWN = ("socket", "serial")


def resumed(kept: Draft | None, document: Document) -> tuple[Draft, str]:
    """The draft that was left before, where it is not saved by now, and words for that; else one of the document."""
    if kept is None or is_saved(kept, document):
        return begin(document), ""
    words = "the file was changed since" if kept.document.text != document.text else "not saved yet"
    return kept, f"{words}: {', '.join(kept.changes)}"


class Editing:
    """`draft` is what it has become, `form` the one that is open."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.form: Form | None = None
        self._before: list[Draft] = []

    @property
    def hypervisor(self) -> Hypervisor:
        """The one that the draft is for: microvm.nix's default where nothing tells."""
        definition = self.draft.checked.definition
        named = definition.hypervisor if definition is not None else None
        built = self.draft.document.microvm.built
        built_one = built.definition.hypervisor if built is not None and built.definition is not None else None
        return named or built_one or Hypervisor.QEMU

    @property
    def changed(self) -> bool:
        """Whether there is anything that would be lost: in the draft, or in the form."""
        return self.draft.changed or (self.form is not None and self.form.changed)

    @property
    def values(self) -> Mapping[str, Any]:
        """The file's values with what stands in the form."""
        if self.form is None or not (self.form.changed or self.form.is_new) or not self._can_be_changed(self.form.kind):
            return self.draft.values
        return meant(self.draft.values, self.form.edits)

    def _can_be_changed(self, kind: ItemKind | None) -> bool:
        """Whether the file writes them as a list of tables, or not at all."""
        return kind is None or not self.draft.values.get(kind) or bool(self.draft.items(kind))

    # Forms

    def open(self, spot: Spot) -> None:
        """The form of what stands there."""
        if spot.kind is None:
            self.form = self._form(
                None, 0, {key: self.draft.values[key] for key in (OVERLAY,) if key in self.draft.values}
            )
        else:
            self.form = self._form(spot.kind, spot.at, self.draft.items(spot.kind)[spot.at])

    def add(self, kind: ItemKind) -> None:
        """The form of a new one; of a volume, of the overlay's where that lies on nothing yet."""
        able = tuple(str(proto) for proto in SHARES[self.hypervisor])
        form = self._form(kind, len(self.draft.items(kind)), new_values(kind, able), is_new=True)
        path = self.draft.values.get(OVERLAY)
        taken = {item.get("mountPoint") for each in ItemKind for item in self.draft.items(each)}
        if kind is ItemKind.VOLUMES and isinstance(path, str) and path not in taken:
            form = form.with_value("image", OVERLAY_IMAGE).with_value("mountPoint", path)
        self.form = form

    def copy(self, spot: Spot) -> None:
        """The form of a new one that is as the one there, but for what tells them apart."""
        if spot.kind is None:
            return
        items = self.draft.items(spot.kind)
        given = {key: value for key, value in items[spot.at].items() if key not in _OWN}
        form = self._form(spot.kind, len(items), given, is_new=True)
        key = _NAMED_BY[spot.kind]
        name = given.get(key)
        if isinstance(name, str):
            form = form.with_value(key, another_name([str(item.get(key)) for item in items], name))
        self.form = form

    def _form(self, kind: ItemKind | None, at: int, given: Mapping[str, Any], *, is_new: bool = False) -> Form:
        built = self.draft.document.microvm.built
        name = built.definition.host_name if built is not None and built.definition is not None else None
        host_name = name or self.draft.document.microvm.name
        return Form(kind, at, given, self.hypervisor, is_new, clean(host_name))

    def take(self) -> Spot | None:
        """What stands in the form becomes the draft's, and the form is closed; where it stands now, None where nothing
        was added. Raises MvtuiError where the file can't take it."""
        form = self.form
        if form is None:
            return None
        spot = Spot(form.kind, form.at)
        if form.changed:
            self._change(form.edits, f"{form.name} {'added' if form.is_new else 'changed'}")
        self.form = None
        return spot if form.changed or not form.is_new else None

    # The list

    def remove(self, spot: Spot) -> str:
        """It goes; what was done, in words."""
        if spot.kind is None:
            self.open(spot)
            assert self.form is not None
            self.form = self.form.with_value(OVERLAY, None)
            self.take()
            return "there is no writable store overlay any more"
        name = self.name(spot)
        self._change((RemoveItem(spot.kind, spot.at),), f"{name} removed")
        return f"{name} is removed"

    def move(self, spot: Spot, step: int) -> Spot:
        """It changes places with its neighbour; where it stands then."""
        if spot.kind is None or not 0 <= spot.at + step < len(self.draft.items(spot.kind)):
            return spot
        to = spot.at + step
        self._change((MoveItem(spot.kind, spot.at, to),), f"{self.name(spot)} moved")
        return Spot(spot.kind, to)

    def undo(self) -> bool:
        """The draft as it was before the last change; False where it was not changed here."""
        if not self._before:
            return False
        self.draft = self._before.pop()
        return True

    def name(self, spot: Spot) -> str:
        """What people call it."""
        if spot.kind is None:
            return "the overlay"
        told = self.draft.items(spot.kind)[spot.at].get(_NAMED_BY[spot.kind])
        word = spot.kind.removesuffix("s")
        return f"{word} {clean(told)}" if isinstance(told, str) else word

    def image(self, spot: Spot | None) -> str | None:
        """That of a volume; None of anything else."""
        found = (
            self.draft.items(spot.kind)[spot.at].get("image") if spot is not None and spot.kind is not None else None
        )
        return found if isinstance(found, str) else None

    def _change(self, edits: tuple[Edit, ...], words: str) -> None:
        before = self.draft
        self.draft = change(before, edits, words)
        self._before.append(before)
