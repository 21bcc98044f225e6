"""`mvtui list` against `microvm -l` without its Nix evaluation, as whole processes."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench.sample_host import build
from tests.bench.scoreboard import score

PEER = Path(__file__).with_name("microvm_list.sh")
MVTUI = [sys.executable, "-c", "from mvtui.cli import main; raise SystemExit(main())"]


def seconds(argv: list[str], runs: int) -> float:
    """The median time of a whole process, its output thrown away."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        times.append(time.perf_counter() - began)
    return median(times)


@pytest.mark.parametrize(("count", "aim"), [(10, None), (100, 15.0), (1000, 50.0), (5000, None)])
def test_list(benchmark: BenchmarkFixture, tmp_path: Path, count: int, aim: float | None) -> None:
    states = build(tmp_path, count)
    argv = [*MVTUI, "list", "--state-dir", str(states), "--manager", "direct"]
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
    benchmark.pedantic(lambda: seconds(argv, 1), rounds=5)  # type: ignore[no-untyped-call]
    own = seconds(argv, 5)
    if count > 1000:  # the peer would take minutes
        return
    peer = seconds(["bash", str(PEER), str(states)], 3 if count <= 100 else 1)
    words = f"{own * 1000:.0f} ms against {peer * 1000:.0f} ms"
    score(
        f"mvtui list, {count} microVMs: times faster than microvm -l", peer / own, aim or 1, at_least=True, words=words
    )
