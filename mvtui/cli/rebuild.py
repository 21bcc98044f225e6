"""`rebuild`: what is built anew and by which command, the question, then what it says as it says it."""

import argparse
import asyncio
from collections.abc import Sequence

from mvtui.cli.asking import check_asking, says_yes
from mvtui.cli.names import no_such_microvm
from mvtui.cli.output import say, write_json, write_lines
from mvtui.cli.overlay import closing
from mvtui.cli.report import SCHEMA
from mvtui.errors import ExitCode, RightsMissingError
from mvtui.host.ports import Host
from mvtui.model.text import clean
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.rebuild import Rebuild, RebuildOutcome, RebuildPlan, begin_rebuild, plan_rebuild


async def run_rebuild(host: Host, args: argparse.Namespace) -> int:
    """Do what `args` say; the exit code: 0, 1 where one failed, 3 where one is refused, 77 where rights are missing.
    What can't be done of one keeps all from being begun."""
    async with closing(host):
        snapshot = await take_snapshot(host, Kept(host, inline=False), slow=False)
    plans: dict[str, RebuildPlan] = {}
    for name in dict.fromkeys(args.names):
        microvm = snapshot.find(name)
        if microvm is None:
            raise no_such_microvm(snapshot, name)
        plan = plan_rebuild(host, microvm, snapshot.microvms)
        plans.setdefault(plan.record, plan)  # the host is built once, for all of them
    wanted = list(plans.values())
    if any(plan.needs_root for plan in wanted):
        raise RightsMissingError("a rebuild takes root", "run mvtui as root (sudo mvtui)")
    if not args.yes:
        write_lines([clean(_told(host, plan)) for plan in wanted])
        if not await says_yes(clean(f"on {host.name}?")):
            say("nothing was done")
            return ExitCode.REFUSED
    outcomes = [await _run(host, plan, quiet=args.json) for plan in wanted]
    if args.json:
        write_json({"schema": SCHEMA, "results": [_document(outcome) for outcome in outcomes]})
    return ExitCode.OK if all(outcome.ok for outcome in outcomes) else ExitCode.FAILED


def check_options(args: argparse.Namespace) -> None:
    """Raises MvtuiError where somebody had to be asked who can't be."""
    if not args.yes:
        check_asking("rebuild", as_json=args.json, hint="say --yes")


def _told(host: Host, plan: RebuildPlan) -> str:
    if plan.host_wide:
        also = f", with {', '.join(plan.also)}" if plan.also else ""
        return f"{plan.words} builds all of {host.name} anew, for {plan.microvm}{also}; it may restart what changed"
    return f"{plan.words} builds {plan.microvm} anew, of {plan.flake}"


async def _run(host: Host, plan: RebuildPlan, *, quiet: bool) -> RebuildOutcome:
    rebuild = await begin_rebuild(host, plan)
    if not quiet:
        own = "" if rebuild.here else ", which another mvtui began"
        say(clean(f"mvtui: {plan.words}{own}; what it says goes to {plan.output}"))
    outcome = await _followed(rebuild, _Writer(rebuild, quiet=quiet))
    if not quiet:
        _say(outcome)
    return outcome


def _document(outcome: RebuildOutcome) -> dict[str, object]:
    return {
        "name": outcome.microvm,
        "verb": "rebuild",
        "ok": outcome.ok,
        "words": outcome.words,
        "seconds": round(outcome.seconds, 3),
        "new": outcome.new,
        "exit": outcome.code,
    }


def _say(outcome: RebuildOutcome) -> None:
    if outcome.ok:
        write_lines([clean(outcome.words)])
    else:
        say(clean(outcome.words))


class _Writer:
    """Writes the lines that have come."""

    def __init__(self, rebuild: Rebuild, *, quiet: bool) -> None:
        self._output = rebuild.output
        self._quiet = quiet
        self._written = 0

    def __call__(self) -> None:
        lines: Sequence[str] = self._output.from_line(self._written)
        self._written = self._output.count
        if lines and not self._quiet:
            write_lines(lines)


async def _followed(rebuild: Rebuild, write: _Writer) -> RebuildOutcome:
    """To its end. ^C cancels it, and waits until it has ended."""
    following = asyncio.ensure_future(rebuild.follow(write))
    while True:
        try:
            return await asyncio.shield(following)
        except asyncio.CancelledError:
            if following.done():
                raise
            say("", "mvtui: cancelling …")
            rebuild.cancel()
