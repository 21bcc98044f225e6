"""Reading the state directory, beside pathlib, and beside nothing but a listing and two readlinks."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from mvtui.host.state_dir import StateDir, StateDirReading
from tests.bench.scoreboard import score

ROUNDS = 7


def build(folder: Path, count: int) -> Path:
    """`count` microVMs, half of them running, a third updated on their own; each with a runner of its own."""
    states, store = folder / "microvms", folder / "store"
    states.mkdir()
    for number in range(count):
        runner, microvm = store / f"{number}-runner", states / f"vm{number:04}"
        runner.mkdir(parents=True)
        microvm.mkdir()
        (microvm / "current").symlink_to(runner)
        if number % 2:
            (microvm / "booted").symlink_to(runner)
        if number % 3:
            (microvm / "toplevel").symlink_to(runner)
        else:
            (microvm / "flake").write_text("git+file:///etc/nixos")
        (microvm / "disk.img").touch()
    return states


def with_pathlib(states: Path) -> list[tuple[object, ...]]:
    """The same facts, as one writes it without thinking of time."""
    found: list[tuple[object, ...]] = []
    for microvm in sorted(states.iterdir()):
        if not microvm.is_dir() or microvm.is_symlink():
            continue
        links = [microvm / name for name in ("current", "booted", "toplevel")]
        targets = [str(link.readlink()) if link.is_symlink() else None for link in links]
        dangling = tuple(link.name for link in links if link.is_symlink() and not link.exists())
        flake = microvm / "flake"
        text = flake.read_text().strip() if flake.is_file() else None
        status = microvm.stat()
        found.append((microvm.name, *targets, text, dangling, (status.st_uid, status.st_gid)))
    return found


def least(states: Path) -> None:
    """What can't be left out: the listing, `current` and `booted`."""
    with os.scandir(states) as entries:
        for entry in entries:
            for link in ("current", "booted"):
                try:
                    os.readlink(f"{entry.path}/{link}")
                except FileNotFoundError:
                    continue


def cpu_microseconds(work: Callable[[], object], count: int) -> float:
    """Per microVM."""
    begin = time.process_time()
    work()
    return (time.process_time() - begin) / count * 1e6


@pytest.mark.parametrize("count", [10, 100, 1000, 5000])
def test_state_dir(benchmark: BenchmarkFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    # Else what has just been made would be read again and again.
    monkeypatch.setattr("mvtui.host.state_dir._SETTLED_NS", 0)
    states = build(tmp_path, count)
    kept = StateDir(states)
    assert facts(kept.read()) == with_pathlib(states)

    works: list[Callable[[], object]] = [
        lambda: StateDir(states).read(),
        kept.read,
        lambda: least(states),
        lambda: with_pathlib(states),
    ]
    rounds = [[cpu_microseconds(work, count) for work in works] for _ in range(ROUNDS)]
    first, again, limit, peer = (median(column) for column in zip(*rounds, strict=True))
    benchmark.pedantic(kept.read, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    words = f"{limit:.1f} µs each; pathlib {peer:.0f} µs"
    score(f"state directory of {count}, read anew: µs each", first, 100, words=f"listing and two readlinks {words}")
    score(f"state directory of {count}, read anew: times faster than pathlib", peer / first, 2, at_least=True)
    score(f"state directory of {count}, read again: against two readlinks", again / limit, 2, words=f"{again:.1f} µs")


def facts(reading: StateDirReading) -> list[tuple[object, ...]]:
    return [
        (entry.name, entry.current, entry.booted, entry.toplevel, entry.flake, entry.dangling, entry.owner)
        for entry in reading.entries
    ]
