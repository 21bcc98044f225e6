"""A whole look with what the last one left, as the panel takes them, beside a refresh of htop that shows the same
processes. All in CPU time."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from mvtui.host.direct import DirectUnits
from mvtui.host.ports import Host, Processes
from mvtui.host.runner import read_runner
from mvtui.host.shell_script import read_exec
from mvtui.model.microvm import Snapshot
from mvtui.model.process import ProcessSample
from mvtui.model.state import StateWord
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.bench.bench_processes import cpu_seconds, htop_refresh, settled
from tests.bench.sample_host import build
from tests.bench.scoreboard import score

ROUNDS = 15
# The hypervisor, supervisord, and a virtiofsd for each of the two shares.
PROCESSES_EACH = 4
# Shells that wait for what nobody writes, one for each line: a directory, what it is called, and words of no use to it.
SPAWNER = """
import ctypes, json, os, signal, sys
def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
die_with_parent()
silence, _ = os.pipe()
for directory, name, *words in json.load(sys.stdin):
    if os.fork() == 0:
        die_with_parent()
        os.dup2(silence, 0)
        os.chdir(directory)
        os.execv("/bin/sh", [name, "-c", "read line", *words])
print("spawned", flush=True)
signal.pause()
"""


def command_lines(directory: Path) -> list[tuple[str, ...]]:
    """What runs of the microVM in `directory`, as its runner starts it."""
    runner = directory / "current"
    definition = read_runner(str(runner)).definition
    assert definition is not None
    daemons = [("virtiofsd", f"--socket-path={one.socket}", f"--shared-dir={one.source}") for one in definition.shares]
    return [read_exec((runner / "bin/microvm-run").read_text()).argv, ("supervisord",), *daemons]


@contextmanager
def running(states: Path) -> Iterator[None]:
    """All microVMs of a state directory run, as far as their processes tell."""
    commands = []
    for directory in sorted(states.iterdir()):
        (directory / "booted").symlink_to((directory / "current").readlink())
        commands += [(str(directory), *words) for words in command_lines(directory)]
    with subprocess.Popen(
        [sys.executable, "-c", SPAWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as spawner:
        try:
            assert spawner.stdin is not None
            assert spawner.stdout is not None
            json.dump(commands, spawner.stdin)
            spawner.stdin.close()
            assert spawner.stdout.readline()
            yield
        finally:
            spawner.send_signal(signal.SIGKILL)


class Busy:
    """The processes of a host at work: at each look, every one has used the CPU."""

    def __init__(self, processes: Processes) -> None:
        seen = processes.sample()
        self._looks = cycle(
            [{pid: sample._replace(cpu_percent=percent) for pid, sample in seen.items()} for percent in (1.0, 2.0)]
        )

    def sample(self, *, slow: bool = False) -> Mapping[int, ProcessSample]:
        return next(self._looks)

    def close(self) -> None:
        return


@pytest.mark.parametrize("count", [25, 250, 1000])
def test_refresh(benchmark: BenchmarkFixture, tmp_path: Path, count: int) -> None:
    states = build(tmp_path, count)
    loop = asyncio.new_event_loop()
    with running(states), closing(loop):
        processes = settled(states, count * PROCESSES_EACH)
        host = Host("bench", DirectUnits(states), processes, states)
        at_work = Host(host.name, host.units, Busy(processes), states)
        kept = Kept(host, inline=False)

        def look(host: Host = host) -> Snapshot:
            return loop.run_until_complete(take_snapshot(host, kept, slow=False))

        look()
        kept.renew()
        assert {microvm.state.word for microvm in look().microvms} == {StateWord.RUNNING}
        idle = median(cpu_seconds(look) for _ in range(ROUNDS))
        combining = median(cpu_seconds(partial(look, at_work)) for _ in range(ROUNDS))
        benchmark.pedantic(look, rounds=ROUNDS)  # type: ignore[no-untyped-call]
        sampling = median(cpu_seconds(processes.sample) for _ in range(ROUNDS))
        processes.close()
        htop = htop_refresh()
    if htop is not None:
        of = f"a refresh of {count} microVMs, {count * PROCESSES_EACH} processes"
        words = f"against {htop * 1e3:.1f} ms; sampling {sampling * 1e3:.1f} ms"
        score(f"{of}: against htop", idle / htop, 1, words=f"{idle * 1e3:.1f} ms {words}")
        busy = combining + sampling
        score(f"{of}, all at work: against htop", busy / htop, 1, words=f"{busy * 1e3:.1f} ms {words}")
