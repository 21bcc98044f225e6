"""The reset that is armed, where no systemd runs it: by the keeper, before the hypervisor."""

import asyncio
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.armed import new_arming, read_arming, write_arming
from mvtui.host.direct import DirectUnits
from mvtui.host.keeper_process import all_processes, command_line
from mvtui.host.own_program import root_decides
from mvtui.model.overlay import Armed
from mvtui.model.unit import JobResult, UnitKind, UnitVerb
from tests.host.direct_host import QUICK, DirectHost, log, unit_until, until

START, STOP = UnitVerb.START, UnitVerb.STOP
RUNS = 'echo hypervisor; exec -a "microvm@web" sleep 1000'


def named(word: str) -> list[int]:
    """The processes of that argv[0]."""
    return [each.pid for each in all_processes() if command_line(each.pid)[:1] == [word]]


@dataclass
class Armable:
    """A direct host whose mvtui is a script that tests write."""

    host: DirectHost
    timings = QUICK._replace(armed_reset=5.0)

    @property
    def records(self) -> Path:
        return self.host.folder / "records"

    @property
    def mvtui(self) -> Path:
        return self.host.folder / "mvtui"

    def write(self, script: str) -> None:
        self.mvtui.write_text(f"#!/bin/bash\n{script}\n")
        self.mvtui.chmod(0o755)

    def arm(self, *, strict: bool = False) -> None:
        write_arming(self.records, "web", new_arming(Armed.ALWAYS, strict=strict))

    async def run(self, verb: UnitVerb) -> JobResult:
        units = DirectUnits(Path("/vms"), root=self.host.folder, timings=self.timings, records=self.records)
        return await units.run_job(verb, "microvm@web.service")

    async def hypervisor_runs(self) -> None:
        await until(lambda: "hypervisor" in log(self.host), "it says so")


@pytest.fixture
def armable(host: DirectHost, monkeypatch: pytest.MonkeyPatch) -> Armable:
    made = Armable(host)
    monkeypatch.setattr("mvtui.host.own_program.lasting_argv", lambda: [str(made.mvtui)])
    if not root_decides(sys.executable):
        pytest.skip(f"others than root can change {sys.executable}")
    host.add(scripts={"microvm-run": RUNS})
    made.write('[ "$2" = --free ] || echo "reset: $*: $INVOCATION_ID"')
    return made


async def test_before_the_hypervisor(armable: Armable) -> None:
    armable.arm()
    assert (await armable.run(START)).ok
    await armable.hypervisor_runs()
    reset, hypervisor = log(armable.host).splitlines()
    words = "reset --if-armed --manager direct --state-dir /vms -- web"
    assert re.fullmatch(f"reset: {words}: [0-9a-f]{{32}}", reset), reset
    assert hypervisor == "hypervisor"
    await armable.run(STOP)


async def test_what_frees_old_overlays_outlives_the_microvm(armable: Armable) -> None:
    """Once at a time, whatever the microVM does; it is in nobody's way."""
    word = f"freeing-{os.getpid()}"
    armable.arm()
    armable.write(f'if [ "$2" = --free ]; then echo "frees in $PWD"; exec -a {word} sleep 1000; fi; echo reset')
    await armable.run(START)
    await until(lambda: named(word), "it frees")
    (freeing,) = named(word)
    try:
        os.kill(await armable.host.main_pid(), signal.SIGKILL)
        await unit_until(armable.host, UnitKind.HYPERVISOR, "it comes back", "running", 1)
        assert (await armable.run(STOP)).ok
        assert sorted(line for line in log(armable.host).splitlines() if line != "hypervisor") == [
            "frees in /",
            "reset",
            "reset",
        ]
        assert (armable.host.working(), armable.host.keepers()) == ([], [])
        assert named(word) == [freeing]
    finally:
        os.kill(freeing, signal.SIGKILL)


async def test_what_is_not_armed_runs_nothing(armable: Armable) -> None:
    assert (await armable.run(START)).ok
    await armable.hypervisor_runs()
    assert log(armable.host) == "hypervisor\n"
    await armable.run(STOP)


async def test_armed_while_it_runs_and_again_at_every_restart(armable: Armable) -> None:
    await armable.run(START)
    armable.arm()
    for restarts in (1, 2):
        os.kill(await armable.host.main_pid(), signal.SIGKILL)
        await unit_until(armable.host, UnitKind.HYPERVISOR, "it comes back", "running", restarts)
    invocations = re.findall("web: ([0-9a-f]{32})", log(armable.host))
    assert len(set(invocations)) == len(invocations) == 2
    await armable.run(STOP)


async def test_strict_keeps_it_from_starting(armable: Armable) -> None:
    armable.arm(strict=True)
    armable.write('echo "web: no reset: qemu has it open" >&2; exit 3')
    started = await armable.run(START)
    assert (started.result, started.ok) == ("failed", False)
    assert started.words == "web: failed: its armed reset: web: no reset: qemu has it open"
    assert "hypervisor" not in log(armable.host)
    assert armable.host.working() == []
    unit = await armable.host.unit()
    assert unit is not None
    assert (unit.active_state, unit.result) == ("failed", "exit-code")
    await armable.run(STOP)


TROUBLE = {
    "signal": "kill -SEGV $$",
    "odd exit": "exit 64",
    "hangs": "sleep 1000 & wait",
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("trouble", [*TROUBLE, "gone"])
async def test_one_that_can_not_be_run(armable: Armable, trouble: str, *, strict: bool) -> None:
    armable.arm(strict=strict)
    armable.timings = QUICK._replace(armed_reset=0.3)
    if trouble == "gone":
        armable.mvtui.unlink()
    else:
        armable.write(TROUBLE[trouble])
    started = await armable.run(START)
    arming = read_arming(armable.records, "web")
    assert arming is not None
    said = {
        "signal": f"{armable.mvtui} ended with signal 11",
        "odd exit": f"{armable.mvtui} ended with exit 64",
        "hangs": "it is not done after 0.3 s",
        "gone": f"{armable.mvtui} is gone",
    }[trouble]
    assert arming.refused == said
    assert arming.refused_at is not None
    assert f"mvtui: no reset: {said}" in log(armable.host)
    assert started.ok is not strict
    assert (said in started.words) is strict
    await armable.run(STOP)
    assert armable.host.working() == []


async def test_a_stop_does_not_wait_for_it(armable: Armable) -> None:
    armable.arm()
    armable.timings = QUICK._replace(armed_reset=1000.0)
    armable.write("echo works; sleep 1000")
    start = asyncio.create_task(armable.run(START))
    await until(lambda: "works" in log(armable.host), "it works")
    unit = await armable.host.unit()
    assert unit is not None
    assert (unit.active_state, unit.sub_state) == ("activating", "start-pre")
    assert (await armable.run(STOP)).ok
    started = await start
    assert (started.result, started.words) == ("canceled", "web: canceled: stopped before its overlay was reset")
    assert armable.host.working() == []


async def test_a_program_that_others_can_change_is_not_run(armable: Armable, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[str]:
        raise MvtuiError("others than root can change it")

    monkeypatch.setattr("mvtui.host.own_program.lasting_argv", refuse)
    armable.arm()
    assert (await armable.run(START)).ok
    await armable.hypervisor_runs()
    assert log(armable.host) == "hypervisor\n"
    await armable.run(STOP)
