"""`reset`: the plan, the question, then one microVM after the other."""

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mvtui.cli.arm import reset_if_armed
from mvtui.cli.asking import check_asking, says_yes
from mvtui.cli.glyphs import of_stdout
from mvtui.cli.names import check_names
from mvtui.cli.output import say, terminal_columns, write_json, write_lines
from mvtui.cli.overlay import closing, each_of, progress, with_sudo
from mvtui.cli.plan_lines import plan_lines, told_lines
from mvtui.cli.reset_report import plans_document
from mvtui.cli.settled import settings_of
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host
from mvtui.model.overlay import ResetPlan
from mvtui.model.overlay_words import may_discard, may_reset, told_kept
from mvtui.model.text import clean
from mvtui.operations import overlay
from mvtui.operations.overlay import ResetOutcome


async def reset(host: Host, args: argparse.Namespace) -> int:
    """Do what `args` say; the exit code."""
    names = tuple(dict.fromkeys(args.names))
    if args.if_armed:
        return await reset_if_armed(host, names, strict=args.strict, as_json=args.json)
    async with closing(host):
        await check_names(host, names)
        if args.discard:
            return await _discard(host, names, args)
        if args.free:
            return await each_of(host, names, "free", lambda name: overlay.free_older(host, name), as_json=args.json)
        if args.yes and args.image is None and not args.dry_run:
            return await _run(host, dict.fromkeys(names), args)
        plans = await overlay.plan_resets(host, names, images=_images(args))
        if args.dry_run and args.json:
            write_json(plans_document(host.name, plans))
        elif args.dry_run or not args.yes:
            _show(host, plans, args)
        if not args.json:
            _say_refusals(plans)
        if args.dry_run:
            return _code(plans)
        return max(_code(plans), await _go_on(host, plans, args))


def check_options(args: argparse.Namespace) -> None:
    """Raises MvtuiError where they contradict each other, and where somebody had to be asked who can't be."""
    if args.strict and not args.if_armed:
        raise MvtuiError("--strict needs --if-armed", "see mvtui reset --help", ExitCode.USAGE)
    if args.image is not None and (len(args.names) > 1 or args.discard or args.free or args.if_armed):
        raise MvtuiError(
            "--image is for the reset of one microVM", "name the others in a command of their own", ExitCode.USAGE
        )
    if not (args.yes or args.dry_run or args.free or args.if_armed):
        check_asking("reset", as_json=args.json)


def _images(args: argparse.Namespace) -> dict[str, str]:
    return {args.names[0]: args.image} if args.image is not None else {}


def _show(host: Host, plans: Sequence[ResetPlan], args: argparse.Namespace) -> None:
    glyphs, now, columns = of_stdout(settings_of(args).ascii), datetime.now(UTC), terminal_columns()
    for number, plan in enumerate(plans):
        write_lines([*([""] if number else []), *plan_lines(plan, host.name, glyphs, now, columns)])


def _say_refusals(plans: Sequence[ResetPlan], action: str = "reset") -> None:
    for plan in plans:
        if not plan.ok:
            say(clean(f"{plan.microvm}: no {action}: {plan.refusal}"))
    if any(plan.rights_missing for plan in plans):
        say(f"  {clean(with_sudo(''))}")


def _code(plans: Sequence[ResetPlan]) -> int:
    if any(plan.rights_missing for plan in plans):
        return ExitCode.NO_RIGHTS
    return ExitCode.OK if all(plan.ok for plan in plans) else ExitCode.REFUSED


async def _go_on(host: Host, plans: Sequence[ResetPlan], args: argparse.Namespace) -> int:
    """Do what is planned well, once somebody says yes (or said it before)."""
    wanted = [plan.microvm for plan in plans if plan.ok]
    if args.json and not wanted:
        write_json(plans_document(host.name, plans))
    if not wanted:
        return ExitCode.REFUSED
    if not args.yes and not await says_yes(may_reset(wanted, host.name)):
        say("nothing was done")
        return ExitCode.REFUSED
    # Only now: an image that is not its own is not worth remembering.
    for name, image in _images(args).items():
        overlay.remember_image(host, name, image)
    return await _run(host, {plan.microvm: plan for plan in plans if plan.ok}, args)


async def _run(host: Host, plans: Mapping[str, ResetPlan | None], args: argparse.Namespace) -> int:
    async def one(name: str) -> ResetOutcome:
        return await overlay.run_reset(host, name, progress(quiet=args.json), plan=plans[name])

    return await each_of(host, list(plans), "reset", one, as_json=args.json)


async def _discard(host: Host, names: Sequence[str], args: argparse.Namespace) -> int:
    code: int = ExitCode.OK
    if not args.yes:
        plans = await overlay.plan_resets(host, names)
        unseen = [plan for plan in plans if plan.facts is None and not plan.nothing]
        if unseen:
            code = _code(unseen)
            _say_refusals(unseen, "discard")
        names = _with_something_kept(plans, args)
        if not names:
            return code
        if not await says_yes(may_discard(names, host.name)):
            say("nothing was done")
            return ExitCode.REFUSED
    return max(code, await each_of(host, names, "discard", lambda name: overlay.discard(host, name), as_json=args.json))


def _with_something_kept(plans: Sequence[ResetPlan], args: argparse.Namespace) -> list[str]:
    """Shows what is kept; of whom."""
    glyphs, now, columns = of_stdout(settings_of(args).ascii), datetime.now(UTC), terminal_columns()
    names = []
    for plan in plans:
        if plan.facts is not None and plan.facts.kept:
            names.append(plan.microvm)
            write_lines([clean(plan.microvm), *told_lines(told_kept(plan.facts.kept, now), glyphs, columns)])
        elif plan.facts is not None or plan.nothing:
            write_lines([clean(f"{plan.microvm}: nothing is set aside")])
    return names
