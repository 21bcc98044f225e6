"""Tables of good and bad cases, run against one rule each."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from mvtui.model.document import definition_of
from mvtui.model.finding import Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.finding import NOTE, Defined, Rule

SHARE = {"tag": "a", "source": "/srv/a", "mountPoint": "/a"}
VIRTIOFS = {**SHARE, "proto": "virtiofs"}
STORE = {"tag": "s", "proto": "virtiofs", "source": "/nix/store", "mountPoint": "/nix/.ro-store"}
VOLUME = {"image": "a.img", "mountPoint": "/var", "size": 512}
OVERLAY = {"writableStoreOverlay": "/nix/.rw-store"}
RW_VOLUME = {**VOLUME, "mountPoint": "/nix/.rw-store"}
RW_SHARE = {**VIRTIOFS, "mountPoint": "/nix/.rw-store"}
TAP = {"type": "tap", "id": "vm-web", "mac": "02:00:00:00:00:01"}


class Case(NamedTuple):
    """A document and the subjects that the rule finds in it: none in a good one."""

    rule: Rule
    document: dict[str, Any]
    subjects: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    host_name: str = "web"


def shares(rule: Rule, *tables: dict[str, Any], bad: Sequence[str] = (), **top: Any) -> Case:
    """A case of shares: `bad` are its subjects without `shares`: `[0].tag`."""
    return Case(rule, {**top, "shares": list(tables)}, tuple(f"shares{place}" for place in bad))


def volumes(rule: Rule, *tables: dict[str, Any], bad: Sequence[str] = (), **top: Any) -> Case:
    """Likewise of volumes."""
    return Case(rule, {**top, "volumes": list(tables)}, tuple(f"volumes{place}" for place in bad))


def warned(case: Case) -> Case:
    """The case whose findings are warnings."""
    return case._replace(severity=Severity.WARNING)


def named(case: Case) -> str:
    """Its test's name."""
    return f"{case.rule.__name__}-{'bad' if case.subjects else 'good'}"


def look(case: Case) -> None:
    """Check the rule of `case`: where it finds something, how bad that is, and that it says what and how to mend it."""
    definition = definition_of(case.document)
    hypervisor = definition.hypervisor or Hypervisor.QEMU
    findings = list(case.rule(Defined(definition, hypervisor, case.document, case.host_name)))
    assert tuple(finding.subject for finding in findings) == case.subjects
    for finding in findings:
        assert finding.severity is case.severity
        assert finding.note == NOTE
        assert finding.what.endswith(".")
        assert finding.fix or finding.severity is Severity.INFO
        assert not finding.fix.endswith(".")
