"""From exec to what a person sees: the names, the first frame; and what the panel costs while nothing happens."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which
from statistics import median

import psutil
import pytest

from tests.bench.sample_host import build
from tests.bench.scoreboard import score
from tests.ui.terminal import TerminalProgram

RUNS = 7
IDLE_SECONDS = 20.0
EMPTY_APP = "from textual.app import App\nApp().run()"
PANEL = "from mvtui.cli import main; raise SystemExit(main())"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where every program here finds its modules compiled, as an installed one does: the first run puts them there."""
    return {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled")), "PYTHONDONTWRITEBYTECODE": ""}


def seconds_until(arguments: list[str], done: Callable[[bytes], bool], environ: dict[str, str]) -> float:
    """From exec until a program behind a pty has written what `done` waits for."""
    began = time.perf_counter()
    with TerminalProgram(arguments, pipe=False, environ=environ) as program:
        program.read_until(done)
        return time.perf_counter() - began


def seconds_of(argv: list[str], environ: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environ})
    return time.perf_counter() - began


def medians(*measures: Callable[[], float]) -> list[float]:
    """The median of each, measured in turn so that all see the same machine; the first round warms up."""
    rounds = [[measure() for measure in measures] for _ in range(RUNS + 1)][1:]
    return [median(times) for times in zip(*rounds, strict=True)]


def panel(states: Path) -> list[str]:
    return ["-c", PANEL, "--state-dir", str(states), "--manager", "direct"]


@pytest.mark.parametrize("count", [10, 100, 1000, 5000])
def test_first_names_and_first_frame(tmp_path: Path, count: int, compiled: dict[str, str]) -> None:
    folder = build(tmp_path, count)
    htop = which("htop")
    bare, textual, names, frame, states, peer = medians(
        lambda: seconds_of([sys.executable, "-c", "pass"], compiled),
        lambda: seconds_of([sys.executable, "-c", "import textual.app"], compiled),
        lambda: seconds_until(panel(folder), lambda read: b"vm0000" in read, compiled),
        lambda: seconds_until(panel(folder), lambda read: b"OVERLAY" in read, compiled),
        lambda: seconds_until(panel(folder), lambda read: f"{count} VMs".encode() in read, compiled),
        lambda: seconds_until(
            ["-c", f"import os; os.execv({htop!r}, ['htop'])"] if htop else ["-c", "print('PID')"],
            lambda read: b"PID" in read,
            compiled,
        ),
    )
    score(f"names visible, {count} microVMs: × bare python", names / bare, 2.5, words=f"{names * 1000:.0f} ms")
    if htop:
        words = f"{names * 1000:.0f} ms against {peer * 1000:.0f} ms"
        score(f"names visible, {count} microVMs: × htop", names / peer, 0.5, words=words)
    aim = 1.5 if count <= 1000 else None
    words = f"{frame * 1000:.0f} ms against {textual * 1000:.0f} ms"
    score(f"first frame, {count} microVMs: × import textual.app", frame / textual, aim, words=words)
    words = f"{states * 1000:.0f} ms against {textual * 1000:.0f} ms"
    score(f"first frame with states, {count} microVMs: × import textual.app", states / textual, aim, words=words)


def idle(arguments: list[str], ready: Callable[[bytes], bool], environ: dict[str, str]) -> tuple[float, float]:
    """CPU seconds per second, and RSS in bytes, of a program behind a pty that is left alone."""
    with TerminalProgram(arguments, pipe=False, environ=environ) as program:
        program.read_until(ready)
        process = psutil.Process(program.process.pid)
        time.sleep(5)
        before = process.cpu_times()
        time.sleep(IDLE_SECONDS)
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        return used / IDLE_SECONDS, float(process.memory_info().rss)


@pytest.fixture(scope="module")
def empty_app(compiled: dict[str, str]) -> tuple[float, float]:
    return idle(["-c", EMPTY_APP], lambda read: len(read) > 500, compiled)


# The aims are for a small host: one that has a thousand may cost more.
@pytest.mark.parametrize(("count", "of_cpu", "of_rss"), [(10, 2.5, 1.5), (100, None, None), (1000, None, None)])
def test_idle(
    tmp_path: Path,
    count: int,
    of_cpu: float | None,
    of_rss: float | None,
    compiled: dict[str, str],
    empty_app: tuple[float, float],
) -> None:
    states = build(tmp_path, count)
    empty_cpu, empty_rss = empty_app
    own_cpu, own_rss = idle(panel(states), lambda read: f"{count} VMs".encode() in read, compiled)
    words = f"{own_cpu * 100:.2f} % against {empty_cpu * 100:.2f} %"
    score(f"idle CPU, {count} microVMs: × an empty Textual app", own_cpu / max(empty_cpu, 1e-4), of_cpu, words=words)
    words = f"{own_rss / 2**20:.0f} MiB against {empty_rss / 2**20:.0f} MiB"
    score(f"RSS, {count} microVMs: × an empty Textual app", own_rss / empty_rss, of_rss, words=words)
