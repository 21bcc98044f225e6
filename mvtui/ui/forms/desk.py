"""What the definition's panel takes from outside, and tests replace."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mvtui.host.ports import Host
from mvtui.model.definition import Share
from mvtui.model.drift_fields import same
from mvtui.model.edit import ItemKind
from mvtui.model.finding import Finding
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.source_plan import SourcePlan

if TYPE_CHECKING:
    from mvtui.model.definition import Definition
    from mvtui.operations.definition_actions import Change
    from mvtui.operations.definitions_save import Document
    from mvtui.operations.draft import Checked, Draft
    from mvtui.ui.jobs import JobEnd


class CheckFields(Protocol):
    """What looks at the host, as `definition_checks.check_fields`."""

    async def __call__(
        self, host: Host, microvm: MicroVM, definition: "Definition", others: Snapshot
    ) -> tuple[Finding, ...]:
        """What the host says of it; the subjects are places of the file."""


class Complete(Protocol):
    """What completes paths, as `path_completion.complete_path`."""

    async def __call__(self, host: Host, microvm: MicroVM, typed: str, *, directories: bool) -> tuple[str, ...]:
        """What begins so on the host."""


async def open_document(host: Host, microvm: MicroVM) -> "Document":
    """The definition file. Raises MvtuiError."""
    from mvtui.operations import definitions_save  # noqa: PLC0415

    return await asyncio.to_thread(definitions_save.open_document, host, microvm)


async def check_fields(host: Host, microvm: MicroVM, definition: "Definition", others: Snapshot) -> tuple[Finding, ...]:
    """What the host says of it."""
    from mvtui.operations import definition_checks  # noqa: PLC0415

    return await definition_checks.check_fields(host, microvm, definition, others)


async def complete(host: Host, microvm: MicroVM, typed: str, *, directories: bool) -> tuple[str, ...]:
    """What begins so on the host."""
    from mvtui.operations import path_completion  # noqa: PLC0415

    return await asyncio.to_thread(path_completion.complete_path, host, microvm, typed, directories=directories)


class StoreVerb(StrEnum):
    """What can be done with a guest's store; the value is the command's id."""

    MAKE_WRITABLE = "make_writable"
    SHARE_STORE = "share_store"


async def change_store(host: Host, microvm: MicroVM, document: "Document", verb: StoreVerb) -> "Change":
    """What its definition file would be. Raises MvtuiError where it can't work."""
    from mvtui.operations import definition_actions  # noqa: PLC0415

    act = definition_actions.make_writable if verb is StoreVerb.MAKE_WRITABLE else definition_actions.share_store
    return await asyncio.to_thread(act, host, microvm, document)


async def check_beside(document: "Document", values: Mapping[str, Any]) -> "Checked":
    """What rules say of a file that is too large to be looked at between two keys."""
    from mvtui.operations import draft  # noqa: PLC0415

    return await asyncio.to_thread(draft.check, document, values)


@dataclass(frozen=True, slots=True)
class FormSeams:
    """The looks at the host that forms need."""

    open_document: Callable[[Host, MicroVM], Awaitable["Document"]] = open_document
    check_fields: CheckFields = check_fields
    complete: Complete = complete
    change_store: Callable[[Host, MicroVM, "Document", StoreVerb], Awaitable["Change"]] = change_store


@dataclass(frozen=True, slots=True)
class Desk:
    """All of one microVM's. `kept` gives the draft that was left there before; `keep` has the present one kept, None:
    no longer. `refusal` says why nothing can be saved now, "" where it can. `monotonic` is in seconds."""

    microvm: MicroVM
    kept: "Callable[[Document], Awaitable[Draft | None]]"
    open_document: Callable[[], Awaitable["Document"]]
    check_fields: Callable[["Definition"], Awaitable[tuple[Finding, ...]]]
    complete: Callable[[str, bool], Awaitable[tuple[str, ...]]]
    keep: Callable[["Draft | None"], None]
    review: Callable[["Draft"], None]
    adopt: Callable[[], None]
    edit_file: Callable[[], None]
    grow: Callable[[str], None]
    plan_source: Callable[[Share], Awaitable[SourcePlan]]
    make_source: Callable[[SourcePlan], Awaitable["JobEnd"]]
    refusal: Callable[[], str]
    monotonic: Callable[[], float]


class Wanted(NamedTuple):
    """A share by its tag, or a volume by its image, whose form is wanted. `directory` is where relative images lie."""

    kind: ItemKind
    name: str
    directory: str

    def is_it(self, item: Mapping[str, Any]) -> bool:
        """Whether the file's `item` is it."""
        if self.kind is ItemKind.SHARES:
            return item.get("tag") == self.name
        image = item.get("image")
        return isinstance(image, str) and same("image", image, self.name, self.directory)
