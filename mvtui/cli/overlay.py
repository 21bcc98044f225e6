"""`restore` and `start --fresh`, and what all verbs of the overlay say and return."""

import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from mvtui.cli.names import check_names
from mvtui.cli.output import say, write_json, write_lines
from mvtui.cli.reset_report import FAILED, NOTHING, REFUSED, resets_document, result_of
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.own_program import own_argv
from mvtui.host.ports import Host
from mvtui.model.text import clean
from mvtui.operations import overlay
from mvtui.operations.overlay import ResetOutcome

Work = Callable[[str], Awaitable[ResetOutcome]]

# Nothing to reset is refused: whoever asked for an empty overlay did not get one.
_CODES = {NOTHING: ExitCode.REFUSED, REFUSED: ExitCode.REFUSED, FAILED: ExitCode.FAILED}


async def start_fresh(host: Host, names: Sequence[str], *, as_json: bool) -> int:
    """Reset the overlay of each of `names` and start it; the exit code."""

    async def one(name: str) -> ResetOutcome:
        return await overlay.run_fresh(host, name, progress(quiet=as_json))

    async with closing(host):
        await check_names(host, names)
        return await each_of(host, names, "reset and start", one, as_json=as_json)


async def restore(host: Host, name: str, *, as_json: bool) -> int:
    """Bring the overlay back that was set aside last; the exit code."""
    async with closing(host):
        await check_names(host, [name])
        return await each_of(host, [name], "restore", lambda each: overlay.restore(host, each), as_json=as_json)


@asynccontextmanager
async def closing(host: Host) -> AsyncIterator[None]:
    """Lets go of what `host` holds in the end."""
    try:
        yield
    finally:
        await host.units.close()
        host.processes.close()


async def each_of(host: Host, names: Sequence[str], action: str, work: Work, *, as_json: bool) -> int:
    """Do `work` to one after the other, and say what came of it; one that fails stops no other. The exit code: 0, 1
    where one failed, 3 where one was refused, 77 where rights are missing; of several the greatest."""
    outcomes, code = [], ExitCode.OK
    for name in dict.fromkeys(names):
        outcome, worse = await attempt(name, action, work)
        outcomes.append(outcome)
        code = max(code, worse)
        if not as_json:
            say_outcome(outcome)
    if as_json:
        write_json(resets_document(host.name, outcomes))
    return code


async def attempt(name: str, action: str, work: Work) -> tuple[ResetOutcome, ExitCode]:
    """What came of `work` on `name`, also where it raises, and the exit code for it."""
    try:
        outcome = await work(name)
    except MvtuiError as error:
        refused = error.exit_code in (ExitCode.REFUSED, ExitCode.NO_RIGHTS)
        hint = with_sudo(error.hint) if error.exit_code is ExitCode.NO_RIGHTS else error.hint
        return ResetOutcome(name, action, False, f"{name}: {error.message}", hint, refused=refused), error.exit_code
    # Nothing to free is what was wanted.
    fine = outcome.ok or (outcome.nothing and outcome.action in ("discard", "free"))
    return outcome, ExitCode.OK if fine else _CODES[result_of(outcome)]


def say_outcome(outcome: ResetOutcome) -> None:
    """One sentence and what to do next: on standard output where it was done, else on standard error."""
    lines = [clean(outcome.words), *([f"  {clean(outcome.hint)}"] if outcome.hint else [])]
    if outcome.ok:
        write_lines(lines)
    else:
        say(*lines)


def with_sudo(hint: str) -> str:
    """What would give the rights, and the same command with root's."""
    command = shlex.join(["sudo", *own_argv(), *sys.argv[1:]])
    return f"{hint}: {command}" if hint else command


def progress(*, quiet: bool) -> Callable[[str], None] | None:
    """Says what is being done, where a person can read it."""
    return None if quiet or not sys.stderr.isatty() else lambda words: say(f"  {clean(words)}")
