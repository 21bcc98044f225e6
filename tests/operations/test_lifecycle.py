"""Jobs are awaited until all units have arrived, and told in words."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host import journal
from mvtui.host.ports import Host
from mvtui.model.unit import JobResult, UnitStatus, UnitVerb
from mvtui.operations import lifecycle
from tests.fakes import FakeProcesses, FakeUnits, fake_host, unit


@pytest.fixture
def host(tmp_path: Path) -> Host:
    units = FakeUnits({name: unit(name) for name in ("microvm@web.service", "microvm-virtiofsd@web.service")})
    return fake_host(tmp_path, units)


def units_of(host: Host) -> FakeUnits:
    assert isinstance(host.units, FakeUnits)
    return host.units


async def test_start(host: Host) -> None:
    outcome = await lifecycle.run(host, UnitVerb.START, "web")
    assert outcome.ok
    assert outcome.words.startswith("microvm@web.service: done (")
    assert units_of(host).jobs == [(UnitVerb.START, "microvm@web.service")]


async def test_a_job_that_failed_is_told_in_the_adapter_s_words(host: Host) -> None:
    words = "microvm@web.service: dependency microvm-virtiofsd@web.service failed"
    units_of(host).outcomes["microvm@web.service"] = JobResult("microvm@web.service", "dependency", words)
    outcome = await lifecycle.run(host, UnitVerb.START, "web")
    assert (outcome.ok, outcome.words, outcome.hint) == (False, words, "why: mvtui show web")


async def test_a_start_that_was_skipped_is_no_success(host: Host) -> None:
    units = units_of(host)
    units.units["microvm@web.service"] = unit("microvm@web.service")._replace(active_state="inactive")
    units.outcomes["microvm@web.service"] = JobResult("microvm@web.service", "done", "web: skipped, no current")
    outcome = await lifecycle.run(host, UnitVerb.START, "web")
    assert (outcome.ok, outcome.words) == (False, "web: skipped, no current")


@dataclass
class EndsAtOnce(FakeUnits):
    """A unit of Type=simple is active as soon as its program runs: one that lacks its image ends a moment later."""

    looks: int = 0

    async def statuses(self) -> Mapping[str, UnitStatus]:
        self.looks += 1
        up = unit("microvm@web.service")._replace(since=datetime.now(UTC))
        ended = up._replace(active_state="activating", sub_state="auto-restart", exec_status=1)
        return {"microvm@web.service": up if self.looks < 3 else ended}


@pytest.mark.parametrize("verb", [UnitVerb.START, UnitVerb.RESTART])
async def test_a_hypervisor_that_ends_at_once_was_not_started(tmp_path: Path, verb: UnitVerb) -> None:
    outcome = await lifecycle.run(fake_host(tmp_path, EndsAtOnce()), verb, "web")
    assert (outcome.ok, outcome.hint) == (False, "why: mvtui show web")
    assert outcome.words == "web: started, and ended at once: exit 1"


@dataclass
class SlowDaemons(FakeUnits):
    """After a stop the virtiofsd unit needs a few more looks, as the real one does."""

    looks_left: int = 3

    async def statuses(self) -> Mapping[str, UnitStatus]:
        if self.jobs:
            name = "microvm-virtiofsd@web.service"
            self.looks_left -= 1
            state = "deactivating" if self.looks_left > 0 else "inactive"
            self.units[name] = self.units[name]._replace(active_state=state)
        return await FakeUnits.statuses(self)


async def test_stop_waits_for_all_units(tmp_path: Path) -> None:
    names = ("microvm@web.service", "microvm-virtiofsd@web.service")
    units = SlowDaemons({name: unit(name) for name in names})
    host = Host("hv01", units, FakeProcesses(), tmp_path)
    seen: list[tuple[str, ...]] = []
    outcome = await lifecycle.run(
        host, UnitVerb.STOP, "web", lambda units: seen.append(tuple(each.active_state for each in units))
    )
    assert outcome.ok
    assert units.looks_left <= 0
    assert any("deactivating" in states for states in seen), "progress shows each unit"


async def test_a_unit_that_never_arrives_is_named(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "SETTLE_SECONDS", 0.0)
    name = "microvm-virtiofsd@web.service"
    units_of(host).units[name] = unit(name)._replace(active_state="deactivating")
    outcome = await lifecycle.run(host, UnitVerb.STOP, "web")
    assert not outcome.ok
    assert name in outcome.words


async def test_what_restarts_for_ever_is_not_waited_for(host: Host) -> None:
    name = "microvm@web.service"
    units_of(host).outcomes[name] = JobResult(name, "done", "web: started")
    ended = unit(name)._replace(active_state="activating", sub_state="auto-restart")
    units_of(host).units[name] = ended._replace(result="exit-code", exec_status=1)
    async with asyncio.timeout(5):
        outcome = await lifecycle.run(host, UnitVerb.START, "web")
    assert (outcome.ok, outcome.words) == (False, "web: started, and ended at once: exit 1")


@pytest.mark.parametrize("error", [RightsMissingError("not allowed", "use sudo"), MvtuiError("no bus")])
async def test_refusals_are_raised(host: Host, error: MvtuiError) -> None:
    units_of(host).refusal = error
    with pytest.raises(type(error)) as raised:
        await lifecycle.run(host, UnitVerb.STOP, "web")
    assert raised.value is error


@pytest.mark.parametrize("name", ["", ".", "..", "../etc", "a/b", "a\0b", ".hidden"])
async def test_what_is_no_name_is_refused_before_anything_happens(host: Host, name: str) -> None:
    with pytest.raises(MvtuiError, match="is no name of a microVM"):
        await lifecycle.run(host, UnitVerb.STOP, name)
    assert units_of(host).jobs == []


@pytest.fixture
def journalled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    entries: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(journal, "record", lambda message, **fields: entries.append((message, fields)))
    return entries


async def test_cancel_is_told_to_the_journal(host: Host, journalled: list[tuple[str, dict[str, str]]]) -> None:
    words = await lifecycle.cancel(host, "web")
    assert words == "start of web is cancelled"
    assert units_of(host).cancelled == ["web"]
    ((message, fields),) = journalled
    assert message == "cancel web: start of web is cancelled"
    assert (fields["MVTUI_COMMAND"], fields["MVTUI_MICROVM"], fields["MVTUI_RESULT"]) == ("cancel", "web", words)


async def test_cancel_that_is_refused_is_told_too(host: Host, journalled: list[tuple[str, dict[str, str]]]) -> None:
    units_of(host).refusal = RightsMissingError("not allowed", "use sudo")
    with pytest.raises(RightsMissingError):
        await lifecycle.cancel(host, "web")
    assert [message for message, _ in journalled] == ["cancel web: not allowed"]


async def test_cancel_of_what_is_no_name(host: Host, journalled: list[tuple[str, dict[str, str]]]) -> None:
    with pytest.raises(MvtuiError, match="is no name of a microVM"):
        await lifecycle.cancel(host, "../etc")
    assert not units_of(host).cancelled
    assert not journalled


async def test_what_was_cancelled_is_not_waited_for(host: Host) -> None:
    name = "microvm@web.service"
    units_of(host).outcomes[name] = JobResult(name, "canceled", f"{name}: cancelled")
    units_of(host).units[name] = unit(name)._replace(active_state="activating")
    async with asyncio.timeout(5):
        outcome = await lifecycle.run(host, UnitVerb.START, "web")
    assert (outcome.ok, outcome.words) == (False, f"{name}: cancelled")


def test_sudo_runs_this_very_program_on_this_very_host(host: Host) -> None:
    argv = lifecycle.sudo_argv(host, UnitVerb.STOP, "-web")
    assert argv[-3:] == ["systemd", "--", "-web"]
    assert str(host.state_dir) in argv
    assert "-P" in argv or argv[0].endswith("/mvtui")
