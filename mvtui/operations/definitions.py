"""Definition files: whether they are right."""

import os
from pathlib import Path
from typing import NamedTuple

from mvtui.host.documents import DocumentError, parse, read_text
from mvtui.model.finding import Finding, Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.finding import error
from mvtui.operations.definition_place import document_place, find_document

__all__ = ["Located", "Validation", "document_place", "find_document", "raw_text", "validate", "validate_text"]


class Located(NamedTuple):
    """A finding and where its subject stands, from 1; None where it is the whole file, or does not stand there."""

    finding: Finding
    line: int | None = None
    column: int | None = None


class Validation(NamedTuple):
    """What was found in the file at `path`, in the order of the text."""

    path: Path
    findings: tuple[Located, ...]

    @property
    def valid(self) -> bool:
        """Whether Nix takes it and the microVM can work."""
        return all(located.finding.severity is not Severity.ERROR for located in self.findings)


def validate(path: Path, hypervisor: Hypervisor | None = None) -> Validation:
    """Look at the file at `path`; its name without `.toml` is taken for the guest's host name. `hypervisor` None takes
    what the file says, else qemu. Never raises: what can't be read is an error of the file."""
    try:
        text = read_text(path)
        if text is None:
            raise DocumentError(path, "there is no such file")
        return Validation(path, validate_text(path, text, hypervisor))
    except DocumentError as problem:
        finding = error("", problem.expected, "", problem.hint)
        return Validation(path, (Located(finding, problem.line, problem.column),))


def raw_text(path: Path) -> str | None:
    """The text of the file at `path`, None where there is none that can be read. Never raises."""
    try:
        return read_text(path)
    except DocumentError:
        return None


def validate_text(
    path: Path, text: str, hypervisor: Hypervisor | None = None, host_name: str | None = None
) -> tuple[Located, ...]:
    """As `validate`, with the file's text, and the guest's host name where that is known. Raises DocumentError where it
    is no TOML."""
    from mvtui.model.positions import position_of, positions  # noqa: PLC0415
    from mvtui.model.validation import findings_of  # noqa: PLC0415

    # A name may hold bytes that are no text; Nix takes none of those for a host name.
    name = host_name or os.fsencode(path.stem).decode(errors="replace")
    findings = findings_of(parse(path, text), name, hypervisor)
    if not findings:
        return ()
    known = positions(text)
    located = [Located(finding, *(position_of(finding.subject, known) or (None, None))) for finding in findings]
    return tuple(sorted(located, key=lambda each: (each.line or 0, each.column or 0)))
