"""`mvtui validate FILE…`: what is wrong with definition files, and where."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mvtui.cli.output import Json, write_json, write_lines
from mvtui.cli.report import SCHEMA
from mvtui.errors import ExitCode
from mvtui.model.finding import Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.text import clean
from mvtui.operations.definitions import Located, Validation, validate


def run_validate(args: argparse.Namespace) -> int:
    """Validate `args.files`; the exit code, INVALID where one has an error."""
    hypervisor = Hypervisor(args.hypervisor) if args.hypervisor else None
    validations = [validate(Path(file), hypervisor) for file in args.files]
    if args.json:
        write_json({"schema": SCHEMA, "files": [_document(each) for each in validations]})
    else:
        write_lines(
            [*(line for each in validations for line in located_lines(each.path, each.findings)), _summary(validations)]
        )
    return ExitCode.OK if all(each.valid for each in validations) else ExitCode.INVALID


def located_lines(path: Path, findings: Iterable[Located]) -> Iterator[str]:
    """Each finding in the file at `path`, as compilers write theirs, and what mends it."""
    for located in findings:
        finding = located.finding
        place = "".join(f":{number}" for number in (located.line, located.column) if number is not None)
        subject = f" {finding.subject}:" if finding.subject else ""
        words = f"{finding.what} {finding.why}".rstrip()
        yield clean(f"{path}{place}: {finding.severity.name.lower()}:{subject} {words}")
        if finding.fix:
            yield clean(f"    mend it: {finding.fix}")


def _summary(validations: Sequence[Validation]) -> str:
    severities = [located.finding.severity for each in validations for located in each.findings]
    invalid = sum(not each.valid for each in validations)
    errors, warnings = severities.count(Severity.ERROR), severities.count(Severity.WARNING)
    found = [_counted(errors, "error")] if errors else []
    found += [_counted(warnings, "warning")] if warnings else []
    verdict = f"{invalid} invalid" if invalid else "valid" if len(validations) == 1 else "all valid"
    return f"{_counted(len(validations), 'file')}, {verdict}{': ' if found else ''}{', '.join(found)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _document(validation: Validation) -> Json:
    return {
        "path": str(validation.path),
        "valid": validation.valid,
        "findings": [located_document(located) for located in validation.findings],
    }


def located_document(located: Located) -> Json:
    """A finding and where its subject stands."""
    finding = located.finding
    return {
        "severity": finding.severity.name.lower(),
        "subject": finding.subject,
        "line": located.line,
        "column": located.column,
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
    }
