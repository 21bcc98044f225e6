"""`make-writable` and `share-store`: what a definition file would be, the question, then the save."""

import argparse
from collections.abc import Sequence

from mvtui.cli.asking import check_asking, says_yes
from mvtui.cli.names import no_such_microvm
from mvtui.cli.output import Json, say, write_json, write_lines
from mvtui.cli.overlay import closing
from mvtui.cli.report import SCHEMA, finding_document
from mvtui.cli.validate import located_document, located_lines
from mvtui.errors import ExitCode
from mvtui.host.ports import Host
from mvtui.model.finding import Finding
from mvtui.model.text import clean
from mvtui.operations.definition_actions import Change, make_writable, share_store
from mvtui.operations.definition_checks import check_fields
from mvtui.operations.definitions import Located
from mvtui.operations.definitions_save import Review, open_document, review, save
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept


async def run_store(host: Host, args: argparse.Namespace) -> int:
    """Do what `args` say; the exit code. Raises MvtuiError: REFUSED where it can't work."""
    async with closing(host):
        snapshot = await take_snapshot(host, Kept(host, inline=False), slow=False)
    microvm = snapshot.find(args.name)
    if microvm is None:
        raise no_such_microvm(snapshot, args.name)
    document = open_document(host, microvm)
    if args.verb == "make-writable":
        change = make_writable(host, microvm, document, size=args.size)
    else:
        change = share_store(host, microvm, document)
    seen = review(document, change.text)
    found = [*seen.findings, *map(Located, await check_fields(host, microvm, change.definition, snapshot))]
    if not args.json:
        write_lines([*_told(change, seen), *located_lines(document.path, found)])
    if not (args.yes or args.dry_run) and not await says_yes(clean(f"save {document.path}?")):
        say("nothing was done")
        return ExitCode.REFUSED
    after = () if args.dry_run else save(host, document, change.text).findings
    if args.json:
        write_json(_document(change, seen, found, after, written=not args.dry_run))
    elif not args.dry_run:
        write_lines([clean(f"saved {document.path}"), *located_lines(document.path, map(Located, after))])
        write_lines([f"  {words}" for words in seen.follows])
    return ExitCode.OK


def check_options(args: argparse.Namespace) -> None:
    """Raises MvtuiError where somebody had to be asked who can't be."""
    if not (args.yes or args.dry_run):
        check_asking(args.verb, as_json=args.json)


def _told(change: Change, seen: Review) -> list[str]:
    words = [f"  {sentence}" for sentence in change.words]
    return [f"{change.what}:", *words, "", *seen.diff, ""]


def _document(
    change: Change, seen: Review, found: Sequence[Located], after: Sequence[Finding], *, written: bool
) -> Json:
    return {
        "schema": SCHEMA,
        "name": change.document.microvm.name,
        "path": str(change.document.path),
        "written": written,
        "what": change.what,
        "words": list(change.words),
        "text": change.text,
        "diff": list(seen.diff),
        "follows": list(seen.follows),
        "findings": [*(located_document(each) for each in found), *(finding_document(each) for each in after)],
    }
