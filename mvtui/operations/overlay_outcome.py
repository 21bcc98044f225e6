"""What came of a reset, a restore, a discard: told to the caller, and put on record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import record_change
from mvtui.model.overlay import ResetPlan

Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Progress that nobody wants to see."""


class ResetOutcome(NamedTuple):
    """`action` is `reset`, `restore`, `discard`, `reset and start` …; `words` one sentence, `hint` what to do next, or
    "". `refused`: nothing was begun, or all was put back, since something stood against it. `nothing`: there was
    nothing to do (then `ok` is false, but for `reset and start`, which starts)."""

    microvm: str
    action: str
    ok: bool
    words: str
    hint: str = ""
    seconds: float = 0.0
    refused: bool = False
    nothing: bool = False
    plan: ResetPlan | None = None


def of_error(microvm: str, action: str, error: MvtuiError, plan: ResetPlan | None = None) -> ResetOutcome:
    """An outcome of what was raised."""
    refused = error.exit_code is ExitCode.REFUSED
    return ResetOutcome(microvm, action, False, f"{microvm}: {error.message}", error.hint, refused=refused, plan=plan)


def of_plan(microvm: str, action: str, plan: ResetPlan) -> ResetOutcome:
    """An outcome of a plan that can't be carried out."""
    if plan.nothing:
        return ResetOutcome(microvm, action, False, f"{microvm}: {plan.nothing}", nothing=True, plan=plan)
    check = next(check for check in plan.checks if not check.ok)
    words = f"{microvm}: no {action}: {check.why}"
    return ResetOutcome(microvm, action, False, words, check.fix, refused=True, plan=plan)


def recorded(host: Host, outcome: ResetOutcome) -> ResetOutcome:
    """The outcome, once it is on record."""
    host.changes += 1
    record_change(host.records, outcome.microvm, outcome.action, outcome.words, ok=outcome.ok, seconds=outcome.seconds)
    return outcome


class Attempt:
    """One change of one microVM's overlay while it is made: however it ends, it is on record once."""

    def __init__(self, host: Host, microvm: str, action: str, on_progress: Progress | None = None) -> None:
        self.host = host
        self.microvm = microvm
        self.action = action
        self.say = on_progress or silent
        self._done: ResetOutcome | None = None

    def done(self, outcome: ResetOutcome) -> ResetOutcome:
        """It has come to that, also where the attempt is cancelled now."""
        self._done = outcome
        return outcome

    async def run(self, work: Coroutine[Any, Any, ResetOutcome]) -> ResetOutcome:
        """The outcome of `work`, on record. Raises RightsMissingError, CancelledError; another MvtuiError is an
        outcome."""
        began = time.monotonic()
        try:
            outcome = await work
        except RightsMissingError as error:
            self._record(of_error(self.microvm, self.action, error), began)
            raise
        except MvtuiError as error:
            outcome = of_error(self.microvm, self.action, error)
        except asyncio.CancelledError:
            words = f"{self.microvm}: {self.action} cancelled; nothing is changed"
            self._record(self._done or ResetOutcome(self.microvm, self.action, False, words), began)
            raise
        return self._record(outcome, began)

    def _record(self, outcome: ResetOutcome, began: float) -> ResetOutcome:
        return recorded(self.host, outcome._replace(seconds=time.monotonic() - began))
