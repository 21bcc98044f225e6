"""start, stop, restart, kill: one microVM after the other; one that fails stops no other."""

import sys
from collections.abc import Sequence

from mvtui.cli.names import check_names
from mvtui.cli.output import say, write_json, write_lines
from mvtui.cli.report import outcomes_document
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host
from mvtui.model.text import clean
from mvtui.model.unit import UnitStatus, UnitVerb
from mvtui.operations import lifecycle
from mvtui.operations.lifecycle import Outcome


async def act(host: Host, verb: str, names: Sequence[str], *, as_json: bool) -> int:
    """Do `verb` to each of `names`; the exit code: 0, 1 if one failed, 77 where the rights are missing."""
    try:
        await check_names(host, names)
        outcomes, code = [], ExitCode.OK
        for name in dict.fromkeys(names):
            outcome, worse = await _one(host, UnitVerb(verb), name, quiet=as_json)
            outcomes.append(outcome)
            code = max(code, worse)
            if not as_json:
                _say(outcome)
    finally:
        await host.units.close()
        host.processes.close()
    if as_json:
        write_json(outcomes_document(outcomes))
    return code


async def _one(host: Host, verb: UnitVerb, name: str, *, quiet: bool) -> tuple[Outcome, ExitCode]:
    progress = None if quiet or not sys.stderr.isatty() else _Progress()
    try:
        outcome = await lifecycle.run(host, verb, name, progress)
    except MvtuiError as error:
        return Outcome(name, verb, False, error.message, 0.0, error.hint), error.exit_code
    return outcome, ExitCode.OK if outcome.ok else ExitCode.FAILED


def _say(outcome: Outcome) -> None:
    lines = [clean(outcome.words), *([f"  {clean(outcome.hint)}"] if outcome.hint else [])]
    if outcome.ok:
        write_lines(lines)
    else:
        say(*lines)


class _Progress:
    """Prints each unit when it changes its state."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __call__(self, units: tuple[UnitStatus, ...]) -> None:
        for unit in units:
            now = f"{unit.active_state} ({unit.sub_state})"
            if self._told.get(unit.name, now) != now:
                say(f"  {clean(unit.name)}: {now}")
            self._told[unit.name] = now
