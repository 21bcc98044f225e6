"""The check of the whole host: what of it is wrong, and what was looked at."""

from typing import NamedTuple

from mvtui.host.host_look import look_at_host
from mvtui.host.patience import NoAnswerError, Patience
from mvtui.host.ports import Host
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import Snapshot
from mvtui.operations.checks.host import check_host, told_host


class HostReport(NamedTuple):
    """`findings` are of the host as a whole, worst first; `told` is what was looked at, and what is there."""

    findings: tuple[Finding, ...]
    told: tuple[tuple[str, str], ...]


def examine(host: Host, snapshot: Snapshot) -> HostReport:
    """Look at `host` itself; `snapshot` has its microVMs. Blocking, for some seconds at most; never raises."""
    patience = Patience()
    patience.begin()
    try:
        facts = patience.ask(str(host.on_disk(host.state_dir)), lambda: look_at_host(host))
    except NoAnswerError:
        what = f"{host.state_dir} or /nix/store does not answer."
        trouble = Finding(Severity.ERROR, "host", "no answer", what, "Its mount is dead, or very slow (NFS, FUSE).")
        return HostReport((trouble, *snapshot.findings), ())
    finally:
        patience.end()
    return HostReport(check_host(facts, snapshot), tuple(told_host(facts)))


def worst(snapshot: Snapshot, report: HostReport | None) -> Severity | None:
    """The worst of all findings; None where there is none. `report` None: the host as a whole was not asked about."""
    found = [finding.severity for microvm in snapshot.microvms for finding in microvm.findings]
    found += [finding.severity for finding in report.findings] if report is not None else []
    return max(found, default=None)
