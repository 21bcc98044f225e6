"""`mvtui check`: what is wrong, since when, why, and what mends it: of microVMs, or of all and the host."""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from mvtui.cli.columns import aligned
from mvtui.cli.glyphs import Glyphs, of_stdout
from mvtui.cli.looking import look_closely
from mvtui.cli.output import Json, write_json, write_lines
from mvtui.cli.report import SCHEMA, finding_document
from mvtui.cli.settled import settings_of
from mvtui.cli.show import finding_text
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.row import state_text
from mvtui.model.text import clean
from mvtui.operations.doctor import HostReport, examine, worst

_CODES = {Severity.WARNING: 1, Severity.ERROR: 2}


def run_check(args: argparse.Namespace) -> int:
    """Check the microVMs `args.names`, or without names all and the host; 0 fine, 1 warnings, 2 errors. Raises
    MvtuiError for a name that no microVM has."""
    host, snapshot = look_closely(args, args.names)
    report = None if args.names else examine(host, snapshot)
    if args.json:
        write_json(check_document(snapshot, report))
    else:
        write_lines(check_lines(snapshot, report, of_stdout(settings_of(args).ascii), datetime.now(UTC)))
    severity = worst(snapshot, report)
    return _CODES.get(severity, 0) if severity is not None else 0


def check_document(snapshot: Snapshot, report: HostReport | None) -> Json:
    """`check --json`."""
    found = [*_all(snapshot, report)]
    return {
        "schema": SCHEMA,
        "host": snapshot.host,
        "counts": _counts(found),
        "microvms": [
            {
                "name": one.name,
                "state": str(one.state.word),
                "findings": [finding_document(finding) for finding in one.findings],
            }
            for one in snapshot.microvms
        ],
        "findings": [finding_document(finding) for finding in report.findings] if report is not None else [],
        "looked": [{"subject": subject, "told": told} for subject, told in report.told] if report is not None else [],
    }


def check_lines(snapshot: Snapshot, report: HostReport | None, glyphs: Glyphs, now: datetime) -> list[str]:
    """For people: the host, then each microVM with findings, those with the worst first; then how many there are."""
    lines: list[str] = []
    if report is not None:
        lines += [f"{clean(snapshot.host)}  the host itself"]
        lines += [line for finding in report.findings for line in finding_lines(finding, now)]
        lines += [f"  {line}" for line in aligned([(subject, clean(told)) for subject, told in report.told])]
    wrong = sorted((one for one in snapshot.microvms if one.findings), key=lambda one: -one.findings[0].severity)
    for microvm in wrong:
        lines += [f"{clean(microvm.name)}  {glyphs.state(microvm.state.word)} {state_text(microvm.state, now)}"]
        lines += [line for finding in microvm.findings for line in finding_lines(finding, now)]
    return glyphs.lines([*lines, _summary(snapshot, report)])


def finding_lines(finding: Finding, now: datetime) -> Iterator[str]:
    """One finding with what mends it."""
    yield f"  {finding.severity.name.lower():<7}  {finding_text(finding, now)}"
    if finding.fix:
        yield f"           mend it: {clean(finding.fix)}"


def _summary(snapshot: Snapshot, report: HostReport | None) -> str:
    count = len(snapshot.microvms)
    whole = f"{count} microVM{'' if count == 1 else 's'}{'' if report is None else ' and the host'}"
    counts = _counts(_all(snapshot, report))
    told = [
        f"{number} {word}{'' if number == 1 else 's'}" for word, number in counts.items() if number and word != "info"
    ]
    return f"{whole}: {', '.join(told) or 'nothing wrong'}"


def _all(snapshot: Snapshot, report: HostReport | None) -> Iterator[Finding]:
    microvms: Iterable[MicroVM] = snapshot.microvms
    for microvm in microvms:
        yield from microvm.findings
    yield from report.findings if report is not None else ()


def _counts(findings: Iterable[Finding]) -> dict[str, int]:
    counted = Counter(finding.severity for finding in findings)
    return {severity.name.lower(): counted[severity] for severity in sorted(Severity, reverse=True)}
