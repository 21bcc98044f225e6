"""What runs before a hypervisor starts: the reset that is armed, in a bounded time, whatever hangs."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.armed import made_path, read_arming, remove_arming, write_arming
from mvtui.host.ports import Host
from mvtui.model.arming import Arming
from mvtui.model.overlay import Armed
from mvtui.model.own_command import own_command
from mvtui.operations import overlay
from mvtui.operations.kept import Kept
from mvtui.operations.overlay_evidence import look, made_at, targeted
from mvtui.operations.overlay_outcome import ResetOutcome, recorded
from mvtui.operations.uninterrupted import in_thread

# What an armed reset may take before its microVM starts without it (seconds); systemd gives the start 150.
ARMED_SECONDS = 30.0
# So much later a process that can't even say so is ended.
_GRACE_SECONDS = 10.0

_ACTION = "armed reset"


class AtStart(NamedTuple):
    """What came of an armed reset, and the exit code of `mvtui reset --if-armed`: 0, that is: start the microVM; 1 or 3
    where the reset failed or was refused and the arming is strict: systemd does not start it then. `hangs`: a thread
    does, and the process has to be left (`leave`), since Python would wait for it. `armed`: else nobody has to read of
    it at every start."""

    outcome: ResetOutcome
    exit_code: int
    hangs: bool = False
    armed: bool = True


async def reset_if_armed(host: Host, name: str, *, strict: bool = False, seconds: float = ARMED_SECONDS) -> AtStart:
    """What runs before the hypervisor starts (`mvtui reset --if-armed [--strict] NAME`): the reset, where the microVM
    is armed. `strict` counts beside what the record says.

    Never raises MvtuiError, and ends within `seconds`. `nothing`: not armed; done already within this start
    (INVOCATION_ID: systemd makes a new one for each start, also for one of Restart=, in 252 as in the newest, and all
    commands of that start have it); nobody has written to the overlay since mvtui made it, so that the old one which is
    kept stays. Once is spent by a good reset, and where there is nothing to reset; not by one that is refused: that is
    on record and shown until the next good one. What happens goes to the journal.
    """
    task = asyncio.ensure_future(_reset_if_armed(host, name, strict=strict))
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    words = f"{name}: no reset: it is not done after {seconds:g} s"
    outcome = ResetOutcome(name, _ACTION, False, words, f"{own_command('show', name)} tells what came of it")
    arming = None
    with suppress(MvtuiError):
        arming = read_arming(host.records, name)
        if arming is not None:
            _note_refusal(host, name, arming, outcome)
    return AtStart(recorded(host, outcome), _exit_code(outcome, arming, strict=strict), hangs=True)


async def _reset_if_armed(host: Host, name: str, *, strict: bool) -> AtStart:
    invocation = os.environ.get("INVOCATION_ID", "")
    arming = None
    try:
        arming = await in_thread(read_arming, host.records, name)
        if arming is None:
            return AtStart(_nothing(name, "it is not armed"), ExitCode.OK, armed=False)
        if invocation and arming.invocation == invocation:
            return AtStart(_nothing(name, "its armed reset had its turn within this start"), ExitCode.OK)
        arming = arming._replace(invocation=invocation)
        # What can't be noted could not be spent either: it would be reset again and again.
        await in_thread(write_arming, host.records, name, arming)
        if await _is_unused(host, name):
            outcome = _nothing(name, "nobody has used its overlay since mvtui made it, and it stays")
        else:
            outcome = await overlay.run_reset(host, name, starting=True)
    except MvtuiError as error:
        outcome = recorded(host, _refused(name, error))
    if arming is not None:
        outcome = await in_thread(_note, host, name, arming, outcome)
    return AtStart(outcome, _exit_code(outcome, arming, strict=strict))


async def _is_unused(host: Host, name: str) -> bool:
    """Whether the overlay that the next start has is one that mvtui made and nobody has used."""
    made = await in_thread(made_path, host.records, name)
    if made is None:
        return False
    evidence = await in_thread(targeted, host, await look(host, Kept(host, inline=False)), name)
    return made == made_at(host, evidence.target)


def _note(host: Host, name: str, arming: Arming, outcome: ResetOutcome) -> ResetOutcome:
    """Put on record what came of it, unless it was armed otherwise or disarmed meanwhile."""
    try:
        now = read_arming(host.records, name)
        if now is None or now.key != arming.key:
            return outcome
        if not (outcome.ok or outcome.nothing):
            _note_refusal(host, name, arming, outcome)
        elif arming.how is Armed.ONCE:
            remove_arming(host.records, name)
        elif arming.refused:
            write_arming(host.records, name, arming._replace(refused="", refused_at=None))
    except MvtuiError as error:
        return outcome._replace(words=f"{outcome.words}; what is armed can't be noted: {error.message}")
    return outcome


def _note_refusal(host: Host, name: str, arming: Arming, outcome: ResetOutcome) -> None:
    why = outcome.words.removeprefix(f"{name}: ").removeprefix("no reset: ")
    write_arming(host.records, name, arming._replace(refused=why, refused_at=datetime.now(UTC)))


def _nothing(name: str, words: str) -> ResetOutcome:
    return ResetOutcome(name, _ACTION, False, f"{name}: {words}", nothing=True)


def _refused(name: str, error: MvtuiError) -> ResetOutcome:
    words = f"{name}: no reset: {error.message}"
    return ResetOutcome(name, _ACTION, False, words, error.hint, refused=error.exit_code is not ExitCode.FAILED)


def _exit_code(outcome: ResetOutcome, arming: Arming | None, *, strict: bool) -> int:
    if outcome.ok or outcome.nothing or not (strict or (arming is not None and arming.strict)):
        return ExitCode.OK
    return ExitCode.REFUSED if outcome.refused else ExitCode.FAILED


def give_up_later() -> None:
    """From now on this process is killed (SIGALRM) soon after ARMED_SECONDS, whatever hangs: `mvtui reset --if-armed`
    calls it first. systemd starts the microVM then (`ExecStartPre=-`), unless it is armed strictly."""
    signal.setitimer(signal.ITIMER_REAL, ARMED_SECONDS + _GRACE_SECONDS)


def leave(code: int) -> None:
    """End this process now, its output written: `mvtui reset --if-armed` does not wait for a thread that hangs on a
    dead mount, as Python would."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
