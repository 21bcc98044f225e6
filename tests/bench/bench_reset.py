"""A reset in the foreground beside what can't be left out, `truncate` and the same mkfs, and beside what people do by
hand; and what its freeing of old images costs others. Under a real systemd, in namespaces of its own; the images are
real files below the cache directory of the tests.
"""

import compileall
import json
import sys
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import pytest

from tests.bench.scoreboard import score
from tests.real.nested import CHECKOUT, nested_systemd
from tests.real.packages import UnavailableError

ROUNDS = 15
WRITTEN_MIB = 2048

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs `tests.bench.reset_times` inside; what it printed."""
    # As installed: inside, the checkout is read-only, and what starts with -I takes no other place.
    compileall.compile_dir(str(CHECKOUT / "mvtui"), quiet=2)
    binds = {"/var/lib/microvms": "microvms", "/nix/store": "store", "/srv/bench": "bench"}
    try:
        context = nested_systemd(binds)
        with context as nested:
            environment = {"PYTHONPATH": str(CHECKOUT), "PYTHONPYCACHEPREFIX": "/srv/bench/compiled"}

            def inside(*words: object) -> Any:
                argv = [sys.executable, "-m", "tests.bench.reset_times", *map(str, words)]
                said = nested.run(*argv, env=environment, timeout=900).stdout
                return json.loads(said) if said else None

            yield inside
    except UnavailableError as error:
        pytest.skip(str(error))


def compared(times: list[list[float]]) -> tuple[float, float, str]:
    """The medians of two columns of seconds, and both in words."""
    own, peer = (median(column) for column in zip(*times, strict=True))
    return own, peer, f"{own * 1e3:.0f} ms against {peer * 1e3:.0f} ms"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fs_type", ["ext4", "xfs", "btrfs"])
@pytest.mark.parametrize("gib", [1, 10, 100])
def test_beside_mkfs(run: Run, fs_type: str, gib: int) -> None:
    name = f"{fs_type}-{gib}"
    run("build", "/nix/store", name, fs_type, gib * 1024)
    times = run("beside", name, ROUNDS)
    own, peer, words = compared(times)
    score(f"reset of {gib} GiB {fs_type}, sparse: × truncate and mkfs", own / peer, 3, words=words)


@pytest.mark.timeout(900)
def test_full(run: Run) -> None:
    run("build", "/nix/store", "full", "ext4", WRITTEN_MIB)
    times = run("full", "full", ROUNDS, WRITTEN_MIB)
    own, peer, words = compared(times)
    score("reset of 2 GiB ext4, all written: × truncate and mkfs", own / peer, 3, words=words)


@pytest.mark.timeout(900)
def test_beside_rm(run: Run) -> None:
    run("build", "/nix/store", "anew", "ext4", WRITTEN_MIB)
    times = run("anew", "anew", 5, WRITTEN_MIB)
    own, peer, words = compared(times)
    what = "reset of 2 GiB ext4, all written: times faster than rm and create anew"
    score(what, peer / own, 20, at_least=True, words=words)


@pytest.mark.timeout(900)
def test_freeing(run: Run) -> None:
    run("build", "/nix/store", "freed", "ext4", WRITTEN_MIB)
    longest: dict[str, list[float]] = {}
    for how in ("idle", "reset", "rm") * 3:
        stall, usual, _ = run("freed", "freed", WRITTEN_MIB, how)
        longest.setdefault(how, []).append(stall)
        longest.setdefault(f"{how}, usual", []).append(usual)
    stalls = {how: median(times) * 1e3 for how, times in longest.items()}
    words = "ms; " + ", ".join(f"{how} {stall:.1f}" for how, stall in stalls.items())
    score("longest stall of a writer while 2 GiB are freed in the background: ms", stalls["reset"], 80, words=words)
