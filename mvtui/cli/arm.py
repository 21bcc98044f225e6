"""`arm`: the overlay is reset by itself before the microVM starts; and `reset --if-armed`, which its start runs."""

import argparse
from collections.abc import Sequence

from mvtui.cli.names import check_names
from mvtui.cli.output import write_json
from mvtui.cli.overlay import closing, each_of, say_outcome
from mvtui.cli.reset_report import resets_document
from mvtui.host.ports import Host
from mvtui.model.overlay import Armed
from mvtui.operations import arming
from mvtui.operations.overlay import ResetOutcome


async def arm(host: Host, args: argparse.Namespace) -> int:
    """`--once`, `--always` or `--off`; the exit code."""
    how = Armed.ONCE if args.once else Armed.ALWAYS if args.always else None

    async def one(name: str) -> ResetOutcome:
        return await arming.arm(host, name, how, persistent=args.persistent, strict=args.strict)

    async with closing(host):
        await check_names(host, [args.name])
        return await each_of(host, [args.name], "arm", one, as_json=args.json)


async def reset_if_armed(host: Host, names: Sequence[str], *, strict: bool, as_json: bool) -> int:
    """Reset what is armed; the exit code is 0 whatever comes of it, unless that is strict: the microVM starts.

    Nothing is looked at before: it runs in every start.
    """
    outcomes, code = [], 0
    async with closing(host):
        for name in names:
            at_start = await arming.reset_if_armed(host, name, strict=strict)
            outcomes.append(at_start.outcome)
            code = max(code, at_start.exit_code)
            if not as_json and at_start.armed:
                say_outcome(at_start.outcome)
            if at_start.hangs:
                arming.leave(code)
    if as_json:
        write_json(resets_document(host.name, outcomes))
    return code
