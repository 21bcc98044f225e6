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

import difflib
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mvtui.errors import MvtuiError
from mvtui.host.document_file import ChangedError, replace_text
from mvtui.host.documents import DocumentError, parse, read_text
from mvtui.host.former_text import Former, alone, former_text, keep_former
from mvtui.host.git import add_command, is_tracked, repository_of, track_file
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import record_change
from mvtui.model.definition import Definition
from mvtui.model.document import WrongTypeError, definition_of
from mvtui.model.edit import Edit
from mvtui.model.finding import Finding, Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.merge import merged
from mvtui.model.microvm import MicroVM
from mvtui.model.rules.finding import warning
from mvtui.model.text import clean
from mvtui.operations.definition_place import document_place
from mvtui.operations.definitions import Located, validate_text
from mvtui.operations.what_follows import dropped, follows


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
    `allowed`: no finding is an error. `dropped` are sentences: what the guest no longer has, and what stays of it."""

    diff: tuple[str, ...]
    findings: tuple[Located, ...]
    follows: tuple[str, ...]
    allowed: bool
    dropped: tuple[str, ...] = ()


class Saved(NamedTuple):
    """`document` is the file as saved. `undoable`: the former text is kept. `findings`: what is to be known now (Nix
    does not see the file; the former text could not be kept), each with its fix."""

    document: Document
    undoable: bool
    findings: tuple[Finding, ...] = ()


class ConflictError(MvtuiError):
    """The file was changed since it was opened; nothing was written. `mine` is what was to be saved, `document` the
    file as it is now (`exists` false where it is gone), `merged` both in one, None where they touch the same lines or
    give no TOML together; `base` is what both began with."""

    def __init__(self, mine: str, document: Document, merged: str | None, base: str) -> None:
        gone = "" if document.exists else ", and is gone"
        super().__init__(
            f"{document.path} was changed since it was opened{gone}", "take one of the two, or both merged"
        )
        self.mine, self.document, self.merged, self.base = mine, document, merged, base

    @property
    def theirs(self) -> str:
        """The text that is there now."""
        return self.document.text


def open_document(host: Host, microvm: MicroVM) -> Document:
    """The definition file of `microvm`; where there is none, an empty one to be made. Raises DocumentError: it can't be
    read, or is no TOML (with line and column)."""
    return _read(microvm, document_place(host, microvm))


def empty_document(microvm: MicroVM, path: Path) -> Document:
    """A definition file that is to be made at `path`."""
    return _document(microvm, path, "", exists=False)


def apply(document: Document, edits: Sequence[Edit]) -> str:
    """The text of `document` with `edits`; what they do not touch is the same, byte for byte. Pure. Raises MvtuiError
    where the way in which the file is written can't take one; IndexError for an item that there is not."""
    from mvtui.host.document_edit import edited  # noqa: PLC0415 (tomlkit)

    text = document.text
    for edit in edits:
        text = edited(text, edit)
    return text


def review(document: Document, new_text: str) -> Review:
    """What it means to save `new_text`. Pure. Raises DocumentError where that is no TOML."""
    new = _document(document.microvm, document.path, new_text, exists=True)
    old = document.text
    name = clean(document.path.name)
    lines = () if new_text == old else difflib.unified_diff(_lines(old), _lines(new_text), name, name, n=2, lineterm="")
    return Review(
        diff=tuple(clean(line) for line in lines),
        findings=new.findings,
        follows=follows(document, new) if new.values != document.values else (),
        allowed=all(located.finding.severity is not Severity.ERROR for located in new.findings),
        dropped=tuple(dropped(document.definition, new.definition)),
    )


def save(host: Host, document: Document, new_text: str) -> Saved:
    """Replace the file as a whole, also with a text that a rule refuses (`Review.allowed` says so): whoever reads it,
    also after a crash, finds the old or the new text. Owner, mode, ACL and other extended attributes are kept, a link
    stays and what it leads to is replaced.

    Raises ConflictError where the file is not the one that was opened, DocumentError where `new_text` is no TOML or
    what is there now is none, RightsMissingError, MvtuiError."""
    new = _document(document.microvm, document.path, new_text, exists=True)
    if new_text == document.text and document.exists:
        return Saved(new, undoable=False)
    before = document.text if document.exists else None
    began = time.monotonic()
    with alone(host):  # else what another one keeps of its save would be lost
        findings = _replace(host, document, before, new_text)
    host.changes += 1
    words = f"{document.path} was saved"
    record_change(host.records, document.microvm.name, "edit", words, ok=True, seconds=time.monotonic() - began)
    return Saved(new, undoable=not findings, findings=(*findings, *git_findings(new.path, document.microvm)))


def _replace(host: Host, document: Document, before: str | None, new_text: str) -> tuple[Finding, ...]:
    """Keep the former text, and replace it; what is to be said where it can't be kept. Raises as `save`."""
    former = former_text(host, document.microvm.name)
    findings: tuple[Finding, ...] = ()
    try:
        keep_former(host, document.microvm.name, Former(str(document.path), before, new_text))
    except MvtuiError as problem:
        findings = (warning("undo", "The former text is not kept, so that it can't be brought back.", problem.message),)
    try:
        replace_text(document.path, before, new_text)
    except (MvtuiError, ChangedError) as problem:
        with suppress(MvtuiError):
            if not findings and read_text(document.path) != new_text:
                keep_former(host, document.microvm.name, former)
        if isinstance(problem, ChangedError):
            raise _conflict(document, new_text) from None
        raise
    return findings


def former_version(host: Host, microvm: MicroVM) -> tuple[Document, str]:
    """The file as it is now, and the text that the last save of mvtui replaced. Raises ConflictError where the file was
    changed since (its `mine` is the former text), MvtuiError where nothing is kept, or the file was made by that save:
    mvtui removes no file."""
    former = former_text(host, microvm.name)
    if former is None:
        raise MvtuiError(
            f"no former definition of {microvm.name} is kept", "mvtui keeps the one that its last save replaced"
        )
    path = Path(former.path)
    if former.before is None:
        raise MvtuiError(
            f"{path} was made by mvtui: there is no text before it", f"rm {shlex.quote(former.path)} removes it"
        )
    now = _read(microvm, path)
    if now.text == former.before:
        raise MvtuiError(f"{path} has its former text already", "")
    if now.text != former.after:
        raise ConflictError(former.before, now, _merged(former.after, former.before, now), former.after)
    return now, former.before


def track(document: Document) -> str:
    """Let git track the file, so that Nix sees it (`git add --intent-to-add`), with the rights of who owns the
    repository. Blocking. What was done, in words. Raises MvtuiError with git's own words."""
    repository = repository_of(document.path)
    if repository is None:
        raise MvtuiError(f"{document.path} is in no git repository", "")
    track_file(repository, document.path)
    return f"git tracks {document.path}; its content is not committed"


def git_findings(path: Path, microvm: MicroVM) -> tuple[Finding, ...]:
    """Whether Nix would not see the file at `path`: it is in a flake, and git does not track it. Blocking."""
    reference = microvm.entry.flake if microvm.entry is not None else None
    if reference is not None and reference.startswith("path:"):
        return ()  # that copies everything
    repository = repository_of(path)
    if repository is None or not repository.flake or is_tracked(repository, path) is not False:
        return ()
    return (
        warning(
            "git",
            "git does not track the file, and Nix sees only what git tracks.",
            f"{repository.top} is a flake in a git repository.",
            shlex.join(add_command(repository, path)),
        ),
    )


def _read(microvm: MicroVM, path: Path) -> Document:
    text = read_text(path)
    return _document(microvm, path, text or "", exists=text is not None)


def _document(microvm: MicroVM, path: Path, text: str, *, exists: bool) -> Document:
    values = parse(path, text)
    try:
        definition = definition_of(values)
    except WrongTypeError:
        definition = None
    built = microvm.built.definition if microvm.built is not None else None
    named = definition.hypervisor if definition is not None else None
    hypervisor = named or (built.hypervisor if built is not None else None)
    findings = validate_text(path, text, hypervisor, built.host_name if built is not None else None)
    return Document(microvm, path, text, exists, values, definition, findings, hypervisor)


def _conflict(document: Document, mine: str) -> ConflictError:
    theirs = _read(document.microvm, document.path)
    return ConflictError(mine, theirs, _merged(document.text, mine, theirs), document.text)


def _merged(base: str, mine: str, theirs: Document) -> str | None:
    found = merged(base, mine, theirs.text) if theirs.exists else None
    try:
        if found is not None:
            parse(theirs.path, found)
    except DocumentError:
        return None
    return found


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []
