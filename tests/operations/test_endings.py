"""Since when what ended has ended, by a log that is asked once."""

import sys
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mvtui.host.ports import End, Host
from mvtui.model.definition import Definition
from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.operations.endings import RETRY_SECONDS, Endings
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.fakes import EPOCH, process, unit
from tests.operations.sample import WEB, build_web, processes_of, run_web, units_of

DIED = EPOCH + timedelta(hours=1)


@dataclass
class FakeLog:
    """`known` is what it tells; `asked` is every call."""

    known: dict[tuple[str, str | None], datetime] = field(default_factory=dict)
    asked: list[set[End]] = field(default_factory=list)

    def read(self, ends: Collection[End]) -> Mapping[End, datetime]:
        self.asked.append(set(ends))
        return {end: self.known[end.microvm, end.share] for end in ends if (end.microvm, end.share) in self.known}


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def web(tmp_path: Path, log: FakeLog) -> Host:
    return with_log(build_web(tmp_path), log)


def with_log(host: Host, log: FakeLog) -> Host:
    return Host(host.name, host.units, host.processes, host.state_dir, end_times=log)


async def look(host: Host, kept: Kept | None = None) -> MicroVM:
    (microvm,) = (await take_snapshot(host, kept)).microvms
    return microvm


async def test_one_look_dates_a_share_that_is_down(web: Host, log: FakeLog) -> None:
    run_web(web, daemons=0)
    log.known["web", "ro-store"] = DIED
    microvm = await look(web)
    assert (microvm.state.word, microvm.state.since) == (StateWord.DEGRADED, DIED)
    assert (microvm.shares[0].since, microvm.shares[1].since) == (DIED, None)
    assert microvm.findings[0].since == DIED
    assert log.asked == [{End("web", "ro-store", EPOCH)}]


async def test_one_look_dates_a_stop(web: Host, log: FakeLog) -> None:
    log.known["web", None] = DIED
    microvm = await look(web)
    assert (microvm.state.word, microvm.state.since) == (StateWord.STOPPED, DIED)
    assert log.asked == [{End("web")}]


async def test_what_was_never_started_has_no_date(web: Host) -> None:
    assert (await look(web)).state.since is None


async def test_nothing_is_asked_where_nothing_lacks_a_date(web: Host, log: FakeLog) -> None:
    run_web(web)
    assert (await look(web)).state.word is StateWord.RUNNING
    units_of(web).units["microvm@web.service"] = unit("microvm@web.service", "inactive", "dead")
    processes_of(web).living = {}
    assert (await look(web)).state.since == EPOCH
    assert log.asked == []


async def test_all_are_asked_for_at_once(web: Host, log: FakeLog) -> None:
    for name in ("git", "lab"):
        (web.state_dir / name).mkdir()
        (web.state_dir / name / "current").symlink_to((web.state_dir / "web" / "current").readlink())
    run_web(web, daemons=0)
    await take_snapshot(web)
    assert log.asked == [{End("git"), End("lab"), End("web", "ro-store", EPOCH)}]


async def test_only_what_ended_in_this_run_counts(web: Host, log: FakeLog) -> None:
    run_web(web, daemons=0)
    later = EPOCH + timedelta(minutes=5)
    units = units_of(web).units
    units["microvm-virtiofsd@web.service"] = unit("microvm-virtiofsd@web.service", since=later)
    await look(web)
    units["microvm-virtiofsd@web.service"] = unit("microvm-virtiofsd@web.service", "activating", "start", since=later)
    await look(web)
    assert log.asked == [{End("web", "ro-store", later)}, {End("web", "ro-store", EPOCH)}]


async def test_a_frozen_hypervisor_is_not_dated_by_its_shares(web: Host, log: FakeLog) -> None:
    run_web(web, daemons=0)
    living = processes_of(web).living
    living[100] = living[100]._replace(frozen=True)
    assert (await look(web)).state.since is None
    assert log.asked == []


async def test_a_frozen_daemon_has_not_ended(web: Host, log: FakeLog) -> None:
    run_web(web)
    living = processes_of(web).living
    living[90] = living[90]._replace(frozen=True)
    assert (await look(web)).state.since is None
    assert log.asked == []


async def test_the_first_of_several_dates_the_state_and_each_its_finding(tmp_path: Path, log: FakeLog) -> None:
    web = with_log(build_web(tmp_path, two_shares()), log)
    run_web(web, daemons=0)
    hypervisor = processes_of(web).living[100]
    more = "-chardev socket,id=fs2,path=web-virtiofs-home.sock -device vhost-user-fs-pci,chardev=fs2,tag=home"
    processes_of(web).living[100] = hypervisor._replace(argv=(*hypervisor.argv, *more.split()))
    log.known["web", "home"] = DIED
    microvm = await look(web)
    assert microvm.state.since is None, "nobody knows about the other"
    assert {share.share.tag: share.since for share in microvm.shares} == {"ro-store": None, "docs": None, "home": DIED}
    assert {finding.note: finding.since for finding in microvm.findings[:2]} == {"fsd home": DIED, "fsd ro-store": None}

    log.known["web", "ro-store"] = DIED + timedelta(hours=1)
    assert (await look(web)).state.since == DIED


def two_shares() -> Definition:
    return WEB._replace(shares=(*WEB.shares, WEB.shares[0]._replace(tag="home", source="home", mount_point="/home")))


async def test_the_panel_asks_in_its_slow_lane_and_once(web: Host, log: FakeLog) -> None:
    run_web(web, daemons=0)
    log.known["web", "ro-store"] = DIED
    kept = Kept(web, inline=False)
    assert (await look(web, kept)).state.since is None
    assert kept.missing
    assert log.asked == []
    kept.renew()
    assert (await look(web, kept)).state.since == DIED
    for _ in range(3):
        kept.renew()
        assert (await look(web, kept)).state.since == DIED
    assert len(log.asked) == 1


async def test_what_the_panel_saw_itself_is_not_asked_for(web: Host, log: FakeLog) -> None:
    run_web(web)
    kept = Kept(web, inline=False)
    await look(web, kept)
    processes_of(web).living = {100: processes_of(web).living[100]}
    microvm = await look(web, kept)
    assert microvm.state.word is StateWord.DEGRADED
    assert microvm.state.since is not None
    assert microvm.findings[0].since == microvm.state.since
    kept.renew()
    assert log.asked == []


async def test_another_stop_is_asked_for_anew(web: Host, log: FakeLog) -> None:
    log.known["web", None] = DIED
    kept = Kept(web)
    assert (await look(web, kept)).state.since == DIED
    run_web(web)
    assert (await look(web, kept)).state.since == EPOCH
    units_of(web).units.clear()
    processes_of(web).living = {}
    log.known["web", None] = DIED + timedelta(days=1)
    assert (await look(web, kept)).state.since == DIED + timedelta(days=1)
    assert len(log.asked) == 2


def test_what_was_not_known_is_asked_for_again_much_later(log: FakeLog) -> None:
    clock = [0.0]
    endings = Endings(log, monotonic=lambda: clock[0])
    ends = (End("web"),)
    for _ in range(3):
        assert endings.ask("web", ends) == {}
        endings.renew()
        assert not endings.missing
    assert len(log.asked) == 1
    log.known["web", None] = DIED
    clock[0] = RETRY_SECONDS
    endings.renew()
    assert endings.ask("web", ends) == {ends[0]: DIED}
    clock[0] = 3 * RETRY_SECONDS
    endings.renew()
    assert len(log.asked) == 2, "what is known stays"


def test_what_is_gone_is_forgotten(log: FakeLog) -> None:
    log.known["web", None] = DIED
    endings = Endings(log)
    endings.ask("web", (End("web"),))
    endings.renew()
    endings.ask("git", (End("git"),))
    assert endings.told("web")
    endings.forget_all_but(["lab"])
    assert endings.told("web") is None
    assert not endings.missing


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("impatient_threads")
def test_looks_go_on_while_the_log_is_asked(log: FakeLog) -> None:
    endings = Endings(log)
    names = [f"web{number}" for number in range(200)]

    def looks() -> None:
        for number in range(200):
            for name in names:
                endings.ask(name, (End(name, str(number % 2)),))
            endings.forget_all_but(names[number % 3 :: 2])

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(looks)
        while not looking.done():
            endings.renew()
        looking.result()


def test_without_a_log_nothing_is_missing() -> None:
    endings = Endings(None)
    assert endings.ask("web", (End("web"),)) == {}
    assert not endings.missing
    endings.renew()


async def test_the_keeper_dates_a_share_by_itself(web: Host, log: FakeLog) -> None:
    run_web(web, daemons=0)
    units = units_of(web).units
    daemons = units["microvm-virtiofsd@web.service"]
    units[daemons.name] = daemons._replace(daemon_ends=(("ro-store", DIED), ("docs", DIED)))
    microvm = await look(web)
    assert microvm.state.since == DIED
    assert [share.since for share in microvm.shares] == [DIED, None]
    assert log.asked == []


async def test_a_daemon_that_ended_before_the_hypervisor_came_was_not_its(web: Host) -> None:
    run_web(web, daemons=0)
    processes_of(web).living[100] = process(100, "web")._replace(started=DIED, argv=processes_of(web).living[100].argv)
    units = units_of(web).units
    daemons = units["microvm-virtiofsd@web.service"]
    units[daemons.name] = daemons._replace(daemon_ends=(("ro-store", DIED - timedelta(seconds=1)),))
    assert (await look(web)).state.since is None
