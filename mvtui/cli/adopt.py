"""`mvtui adopt NAME`: the definition file of a microVM that has none, from what is built."""

import argparse
import shlex
from collections.abc import Sequence

from mvtui.cli.names import no_such_microvm
from mvtui.cli.output import say, write_json, write_lines
from mvtui.cli.overlay import closing
from mvtui.cli.report import SCHEMA, finding_document
from mvtui.cli.validate import located_document, located_lines
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host
from mvtui.model.finding import Finding, Severity
from mvtui.model.text import clean
from mvtui.operations.adopting import Adoption, adopt, ask_nix, nix_command
from mvtui.operations.definitions import Located
from mvtui.operations.definitions_save import ConflictError, review, save
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept


async def run_adopt(host: Host, args: argparse.Namespace) -> int:
    """Write the file, or with `--print` only show it; the exit code: REFUSED where there is one, INVALID where a rule
    stands against what is built (it is written all the same: it is what is there)."""
    async with closing(host):
        snapshot = await take_snapshot(host, Kept(host, inline=False), slow=False)
    microvm = snapshot.find(args.name)
    if microvm is None:
        raise no_such_microvm(snapshot, args.name)
    if args.eval:
        say(clean(f"mvtui: asks Nix, which takes minutes: {shlex.join(nix_command(host, microvm))}"))
    adoption = adopt(host, microvm, evaluated=await ask_nix(host, microvm) if args.eval else None)
    found = review(adoption.document, adoption.text).findings
    after = () if args.print else _write(host, adoption)
    if args.json:
        write_json(_document(adoption, found, after, written=not args.print))
    elif args.print:
        write_lines([clean(line) for line in adoption.text.removesuffix("\n").split("\n")])
        say(*_told(adoption, found, after))
    else:
        write_lines([clean(f"wrote {adoption.document.path}"), *_told(adoption, found, after)])
    invalid = any(located.finding.severity is Severity.ERROR for located in found)
    return ExitCode.INVALID if invalid else ExitCode.OK


def _write(host: Host, adoption: Adoption) -> tuple[Finding, ...]:
    path = adoption.document.path
    refusal = MvtuiError(
        f"there is a definition already: {path}",
        "adopt overwrites nothing; mvtui adopt --print shows what it would write",
        ExitCode.REFUSED,
    )
    if adoption.exists:
        raise refusal
    try:
        return save(host, adoption.document, adoption.text).findings
    except ConflictError:
        raise refusal from None


def _told(adoption: Adoption, found: Sequence[Located], after: Sequence[Finding]) -> list[str]:
    lines = ["", f"  {clean(adoption.nix)}", "", *(clean(note) for note in adoption.notes)]
    lines += located_lines(adoption.document.path, found)
    for finding in after:
        lines.append(clean(f"{finding.severity.name.lower()}: {finding.what} {finding.why}".rstrip()))
        if finding.fix:
            lines.append(clean(f"    mend it: {finding.fix}"))
    return lines


def _document(
    adoption: Adoption, found: Sequence[Located], after: Sequence[Finding], *, written: bool
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "name": adoption.document.microvm.name,
        "path": str(adoption.document.path),
        "written": written,
        "text": adoption.text,
        "nix": adoption.nix,
        "notes": list(adoption.notes),
        "findings": [*(located_document(each) for each in found), *(finding_document(each) for each in after)],
    }
