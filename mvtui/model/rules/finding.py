"""What rules are about, and the findings that they give."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mvtui.model.definition import Definition
from mvtui.model.document import Table
from mvtui.model.finding import Finding, Severity
from mvtui.model.hypervisor import Hypervisor

# What the list says of a microVM whose definition has such a finding.
NOTE = "definition"


class Defined(NamedTuple):
    """A definition with the `document` that it was read from, whose types are right.

    `hypervisor` is the one that it is checked for. `host_name` is the guest's, "" where nobody knows: the default
    sockets have it in their names.
    """

    definition: Definition
    hypervisor: Hypervisor
    document: Table
    host_name: str = ""


# A rule looks at one thing and gives a finding for each place where it is wrong. The finding's subject is that place.
Rule = Callable[[Defined], Iterator[Finding]]


def error(subject: str, what: str, why: str = "", fix: str = "") -> Finding:
    """What can't work, or what Nix refuses."""
    return Finding(Severity.ERROR, subject, NOTE, what, why, fix)


def warning(subject: str, what: str, why: str = "", fix: str = "") -> Finding:
    """What works otherwise than it looks."""
    return Finding(Severity.WARNING, subject, NOTE, what, why, fix)


def info(subject: str, what: str, why: str = "", fix: str = "") -> Finding:
    """What is right, and good to know."""
    return Finding(Severity.INFO, subject, NOTE, what, why, fix)
