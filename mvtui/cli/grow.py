"""`grow`: the plan, the question, then the work."""

import argparse
import re
from datetime import UTC, datetime

from mvtui.cli.asking import check_asking, says_yes
from mvtui.cli.glyphs import of_stdout
from mvtui.cli.names import check_names
from mvtui.cli.output import Json, say, terminal_columns, write_json, write_lines
from mvtui.cli.overlay import attempt, closing, progress, say_outcome, with_sudo
from mvtui.cli.plan_lines import told_lines
from mvtui.cli.report import SCHEMA
from mvtui.cli.reset_report import NOTHING, PLANNED, REFUSED, facts_document, result_of
from mvtui.cli.settled import settings_of
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host
from mvtui.model.growth import MIB, GrowPlan, GrowWay
from mvtui.model.growth_words import may_grow, told_growth
from mvtui.model.own_command import own_command
from mvtui.model.text import clean
from mvtui.operations import growing
from mvtui.operations.growing import GrowOutcome

_SIZE = re.compile(r"([0-9]{1,10})([MGT]?)(?:iB)?", re.IGNORECASE)
_UNITS = {"": MIB, "M": MIB, "G": MIB << 10, "T": MIB << 20}


async def grow(host: Host, args: argparse.Namespace) -> int:
    """Do what `args` say; the exit code."""
    wanted = parse_size(args.size) if args.size is not None else None
    async with closing(host):
        await check_names(host, [args.name])
        way = GrowWay.MOUNT if args.mount else None
        plan = await growing.plan_growth(host, args.name, args.image, wanted, way=way)
        if args.dry_run and args.json:
            write_json(_document(host.name, plan, None))
        elif not args.json and (args.dry_run or not args.yes):
            heading = may_grow(plan, host.name).removesuffix("?")
            lines = told_lines(
                told_growth(plan, datetime.now(UTC)), of_stdout(settings_of(args).ascii), terminal_columns()
            )
            write_lines([heading, *lines])
        if args.dry_run or not plan.ok:
            return _planned(host, plan, args)
        if not args.yes and not await says_yes(may_grow(plan, host.name)):
            say("nothing was done")
            return ExitCode.REFUSED

        async def work(_: str) -> GrowOutcome:
            return await growing.run_growth(host, plan, progress(quiet=args.json))

        outcome, code = await attempt(args.name, "grow", work)
        if args.json:
            write_json(_document(host.name, plan, outcome))
        else:
            say_outcome(outcome)
        return code


def check_options(args: argparse.Namespace) -> None:
    """Raises MvtuiError where no size is said, where it is none, and where somebody had to be asked who can't be."""
    if (args.size is None) == (not args.defined):
        raise MvtuiError(
            "grow takes a size, or --defined for the one in the definition file",
            own_command("grow", clean(args.name), clean(args.image), "4G"),
            ExitCode.USAGE,
        )
    if args.size is not None:
        parse_size(args.size)
    if not (args.yes or args.dry_run):
        check_asking("grow", as_json=args.json)


def parse_size(text: str) -> int:
    """Bytes of `4096` (MiB, as `microvm.volumes.*.size`), `4096M`, `4G`, `1T`. Raises MvtuiError."""
    found = _SIZE.fullmatch(text)
    if found is None or not (count := int(found[1]) * _UNITS[found[2].upper()]):
        raise MvtuiError(
            f"{clean(text)} is no size",
            "4096 and 4096M are MiB, 4G is GiB, 1T is TiB; it is the whole new size",
            ExitCode.USAGE,
        )
    return count


def _planned(host: Host, plan: GrowPlan, args: argparse.Namespace) -> int:
    """Where nothing is done: what is said of it, and the exit code."""
    if args.json and not args.dry_run:
        write_json(_document(host.name, plan, None))
    if not plan.ok and not args.json:
        fix = [f"  {clean(plan.fix)}"] if plan.fix and args.yes else []
        say(clean(f"{plan.microvm}: {plan.image} is not grown: {plan.refusal}"), *fix)
        if plan.rights_missing:
            say(f"  {clean(with_sudo(''))}")
    if plan.rights_missing:
        return ExitCode.NO_RIGHTS
    return ExitCode.OK if plan.ok else ExitCode.REFUSED


def _document(host: str, plan: GrowPlan, outcome: GrowOutcome | None) -> Json:
    """What came of it, or would; sizes in bytes."""
    planned = PLANNED if plan.ok else NOTHING if plan.nothing else REFUSED
    return {
        "schema": SCHEMA,
        "host": host,
        "microvm": plan.microvm,
        "image": plan.image,
        "action": "grow",
        "result": result_of(outcome) if outcome is not None else planned,
        "words": outcome.words if outcome is not None else plan.refusal,
        "hint": outcome.hint if outcome is not None else plan.fix,
        "seconds": round(outcome.seconds, 3) if outcome is not None else 0.0,
        "plan": {
            "path": plan.target.path,
            "facts": facts_document(plan.facts) if plan.facts is not None else None,
            "size": plan.size.size if plan.size is not None else None,
            "sizeBy": plan.size.by if plan.size is not None else None,
            "way": str(plan.way),
            "ways": [str(way) for way in plan.ways],
            "inGuest": plan.in_guest,
            "checks": [check._asdict() for check in plan.checks],
            "steps": list(plan.steps),
            "risks": list(plan.risks),
            "notes": list(plan.notes),
            "nothing": plan.nothing,
            "ok": plan.ok,
        },
    }
