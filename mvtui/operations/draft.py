"""A definition file with what a person has changed in it so far; nothing is written.

    draft = begin(open_document(host, microvm))
    draft = change(draft, [SetField(ItemKind.SHARES, 0, "readOnly", True)], "share home changed")
    draft.text                                 # what review and save take, with draft.document

Imports pydantic and tomlkit at the first use. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mvtui.host.documents import parse
from mvtui.model.definition import Definition
from mvtui.model.document import WrongTypeError, definition_of
from mvtui.model.edit import Edit, ItemKind
from mvtui.model.finding import Finding
from mvtui.model.merge import merged
from mvtui.operations.definitions_save import Document, apply
from mvtui.operations.what_follows import moved_letters

# What has no default, and what stands for it while it is not written yet, so that the rest can be looked at.
REQUIRED = {ItemKind.SHARES: ("tag", "source", "mountPoint"), ItemKind.VOLUMES: ("image",)}
_STAND_IN = "/mvtui-is-not-written-yet"

_ITEM = re.compile(r"(?P<kind>shares|volumes)\[(?P<at>\d+)\](?:\.(?P<key>\w+))?")


class Checked(NamedTuple):
    """What rules and types say of some values. `definition` is None where a type is wrong; what is missing in it has
    a value that stands for it, at the places `missing`."""

    findings: tuple[Finding, ...]
    definition: Definition | None
    missing: frozenset[str] = frozenset()


class Draft(NamedTuple):
    """`document` as it was opened, `text` as it is meant to be, and what is said of that. `changes` are words for what
    was done, the oldest first."""

    document: Document
    text: str
    values: Mapping[str, Any]
    checked: Checked
    changes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is anything to be saved."""
        return self.text != self.document.text

    @property
    def moved(self) -> tuple[str, ...]:
        """A sentence for each volume that gets another drive letter than the file gives it now."""
        return tuple(moved_letters(self.document.definition, self.checked.definition))

    def items(self, kind: ItemKind) -> list[Mapping[str, Any]]:
        """The shares or volumes by option name; none where they are written as something else."""
        return items_of(self.values, kind)


def items_of(values: Mapping[str, Any], kind: ItemKind) -> list[Mapping[str, Any]]:
    """The shares or volumes of a file's `values`; none where they are no list of tables."""
    found = values.get(kind, [])
    return list(found) if isinstance(found, list) and all(isinstance(each, dict) for each in found) else []


def begin(document: Document) -> Draft:
    """The document as it is."""
    return Draft(document, document.text, document.values, check(document, document.values))


def is_saved(draft: Draft, now: Document) -> bool:
    """Whether all that was changed in the draft stands in the file, as it is `now`."""
    return now.exists and now.text == merged(draft.document.text, draft.text, now.text)


def change(draft: Draft, edits: Sequence[Edit], words: str) -> Draft:
    """The draft with `edits`, one after the other; `words` say what was done. Raises MvtuiError where the way in which
    the file is written can't take one; IndexError for an item that there is not."""
    text = apply(draft.document._replace(text=draft.text), edits)
    if text == draft.text:
        return draft
    values = parse(draft.document.path, text)
    return draft._replace(
        text=text, values=values, checked=check(draft.document, values), changes=(*draft.changes, words)
    )


def meant(values: Mapping[str, Any], edits: Sequence[Edit]) -> Mapping[str, Any]:
    """The file's `values` as `edits` would make them, without a look at its text. Raises IndexError."""
    from mvtui.host.document_edit import changed_values  # noqa: PLC0415 (tomlkit)

    for edit in edits:
        values = changed_values(values, edit)
    return values


def check(document: Document, values: Mapping[str, Any]) -> Checked:
    """What rules and types say of `values` in the place of those of `document`: for the hypervisor that they name, else
    the built one. Where something is missing, the rest is looked at all the same."""
    from mvtui.model.validation import findings_of  # noqa: PLC0415 (pydantic)

    built = document.microvm.built.definition if document.microvm.built is not None else None
    hypervisor = built.hypervisor if built is not None and "hypervisor" not in values else None
    # A file's name may hold bytes that are no text.
    name = (built.host_name if built is not None else None) or document.path.stem.encode(errors="replace").decode()
    found = findings_of(values, name, hypervisor)
    whole, missing = _filled(values)
    if missing:
        rest = [each for each in findings_of(whole, name, hypervisor) if each.subject not in missing]
        told = {each.subject for each in found}
        found = (*found, *[each for each in rest if each.subject not in told])
    try:
        return Checked(found, definition_of(whole), missing)
    except WrongTypeError:
        return Checked(found, None, missing)


def _filled(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The values with something in the place of what is missing, and where that is."""
    whole, missing = dict(values), set[str]()
    for kind, keys in REQUIRED.items():
        items = [dict(each) for each in items_of(values, kind)]
        for at, item in enumerate(items):
            absent = [key for key in keys if key not in item]
            item.update({key: _STAND_IN[key == "tag" :] for key in absent})
            missing.update(f"{kind}[{at}].{key}" for key in absent)
        if items:
            whole[kind] = items
    return whole, frozenset(missing)


def still_told(findings: Sequence[Finding], then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Those of what was found with the values `then` that are about what is `now` the same."""
    return tuple(each for each in findings if _at(then, each.subject) == _at(now, each.subject))


def _at(values: Mapping[str, Any], subject: str) -> object:
    """What stands at the place `subject`, and in the item that it is in what that is told from others by."""
    matched = _ITEM.match(subject)
    if matched is None:
        return values.get(subject)
    items = values.get(matched["kind"])
    at = int(matched["at"])
    item = items[at] if isinstance(items, list) and at < len(items) else None
    if not isinstance(item, dict):
        return None
    return (item.get("image"), item.get("tag"), item.get(matched["key"]) if matched["key"] else item)
