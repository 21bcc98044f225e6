"""What has changed between two looks, and that nothing has where only numbers and times did."""

from datetime import timedelta

from mvtui.model.changes import Change, ChangeKind, changes
from mvtui.model.finding import NO_UNITS, Finding, Severity
from mvtui.model.guest import Console, GuestStage, GuestStatus
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import State, StateWord
from mvtui.model.unit import Job
from tests.fakes import EPOCH, process, unit

RUNS = State(StateWord.RUNNING, None, "it runs")
DOWN = Finding(Severity.ERROR, "share home", "fsd home", "Share home is down.", "It ended.", "R")
FULL = Finding(Severity.WARNING, "volume rw.img", "ov full", "The overlay is 91% full.")
SILENT = Finding(Severity.ERROR, "systemd", NO_UNITS, "systemd does not answer.")


def web(state: State = RUNS, *found: Finding) -> MicroVM:
    return MicroVM("web", "/vms/web", state, findings=found)


def host(*microvms: MicroVM, found: tuple[Finding, ...] = ()) -> Snapshot:
    return Snapshot("hv01", "/vms", "systemd", microvms, findings=found)


def between(before: MicroVM, after: MicroVM) -> list[Change]:
    return list(changes(host(before), host(after)))


def kinds(found: list[Change]) -> list[str]:
    return [str(one.kind) for one in found]


def test_another_state_is_told_with_the_one_before() -> None:
    down = State(StateWord.DEGRADED, EPOCH, "Share home is down.")
    assert between(web(), web(down)) == [Change(ChangeKind.STATE, "web", down, StateWord.RUNNING)]


def test_times_and_numbers_are_no_change() -> None:
    later = RUNS._replace(since=EPOCH, why="it runs, and 2 shares are served")
    fuller = FULL._replace(what="The overlay is 92% full.", since=EPOCH)
    assert between(web(RUNS, FULL), web(later, fuller)) == []


def test_another_cause_is_a_change_where_something_is_wrong() -> None:
    one, other = (State(StateWord.DEGRADED, None, why) for why in ("home is down", "docs is down"))
    assert kinds(between(web(one), web(other))) == ["state"]
    assert between(web(one), web(one._replace(since=EPOCH))) == []


def test_a_loop_is_told_fewer_and_fewer_times() -> None:
    told = [count for count in range(1, 40) if between(web(_loop(count - 1)), web(_loop(count)))]
    assert told == [1, 2, 3, 4, 8, 16, 32]
    assert kinds(between(web(_loop(5)), web(_loop(9)))) == ["state"]  # 8 was between the looks


def _loop(restarts: int) -> State:
    return State(StateWord.LOOPING, None, f"{restarts} restarts", restarts=restarts)


def test_findings_come_go_and_become_worse() -> None:
    assert between(web(), web(RUNS, DOWN, FULL)) == [
        Change(ChangeKind.FINDING, "web", finding=DOWN),
        Change(ChangeKind.FINDING, "web", finding=FULL),
    ]
    assert between(web(RUNS, DOWN), web()) == [Change(ChangeKind.MENDED, "web", finding=DOWN)]
    worse = FULL._replace(severity=Severity.ERROR)
    assert between(web(RUNS, FULL), web(RUNS, worse)) == [Change(ChangeKind.FINDING, "web", finding=worse)]


def test_jobs_begin_and_end() -> None:
    name = "microvm@web.service"
    job = Job(7, "restart", "waiting")
    idle, queued = (web()._replace(units=(unit(name)._replace(job=each),)) for each in (None, job))
    assert between(idle, queued) == [Change(ChangeKind.JOB, "web", RUNS, unit=name, job=job)]
    runs = web()._replace(units=(unit(name)._replace(job=job._replace(state="running")),))
    assert between(queued, runs) == []
    assert between(runs, idle) == [
        Change(ChangeKind.JOB_ENDED, "web", RUNS, unit=name, job=job._replace(state="running"))
    ]
    another = web()._replace(units=(unit(name)._replace(job=Job(8, "restart")),))
    assert kinds(between(runs, another)) == ["job", "job ended"]


def test_a_restart_between_two_looks_is_told() -> None:
    one = web()._replace(hypervisor=process(100, "web"))
    other = web()._replace(hypervisor=process(101, "web"))
    assert kinds(between(one, other)) == ["restarted"]
    reused = web()._replace(hypervisor=process(100, "web")._replace(started=EPOCH + timedelta(seconds=1)))
    assert kinds(between(one, reused)) == ["restarted"]
    assert between(one, web()) == []  # that it can't be seen is no restart


def test_how_far_a_guest_has_come() -> None:
    def guest(stage: GuestStage) -> MicroVM:
        return web()._replace(guest=GuestStatus(console=Console(stage)))

    booting, up = guest(GuestStage.BOOTING), guest(GuestStage.UP)
    assert between(booting, up) == [Change(ChangeKind.GUEST, "web", RUNS, why="The guest has booted.")]
    assert between(up, guest(GuestStage.UNKNOWN)) == []
    assert between(up, guest(GuestStage.EMERGENCY)) == []  # its state and its finding say so


def test_microvms_come_and_go_by_name() -> None:
    git = web()._replace(name="git", findings=(FULL,))
    found = list(changes(host(web()), host(git)))
    assert [(str(one.kind), one.microvm) for one in found] == [("new", "git"), ("finding", "git"), ("gone", "web")]


def test_the_host_falls_silent_and_answers() -> None:
    silent = list(changes(host(web()), host(web(), found=(SILENT,))))
    assert kinds(silent) == ["silent"]
    assert silent[0].why == "systemd does not answer."
    assert list(changes(host(found=(SILENT,)), host(found=(SILENT,)))) == []
    assert kinds(list(changes(host(found=(SILENT,)), host()))) == ["answers"]
    assert kinds(list(changes(host(), host(found=(FULL,))))) == ["finding"]
