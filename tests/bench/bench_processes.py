"""Sampling processes, beside a C loop that only reads, beside psutil, and beside htop. All in CPU time: what else runs
on the machine counts less."""

import os
import pty
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from mvtui.host.processes import ProcFs
from tests.bench.scoreboard import score

ROUNDS = 15
HTOP_DELAY = 0.5
COUNTS = [10, 100, 1000, 4000]


@pytest.fixture(scope="module")
def pread_loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("bench") / "pread_loop"
    source = Path(__file__).with_name("pread_loop.c")
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source)], check=True)
    return program


@pytest.fixture
def state_dir(tmp_path: Path, pread_loop: Path, count: int) -> Iterator[Path]:
    """A state directory with `count` microVMs, a sleeping process in each."""
    for number in range(count):
        (tmp_path / f"vm{number}").mkdir()
    argv = ["microvm@bench", "spawn", str(count), str(tmp_path)]
    with subprocess.Popen(argv, executable=pread_loop, cwd="/", stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            parent.stdout.readline()
            yield tmp_path
        finally:
            parent.kill()


@contextmanager
def c_loop(program: Path, pids: list[int]) -> Iterator[Callable[[], float]]:
    """CPU seconds for reading all of them once."""
    with subprocess.Popen([program, "loop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"{pid}\n" for pid in pids) + "\n")

        def run() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            return int(process.stdout.readline()) / 1e9

        yield run
        process.stdin.close()


def settled(state_dir: Path, count: int) -> ProcFs:
    """Looks until no process is young any more: one that is, is described at every look."""
    procfs = ProcFs(state_dir)
    deadline = time.monotonic() + 30
    while True:
        procfs.sample()
        tracked = procfs._tracked.values()
        if len(tracked) >= count and all(each.found.settled and each.idle for each in tracked):
            return procfs
        assert time.monotonic() < deadline
        time.sleep(0.5)


def cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


@pytest.mark.parametrize("count", COUNTS[:3])
def test_known_processes(benchmark: BenchmarkFixture, state_dir: Path, pread_loop: Path, count: int) -> None:
    """The numbers of known processes: all unchanged, and every one changed."""
    procfs = settled(state_dir, count)
    finder = procfs._finder
    assert finder is not None
    # Without what else runs on this machine.
    known = {pid: each for pid, each in procfs._tracked.items() if each.sample.argv[0] == "microvm@bench"}
    procfs._tracked = dict(known)
    psutils = [psutil.Process(pid) for pid in known]

    def renew() -> None:
        procfs._renew(finder)

    def renew_changed() -> None:
        for tracked in known.values():
            tracked.idle = False
        procfs._renew(finder)

    def with_psutil() -> None:
        for process in psutils:
            with process.oneshot():
                process.cpu_times()
                process.memory_info()
                process.num_threads()

    with c_loop(pread_loop, list(known)) as c:
        rounds = [
            (c(), cpu_seconds(renew), cpu_seconds(renew_changed), cpu_seconds(with_psutil))
            for _ in range(max(ROUNDS, 5000 // count))
        ]
    benchmark.pedantic(renew_changed, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    assert procfs._tracked == known
    procfs.close()
    limit, unchanged, changed, peer = (median(column) / len(known) * 1e6 for column in zip(*rounds, strict=True))
    words = f"C {limit:.1f} µs, psutil {peer:.1f} µs a process"
    for what, own in (("unchanged", unchanged), ("all changed", changed)):
        if own is unchanged or count == 1000:  # the few changed ones of a small host are no load
            score(f"{count} known processes, {what}: against a C loop", own / limit, 2, words=f"{own:.1f} µs, {words}")
        score(f"{count} known processes, {what}: times faster than psutil", peer / own, 5, at_least=True)


@pytest.mark.parametrize("count", COUNTS)
def test_whole_sample(benchmark: BenchmarkFixture, state_dir: Path, count: int) -> None:
    """Finding, sampling, all of it, in CPU time of one refresh."""
    procfs = settled(state_dir, count)
    own = median(cpu_seconds(procfs.sample) for _ in range(ROUNDS))
    slow = median(cpu_seconds(lambda: procfs.sample(slow=True)) for _ in range(3))
    benchmark.pedantic(procfs.sample, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    procfs.close()
    if (htop := htop_refresh()) is not None:
        words = f"{own * 1e3:.1f} ms against {htop * 1e3:.1f} ms; the slow lane {slow * 1e3:.0f} ms"
        score(f"a whole sample of {count} processes: against htop", own / htop, 1, words=words)


def htop_refresh() -> float | None:
    """CPU seconds of one refresh of htop at 80×24; None where it is not installed.

    It waits for `HTOP_DELAY` after each, so its share of a core tells how long one takes.
    """
    if shutil.which("htop") is None:
        return None
    pid, screen = pty.fork()
    if pid == 0:
        environment = {**os.environ, "TERM": "xterm", "HTOPRC": "/dev/null", "LINES": "24", "COLUMNS": "80"}
        os.execvpe("htop", ["htop", "-d", str(round(HTOP_DELAY * 10))], environment)
    htop = psutil.Process(pid)
    show(screen, 2.0)  # its start
    begin, cpu = time.monotonic(), sum(htop.cpu_times()[:2])
    show(screen, 10 * HTOP_DELAY)
    share = (sum(htop.cpu_times()[:2]) - cpu) / (time.monotonic() - begin)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(screen)
    return HTOP_DELAY * share / (1 - share)


def show(screen: int, duration: float) -> None:
    """Take what is painted."""
    until = time.monotonic() + duration
    while (left := until - time.monotonic()) > 0:
        if select.select([screen], [], [], left)[0]:
            os.read(screen, 65536)
