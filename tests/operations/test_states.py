"""Each row of what real units do has its state here, and none may be wrong."""

from datetime import datetime, timedelta

import pytest

from mvtui.model.definition import Share, ShareProto
from mvtui.model.facts import SourceFacts
from mvtui.model.microvm import ShareHealth, ShareStatus, StateDirEntry
from mvtui.model.state import StateWord
from mvtui.model.unit import Job, UnitKind, UnitStatus
from mvtui.operations.states import Evidence, derive
from tests.fakes import EPOCH, process, unit

ENTRY = StateDirEntry("web", "/var/lib/microvms/web", current="/nix/store/a-runner")
QEMU = process(100, "web", "microvm@web", "-name", "web")
GONE = SourceFacts("/srv/home", exists=False)
START = Job(7, "start", "waiting")


def evidence(*units: UnitStatus, **changes: object) -> Evidence:
    seen = Evidence("web", ENTRY, {each.kind: each for each in units}, True, "systemd", None, ())
    return seen._replace(**changes)  # type: ignore[arg-type]


def share(health: ShareHealth, **changes: object) -> ShareStatus:
    home = Share("home", ShareProto.VIRTIOFS, source="/srv/home", mount_point="/home", socket="web-home.sock")
    return ShareStatus(home, health)._replace(**changes)  # type: ignore[arg-type]


HYPERVISOR = unit("microvm@web.service")
DAEMONS = unit("microvm-virtiofsd@web.service")


def down(state: str = "inactive", sub: str = "dead", **changes: object) -> UnitStatus:
    return HYPERVISOR._replace(active_state=state, sub_state=sub, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "word", "why"),
    [
        pytest.param(evidence(HYPERVISOR, hypervisor=QEMU), StateWord.RUNNING, "is active", id="active"),
        pytest.param(
            evidence(HYPERVISOR, DAEMONS, hypervisor=QEMU, shares=(share(ShareHealth.UP),)),
            StateWord.RUNNING,
            "its share is served",
            id="shares-served",
        ),
        pytest.param(
            evidence(HYPERVISOR, DAEMONS, hypervisor=QEMU, shares=(share(ShareHealth.DOWN, why="it has ended."),)),
            StateWord.DEGRADED,
            'Share "home" is down: it has ended.',
            id="unit-active-but-daemon-dead",
        ),
        pytest.param(
            evidence(HYPERVISOR, hypervisor=QEMU, shares=(share(ShareHealth.UNKNOWN),)),
            StateWord.RUNNING,
            "can't be told",
            id="what-is-not-seen-is-not-claimed",
        ),
        pytest.param(
            evidence(down("activating", "auto-restart", n_restarts=1, last_run=4000.0, result="success")),
            StateWord.STARTING,
            "started again",
            id="guest-powered-itself-off",
        ),
        pytest.param(
            evidence(down(job=START, n_restarts=1, last_run=4000.0)),
            StateWord.STARTING,
            "queued",
            id="inactive-with-a-job-is-not-stopped",
        ),
        pytest.param(
            evidence(down("activating", "auto-restart", n_restarts=3, last_run=0.2, result="exit-code", exec_status=1)),
            StateWord.LOOPING,
            "exit 1",
            id="crash-loop",
        ),
        pytest.param(
            evidence(down(job=START, n_restarts=12, last_run=0.2)), StateWord.LOOPING, "12 restarts", id="loop-queued"
        ),
        pytest.param(
            evidence(down("activating", "auto-restart", n_restarts=12, last_run=4000.0)),
            StateWord.STARTING,
            "started again",
            id="many-reboots-are-no-loop",
        ),
        pytest.param(
            evidence(HYPERVISOR._replace(n_restarts=5), restarting=True, hypervisor=QEMU),
            StateWord.LOOPING,
            "5 restarts",
            id="loop-seen-over-several-looks",
        ),
        pytest.param(
            evidence(down(job=START), DAEMONS._replace(active_state="activating", sub_state="start")),
            StateWord.STARTING,
            "waits for microvm-virtiofsd@web.service",
            id="waits-for-virtiofsd",
        ),
        pytest.param(
            evidence(
                down(job=START),
                DAEMONS._replace(active_state="activating", sub_state="start"),
                shares=(share(ShareHealth.OFF, source=GONE),),
            ),
            StateWord.STARTING,
            '"home": /srv/home does not exist',
            id="waits-for-virtiofsd-and-says-why",
        ),
        pytest.param(
            evidence(
                down(),
                DAEMONS._replace(active_state="activating", sub_state="auto-restart"),
                shares=(share(ShareHealth.OFF, source=GONE),),
            ),
            StateWord.FAILED,
            "/srv/home does not exist",
            id="dependency-failed-leaves-it-inactive",
        ),
        pytest.param(evidence(down("deactivating", "stop")), StateWord.STOPPING, "is being stopped", id="deactivating"),
        pytest.param(
            evidence(down(), DAEMONS._replace(active_state="deactivating", sub_state="stop-sigterm")),
            StateWord.STOPPING,
            "microvm-virtiofsd@web.service still stops",
            id="virtiofsd-still-stops",
        ),
        pytest.param(
            evidence(down("failed", "failed", result="timeout")), StateWord.FAILED, "timeout", id="failed-timeout"
        ),
        pytest.param(
            evidence(
                down("failed", "failed", result="exit-code"),
                unit("microvm-set-booted@web.service", "failed", since=EPOCH + timedelta(hours=1)),
            ),
            StateWord.FAILED,
            "microvm-set-booted@web.service can't start",
            id="an-old-failure-hides-no-newer-one",
        ),
        pytest.param(
            evidence(
                down("failed", "failed", result="timeout", since=EPOCH + timedelta(hours=1)),
                unit("microvm-set-booted@web.service", "failed"),
            ),
            StateWord.FAILED,
            "microvm@web.service failed: timeout",
            id="nor-the-other-way-round",
        ),
        pytest.param(evidence(down()), StateWord.STOPPED, "not started", id="inactive"),
        pytest.param(evidence(), StateWord.STOPPED, "not started", id="unit-not-loaded"),
        pytest.param(
            evidence(down(condition_failed=True)), StateWord.STOPPED, "skipped", id="no-current-condition-failed"
        ),
        pytest.param(
            evidence(entry=ENTRY._replace(current=None, flake="git+file:///x")),
            StateWord.STOPPED,
            "nothing to start",
            id="no-current",
        ),
        pytest.param(
            evidence(down(), hypervisor=QEMU),
            StateWord.RUNNING,
            "outside microvm@web.service",
            id="started-by-hand",
        ),
        pytest.param(
            evidence(HYPERVISOR, hypervisor=QEMU._replace(frozen=True)),
            StateWord.DEGRADED,
            "kill -CONT 100",
            id="frozen",
        ),
        pytest.param(
            evidence(hypervisor=QEMU._replace(frozen=True)), StateWord.DEGRADED, "kill -CONT 100", id="frozen-by-hand"
        ),
        pytest.param(
            evidence(entry=ENTRY._replace(dangling=("current",))), StateWord.ORPHAN, "does not exist", id="dangling"
        ),
        pytest.param(
            evidence(HYPERVISOR, entry=ENTRY._replace(dangling=("current",)), hypervisor=QEMU),
            StateWord.RUNNING,
            "is active",
            id="dangling-but-runs",
        ),
        pytest.param(
            evidence(HYPERVISOR, entry=None, hypervisor=QEMU), StateWord.ORPHAN, "no directory", id="process-orphan"
        ),
        pytest.param(evidence(HYPERVISOR, entry=None), StateWord.ORPHAN, "no directory", id="unit-orphan"),
        pytest.param(evidence(units_known=False), StateWord.UNKNOWN, "can't be asked", id="no-answer-no-process"),
        pytest.param(
            evidence(units_known=False, hypervisor=QEMU), StateWord.RUNNING, "can't be asked", id="no-answer-but-lives"
        ),
        pytest.param(
            evidence(manager="direct", entry=ENTRY._replace(current=None, problems=("no rights",))),
            StateWord.UNKNOWN,
            "can't be read",
            id="unreadable-directory",
        ),
        pytest.param(
            evidence(HYPERVISOR, entry=ENTRY._replace(current=None, problems=("no rights",))),
            StateWord.RUNNING,
            "is active",
            id="unreadable-directory-but-systemd-knows",
        ),
    ],
)
def test_state(seen: Evidence, word: StateWord, why: str) -> None:
    state = derive(seen)
    assert (state.word, why in state.why) == (word, True), state


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"result": "exit-code", "exec_status": 1}, "exit 1"),
        ({"result": "exit-code", "exec_status": 0}, "its start or stop script failed"),
        ({"result": "signal", "exec_status": 9, "exec_by_signal": True}, "signal 9"),
        ({"result": "oom-kill", "exec_status": 9, "exec_by_signal": True}, "oom"),
        ({"result": "timeout"}, "timeout"),
        ({"result": "start-limit-hit"}, "too many starts"),
        ({"result": "something-new"}, "something-new"),
    ],
)
def test_failed_says_the_result_in_words(changes: dict[str, object], detail: str) -> None:
    assert derive(evidence(down("failed", "failed", **changes))).detail == detail


def test_stopping_knows_when_it_is_killed() -> None:
    state = derive(evidence(down("deactivating", "stop", timeout_stop=150.0)))
    assert state.deadline == EPOCH + timedelta(seconds=150)


def test_stopping_without_a_time_out_has_no_deadline() -> None:
    assert derive(evidence(down("deactivating", "stop", timeout_stop=None))).deadline is None


@pytest.mark.parametrize(
    ("seen", "since"),
    [
        (evidence(HYPERVISOR._replace(since=EPOCH), entry=None), None),
        (evidence(HYPERVISOR._replace(since=EPOCH), entry=None, hypervisor=QEMU), None),
        (evidence(down("failed", "failed", since=EPOCH), entry=None), EPOCH),
    ],
)
def test_what_runs_is_no_orphan_since_its_start(seen: Evidence, since: datetime | None) -> None:
    assert derive(seen).since == since


def test_since_is_the_unit_s() -> None:
    assert derive(evidence(HYPERVISOR, hypervisor=QEMU)).since == EPOCH


def test_every_kind_of_unit_alone_never_raises() -> None:
    for kind in UnitKind:
        for active in ("active", "inactive", "failed", "activating", "deactivating", "reloading", "maintenance"):
            for job in (None, START, Job(1, "stop")):
                one = HYPERVISOR._replace(kind=kind, active_state=active, job=job)
                assert derive(evidence(one)).why
