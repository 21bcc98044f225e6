"""How busy processes are takes two looks at them: `show` takes both, `list` where it is asked to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.looking import CPU_SECONDS
from mvtui.cli.run import run
from mvtui.host.ports import Host
from mvtui.model.process import ProcessSample
from tests.fakes import FakeProcesses
from tests.operations.sample import build_web, processes_of, run_web


@dataclass
class TwiceSampled(FakeProcesses):
    """Knows CPU % from the second sample on."""

    samples: int = 0

    def sample(self, *, slow: bool = False) -> Mapping[int, ProcessSample]:
        self.samples += 1
        percent = 12.5 if self.samples > 1 else None
        return {pid: one._replace(cpu_percent=percent) for pid, one in super().sample(slow=slow).items()}


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TwiceSampled:
    host = build_web(tmp_path)
    run_web(host)
    processes = TwiceSampled(processes_of(host).living)
    host = Host(host.name, host.units, processes, host.state_dir)
    monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: host)
    monkeypatch.setattr("mvtui.cli.looking.CPU_SECONDS", 0.0)
    return processes


def percents(microvm: Any) -> list[float | None]:
    return [process["cpuPercent"] for process in microvm["processes"]]


def test_show(processes: TwiceSampled, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "web", "--json"]) == 0
    assert percents(json.loads(capsys.readouterr().out)) == [12.5, 12.5, 12.5]
    assert (processes.samples, processes.slow_samples) == (2, 1)
    assert run(["show", "web"]) == 0
    assert "12.5" in capsys.readouterr().out


def test_list_only_where_it_is_asked_to(processes: TwiceSampled, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "--json"]) == 0
    assert percents(json.loads(capsys.readouterr().out)["microvms"][0]) == [None] * 3
    assert processes.samples == 1

    processes.samples = 0
    assert run(["list", "--json", "--cpu"]) == 0
    assert percents(json.loads(capsys.readouterr().out)["microvms"][0]) == [12.5] * 3
    assert (processes.samples, processes.slow_samples) == (2, 2)

    processes.samples = 0
    assert run(["list", "--cpu"]) == 0
    assert " 37.5 " in capsys.readouterr().out


def test_nothing_is_waited_for_where_nothing_runs(
    processes: TwiceSampled, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.living.clear()
    monkeypatch.setattr("mvtui.cli.looking.CPU_SECONDS", 1000.0)
    assert run(["show", "web", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["processes"] == []


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[int]:
    """A process of `web` that takes all it can get, until the test ends or is killed."""
    (tmp_path / "web").mkdir()
    script = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"
    process = subprocess.Popen(
        ["microvm@web", "-c", script, str(os.getpid())], executable=sys.executable, cwd=tmp_path / "web"
    )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def mvtui(state_dir: Path, *words: str) -> Any:
    options = ["--manager", "direct", "--read-only", "--state-dir", str(state_dir)]
    argv = [sys.executable, "-m", "mvtui", *options, *words, "--json"]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout)


def test_a_busy_process(busy: int, tmp_path: Path) -> None:
    assert CPU_SECONDS >= 0.2, "ProcFs takes no shorter time"
    for shown in (mvtui(tmp_path, "show", "web"), mvtui(tmp_path, "list", "--cpu")["microvms"][0]):
        (process,) = shown["processes"]
        assert process["pid"] == busy
        # One thread; on a busy machine it may get little.
        assert 1 <= process["cpuPercent"] <= 110
    (process,) = mvtui(tmp_path, "list")["microvms"][0]["processes"]
    assert process["cpuPercent"] is None
