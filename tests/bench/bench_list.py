"""`mvtui list` against `microvm -l` without its Nix evaluation, as whole processes.

Both run where a real systemd answers `systemctl is-active`: one in namespaces of its own. Where none can be started,
`systemctl` fails at once, which is to the peer's advantage, and mvtui is measured without systemd alone.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench.scoreboard import score
from tests.real.nested import nested_systemd
from tests.real.packages import UnavailableError

PEER = Path(__file__).with_name("microvm_list.sh")
MVTUI = ["-c", "from mvtui.cli import main; raise SystemExit(main())", "list"]
BUILD = """
import sys
from pathlib import Path
from tests.bench.sample_host import build
print(build(Path(sys.argv[1]), int(sys.argv[2])))
"""
# The median time of a whole process, its output thrown away; and its CPU time with that of all that it started.
TIMER = """
import os, statistics, subprocess, sys, time
def seconds():
    began = time.perf_counter()
    process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usage = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime
print(*map(statistics.median, zip(*(seconds() for _ in range(int(sys.argv[1]))))))
"""


@dataclass(frozen=True)
class Place:
    """Where everything runs: `run` gives what Python prints there with its arguments."""

    run: Callable[..., str]
    folder: str
    managers: tuple[str, ...]

    def seconds(self, runs: int, *argv: str) -> tuple[float, float]:
        """As a person waits, and of CPU."""
        waited, cpu = self.run("-c", TIMER, str(runs), *argv).split()
        return float(waited), float(cpu)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        try:
            nested = stack.enter_context(nested_systemd({"/srv/bench": "bench"}))
        except UnavailableError:
            folder = str(tmp_path_factory.mktemp("list"))

            def outside(*argv: str) -> str:
                command = [sys.executable, *argv]
                return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

            yield Place(outside, folder, ("direct",))
            return

        # The checkout is read-only there: what is compiled has to go elsewhere.
        environment = {"PYTHONPATH": str(PEER.parents[2]), "PYTHONPYCACHEPREFIX": "/srv/bench/compiled"}

        def inside(*argv: str) -> str:
            return nested.run(sys.executable, *argv, env=environment, timeout=900).stdout

        yield Place(inside, "/srv/bench", ("direct", "systemd"))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("count", "aim"), [(10, None), (100, 15), (1000, 50), (5000, None)])
def test_list(benchmark: BenchmarkFixture, place: Place, count: int, aim: float | None) -> None:
    states = place.run("-c", BUILD, f"{place.folder}/{count}", str(count)).strip()
    mvtui = [[sys.executable, *MVTUI, "--state-dir", states, "--manager", manager] for manager in place.managers]
    for argv in mvtui:
        place.run(*argv[1:])
    benchmark.pedantic(lambda: place.seconds(1, *mvtui[-1]), rounds=3)  # type: ignore[no-untyped-call]
    peer, peer_cpu = place.seconds(3 if count <= 100 else 1, "bash", str(PEER), states)
    for manager, argv in zip(place.managers, mvtui, strict=True):
        own, cpu = place.seconds(7, *argv)
        what = f"mvtui list, {count} microVMs, {manager}: times faster than microvm -l"
        # Other work on the machine disturbs CPU times least; of the peer, what systemd does for it is not in them.
        of_cpu = f"CPU {cpu * 1000:.0f} ms, {peer_cpu * 1000:.0f} ms"
        words = f"{own * 1000:.0f} ms against {peer * 1000:.0f} ms; {of_cpu}"
        score(what, peer / own, aim, at_least=True, words=words)
