"""A job's result in words."""

import pytest

from mvtui.host.systemd_outcome import Ending, job_result
from mvtui.model.unit import UnitVerb

WEB = "microvm@web.service"
DAEMONS = "microvm-virtiofsd@web.service"
RUN = "/var/lib/microvms/web/current/bin/microvm-run"

UP = Ending("active", "running", condition_result=True, condition_timestamp=1, result="success")
EXIT = Ending("failed", "failed", condition_result=True, condition_timestamp=1, result="exit-code", exec_status=1)


def failed(result: str, code: int | None = None, status: int | None = None) -> Ending:
    return Ending("failed", "failed", result=result, exec_code=code, exec_status=status)


def skipped(*conditions: tuple[str, bool, bool, str, int]) -> Ending:
    return Ending("inactive", "dead", condition_result=False, condition_timestamp=1, conditions=conditions)


@pytest.mark.parametrize(
    ("verb", "result", "ending", "word", "words"),
    [
        (UnitVerb.START, "done", UP, "done", f"{WEB}: started"),
        (UnitVerb.START, "done", Ending("inactive", "dead"), "done", f"{WEB}: started"),
        (UnitVerb.START, "done", EXIT, "failed", f"{WEB} failed: exit 1"),
        (UnitVerb.START, "done", Ending("activating", "auto-restart", result="oom-kill"), "failed",
         f"{WEB} failed: out of memory"),
        (UnitVerb.RESTART, "done", EXIT, "failed", f"{WEB} failed: exit 1"),
        (UnitVerb.STOP, "done", Ending("inactive", "dead"), "done", f"{WEB}: stopped"),
        (UnitVerb.STOP, "done", failed("timeout", 2, 9), "done", f"{WEB}: stopped, but not cleanly: timed out"),
        (UnitVerb.KILL, "done", failed("signal", 2, 9), "done", f"{WEB}: killed"),
        (UnitVerb.START, "failed", failed("signal", 2, 11), "failed", f"{WEB} failed: killed by SIGSEGV"),
        (UnitVerb.START, "failed", failed("core-dump", 3, 6), "failed", f"{WEB} failed: dumped core at SIGABRT"),
        (UnitVerb.START, "failed", failed("signal", 2, 300), "failed", f"{WEB} failed: killed by signal 300"),
        (UnitVerb.START, "failed", failed("timeout"), "failed", f"{WEB} failed: timed out"),
        (UnitVerb.START, "failed", failed("start-limit-hit"), "failed",
         f"{WEB} failed: started too often (its start limit)"),
        (UnitVerb.START, "failed", failed("something-new"), "failed", f"{WEB} failed: something-new"),
        (UnitVerb.START, "failed", Ending(), "failed", f"{WEB} failed: its log says why"),
        (UnitVerb.START, "timeout", Ending(), "timeout", f"{WEB} timed out"),
        (UnitVerb.START, "canceled", Ending(), "canceled", f"{WEB}: cancelled"),
        (UnitVerb.STOP, "canceled", Ending("deactivating", "stop-sigterm"), "canceled",
         f"{WEB}: cancelled, but it is still deactivating"),
        (UnitVerb.START, "dependency", Ending(), "dependency", f"{WEB}: a dependency failed"),
        (UnitVerb.START, "assert", Ending(), "assert", f"{WEB}: assert"),
        (UnitVerb.START, "unseen", UP, "done", f"{WEB}: started"),
        (UnitVerb.START, "unseen", EXIT, "failed", f"{WEB} failed: exit 1"),
        (UnitVerb.STOP, "unseen", Ending("inactive", "dead"), "done", f"{WEB}: stopped"),
        (UnitVerb.STOP, "unseen", UP, "failed", f"{WEB} failed: its log says why"),
        (UnitVerb.START, "done", skipped(("ConditionPathExists", False, False, RUN, -1)), "skipped",
         f"{WEB} was skipped: its condition failed ({RUN} does not exist)"),
        (UnitVerb.START, "done",
         skipped(("ConditionPathExists", False, False, RUN, 1), ("ConditionVirtualization", False, True, "vm", -1)),
         "skipped", f"{WEB} was skipped: its condition failed (ConditionVirtualization=!vm)"),
        (UnitVerb.START, "skipped", skipped(), "skipped",
         f"{WEB} was skipped: its condition failed (its log says which)"),
        (UnitVerb.STOP, "done", skipped(), "done", f"{WEB}: stopped"),
    ],
)  # fmt: skip
def test_words(verb: UnitVerb, result: str, ending: Ending, word: str, words: str) -> None:
    job = job_result(verb, WEB, result, ending)
    assert (job.result, job.words) == (word, words)
    assert job.ok is (word == "done")


def test_dependency() -> None:
    job = job_result(UnitVerb.START, WEB, "dependency", Ending("inactive"), (DAEMONS, failed("timeout", 2, 15)))
    assert job.words == f"{WEB}: dependency {DAEMONS} failed: timed out"


def test_job_that_another_one_replaced() -> None:
    replaced = job_result(UnitVerb.START, WEB, "canceled", Ending("deactivating", "stop"), replaced=True)
    assert replaced.words == f"{WEB}: cancelled, another job took its place"
