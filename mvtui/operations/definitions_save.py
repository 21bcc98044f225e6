"""A definition file opened, changed, looked over, saved, and the last save undone.

    document = open_document(host, microvm)
    text = apply(document, [SetField(ItemKind.SHARES, 0, "readOnly", True)])
    seen = review(document, text)              # what to show before it is saved
    try:
        saved = save(host, document, text)
    except ConflictError as conflict:          # the file was changed meanwhile; nothing was written
        save(host, conflict.document, text)              # take mine
        save(host, conflict.document, conflict.merged)   # merge, where that is not None
                                                         # take theirs: nothing to do

Everything but `apply` and `review` blocks: callers use a thread. Changes are those of mvtui.model.edit.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.edit import Edit
from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.operations.definitions import Located


class Document(NamedTuple):
    """The definition file of `microvm` as it was read. `text` is "" and `exists` false where there is none yet: `save`
    makes it at `path`. `values` are its tables, as tomllib gives them. `definition` is None where a type is wrong;
    `findings` say so, in the order of the text. `hypervisor` is the one that it is checked for: the built one, where
    the file names none."""

    microvm: MicroVM
    path: Path
    text: str
    exists: bool
    values: Mapping[str, Any]
    definition: Definition | None
    findings: tuple[Located, ...]
    hypervisor: Hypervisor | None


class Review(NamedTuple):
    """What a save would do. `diff` are the lines of a unified diff, () where nothing changes. `findings` are those of
    the new text. `follows` are sentences: what must be done until the guest has it, which drive letters move.
    `allowed`: no finding is an error."""

    diff: tuple[str, ...]
    findings: tuple[Located, ...]
    follows: tuple[str, ...]
    allowed: bool


class Saved(NamedTuple):
    """`document` is the file as saved. `undoable`: the former text is kept. `findings`: what is to be known now (Nix
    does not see the file; the former text could not be kept), each with its fix."""

    document: Document
    undoable: bool
    findings: tuple[Finding, ...] = ()


class ConflictError(MvtuiError):
    """The file was changed since it was opened; nothing was written. `mine` is what was to be saved, `document` the
    file as it is now (`exists` false where it is gone), `merged` both in one, None where they touch the same lines or
    give no TOML together."""

    def __init__(self, mine: str, document: Document, merged: str | None) -> None:
        gone = "" if document.exists else ", and is gone"
        super().__init__(
            f"{document.path} was changed since it was opened{gone}", "take one of the two, or both merged"
        )
        self.mine, self.document, self.merged = mine, document, merged

    @property
    def theirs(self) -> str:
        """The text that is there now."""
        return self.document.text


def open_document(host: Host, microvm: MicroVM) -> Document:
    """The definition file of `microvm`; where there is none, an empty one to be made. Raises DocumentError: it can't be
    read, or is no TOML (with line and column)."""
    raise NotImplementedError


def apply(document: Document, edits: Sequence[Edit]) -> str:
    """The text of `document` with `edits`; what they do not touch is the same, byte for byte. Pure. Raises MvtuiError
    where the way in which the file is written can't take one; IndexError for an item that there is not."""
    raise NotImplementedError


def review(document: Document, new_text: str) -> Review:
    """What it means to save `new_text`. Pure. Raises DocumentError where that is no TOML."""
    raise NotImplementedError


def save(host: Host, document: Document, new_text: str) -> Saved:
    """Replace the file as a whole: whoever reads it, also after a crash, finds the old or the new text. Owner, mode,
    ACL and other extended attributes are kept, a link stays and what it leads to is replaced.

    Raises ConflictError where the file is not the one that was opened, DocumentError where `new_text` is no TOML,
    RightsMissingError, MvtuiError."""
    raise NotImplementedError


def undo_save(host: Host, microvm: MicroVM) -> Saved:
    """Bring back the text that the last save of mvtui replaced; once more undoes that. Raises ConflictError where the
    file was changed since (its `mine` is the former text), MvtuiError where nothing is kept."""
    raise NotImplementedError


def track(document: Document) -> str:
    """Let git track the file, so that Nix sees it (`git add --intent-to-add`), with the rights of who owns the
    repository. Blocking. What was done, in words. Raises MvtuiError with git's own words."""
    raise NotImplementedError
