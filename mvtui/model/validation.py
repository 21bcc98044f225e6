"""All that can be said of a definition file by looking at it alone. Imports pydantic. Pure."""

from mvtui.model.document import Table, WrongTypeError, definition_of
from mvtui.model.document_types import type_findings
from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules import check
from mvtui.model.rules.finding import Defined, error


def findings_of(document: Table, host_name: str, hypervisor: Hypervisor | None = None) -> tuple[Finding, ...]:
    """What is wrong with `document`. `hypervisor` None takes what stands in it, else qemu, microvm.nix's default.
    Where types are wrong no rule is asked."""
    if wrong := type_findings(document):
        return wrong
    try:
        definition = definition_of(document)
    except WrongTypeError as problem:  # vfkit, which runs nowhere but on macOS
        return (error(problem.subject, f"{problem.subject} takes {problem.expected} here."),)
    runs = hypervisor or definition.hypervisor or Hypervisor.QEMU
    return check(Defined(definition, runs, document, host_name))
