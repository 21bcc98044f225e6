import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from mvtui.host.process_stat import PAGE_SIZE, parse_stat
from mvtui.host.processes import ProcFs
from tests.host.living import Spawn, hypervisor, own, run_python, until

BUSY = "while :; do :; done"


def burn(pid: int, seconds: float) -> None:
    """Wait until the process has had so much of a CPU."""
    cpu = psutil.Process(pid).cpu_times
    enough = cpu().user + seconds
    until(lambda: cpu().user >= enough)


def test_a_process_with_its_numbers(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    process = hypervisor(spawn, state_dir / "web")
    # The kernel brings the count of pages up to date now and then, the first time soon after the start.
    known = psutil.Process(process.pid)
    until(lambda: known.status() == psutil.STATUS_SLEEPING)
    sample = procfs.sample()[process.pid]
    assert sample.pid == process.pid
    assert sample.ppid == os.getpid()
    assert (sample.microvm, sample.unit) == ("web", None)
    assert sample.argv == ("microvm@web", "1000")
    assert sample.exe == os.path.realpath("/bin/sleep")
    assert sample.uid == os.geteuid()
    assert abs(sample.started.timestamp() - known.create_time()) < 0.1
    assert sample.cpu_percent is None
    assert sample.rss == pytest.approx(known.memory_info().rss, rel=0.2)
    assert sample.threads == 1
    assert (sample.pss, sample.open_files, sample.open_files_limit, sample.connected_sockets) == (None,) * 4


def test_an_unchanged_host_gives_equal_samples(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    process = hypervisor(spawn, state_dir / "web")
    until(lambda: procfs.sample()[process.pid].cpu_percent == 0.0)
    first = procfs.sample()[process.pid]
    assert procfs.sample()[process.pid] == first


def test_a_clock_that_jumps_moves_nothing(
    spawn: Spawn, procfs: ProcFs, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = hypervisor(spawn, state_dir / "web")
    busy = spawn(state_dir / "web", "microvm@web", "-c", BUSY, executable="/bin/sh")
    started = procfs.sample()[process.pid].started
    real = time.time
    for jump in (-1e6, 1e6, 0.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        burn(busy.pid, 0.4)
        samples = procfs.sample()
        assert samples[process.pid].started == started
        assert samples[process.pid].cpu_percent == 0.0
        percent = samples[busy.pid].cpu_percent
        assert percent is not None
        assert 0.0 < percent <= 110.0


def test_cpu_is_that_of_one_core(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    process = spawn(state_dir / "web", "microvm@web", "-c", BUSY, executable="/bin/sh")
    before, begin = procfs.sample()[process.pid], time.monotonic()
    assert before.cpu_percent is None
    burn(process.pid, 0.5)
    after, end = procfs.sample()[process.pid], time.monotonic()
    expected = (after.cpu_seconds - before.cpu_seconds) / (end - begin) * 100
    assert after.cpu_percent is not None
    assert after.cpu_percent == round(after.cpu_percent, 1)
    assert after.cpu_percent == pytest.approx(expected, rel=0.2)
    assert expected > 5
    # Two looks in quick succession say no more than one.
    assert procfs.sample()[process.pid].cpu_percent == after.cpu_percent


def test_cpu_after_a_long_idle_time_is_that_since_the_last_look(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    go = state_dir / "go"
    os.mkfifo(go)
    process = spawn(state_dir / "web", "microvm@web", "-c", f"read line < {go}; {BUSY}", executable="/bin/sh")
    until(lambda: procfs.sample()[process.pid].cpu_percent == 0.0)
    idle_until = time.monotonic() + 1.5
    until(lambda: bool(procfs.sample()) and time.monotonic() > idle_until)
    go.write_text("now\n")
    burn(process.pid, 0.2)
    percent = procfs.sample()[process.pid].cpu_percent
    assert percent is not None
    assert percent > 10


def test_the_slow_lane(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    process = hypervisor(spawn, state_dir / "web")
    sample = procfs.sample(slow=True)[process.pid]
    assert sample.pss is not None
    # RSS of a small process may still stand in the kernel's counters of each CPU, which stat does not add up.
    assert sample.memory == sample.pss > 0
    assert sample.open_files == len(os.listdir(f"/proc/{process.pid}/fd")) == 3
    assert sample.open_files_limit == psutil.Process(process.pid).rlimit(psutil.RLIMIT_NOFILE)[0]
    assert sample.connected_sockets is None
    later = procfs.sample()[process.pid]
    assert (later.pss, later.open_files, later.open_files_limit) == (sample.pss, 3, sample.open_files_limit)


def test_pss_takes_turns_where_it_takes_too_long(
    spawn: Spawn, procfs: ProcFs, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = [hypervisor(spawn, state_dir / "web").pid for _ in range(3)]
    monkeypatch.setattr("mvtui.host.processes._PSS_SECONDS", 0.0)
    assert {procfs.sample(slow=True)[pid].pss for pid in pids} == {None}
    monkeypatch.undo()
    assert None not in {procfs.sample(slow=True)[pid].pss for pid in pids}


def test_the_sockets_of_a_virtiofsd(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    script = state_dir / "virtiofsd"
    script.write_text(
        textwrap.dedent("""
            import socket, signal
            listener = socket.socket(socket.AF_UNIX)
            listener.bind("web-virtiofs-home.sock")
            listener.listen()
            client = socket.socket(socket.AF_UNIX)
            client.connect("web-virtiofs-home.sock")
            accepted = listener.accept()
            signal.pause()
        """)
    )
    process = spawn(state_dir / "web", sys.executable, str(script))
    until(lambda: procfs.sample(slow=True)[process.pid].connected_sockets == frozenset(("web-virtiofs-home.sock",)))
    assert procfs.sample()[process.pid].connected_sockets == frozenset(("web-virtiofs-home.sock",))


def test_a_socket_is_connected_only_with_a_process_of_the_same_microvm(
    spawn: Spawn, procfs: ProcFs, state_dir: Path
) -> None:
    daemon = state_dir / "virtiofsd"
    daemon.write_text(
        textwrap.dedent("""
            import socket
            listener = socket.socket(socket.AF_UNIX)
            listener.bind("home.sock")
            listener.listen()
            while True:
                accepted = listener.accept()
        """)
    )
    client = state_dir / "client"
    client.write_text(
        textwrap.dedent(f"""
            import signal, socket
            client = socket.socket(socket.AF_UNIX)
            client.connect({str(state_dir / "web/home.sock")!r})
            signal.pause()
        """)
    )
    pid = spawn(state_dir / "web", sys.executable, str(daemon)).pid
    until((state_dir / "web/home.sock").exists)

    def connected() -> frozenset[str] | None:
        return procfs.sample(slow=True)[pid].connected_sockets

    spawn(state_dir / "db", "microvm@db", str(client), executable=sys.executable)
    until(lambda: connected() == frozenset(("home.sock",)))  # nobody else may be meant
    hypervisor(spawn, state_dir / "web")
    until(lambda: connected() == frozenset())
    spawn(state_dir / "web", "microvm@web", str(client), executable=sys.executable)
    until(lambda: connected() == frozenset(("home.sock",)))


def test_a_process_may_be_called_anything() -> None:
    for comm in ("a) R 1 (b", "(", ")", " ", "x) Z 1 1"):
        fields = "S 7 1 1 0 -1 4194560 1 2 3 4 50 25 6 7 20 0 3 0 12345 999 12 18446744073709551615"
        stat = parse_stat(f"42 ({comm}) {fields} 1 1 1\n".encode())
        assert stat == (f"42 ({comm}".encode(), 7, 75, 3, 12345, 12 * PAGE_SIZE, False)


@pytest.mark.parametrize("state", ["Z", "X", "x"])
def test_the_dead_have_no_numbers(state: str) -> None:
    assert parse_stat(f"42 (a) {state} 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9 1\n".encode()) is None


def test_a_kernel_thread_has_no_numbers() -> None:
    assert parse_stat(b"42 (vhost-7) S 2 0 0 0 -1 2129984 0 0 0 0 5 6 0 0 20 0 1 0 12345 0 0 1\n") is None


def test_a_frozen_process(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    pid = hypervisor(spawn, state_dir / "web").pid
    known = psutil.Process(pid)
    until(lambda: known.status() == psutil.STATUS_SLEEPING)
    # Idle: the same stat over the time that a percentage takes.
    idle_until = time.monotonic() + 0.3
    until(lambda: not procfs.sample()[pid].frozen and time.monotonic() > idle_until)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: known.status() == psutil.STATUS_STOPPED)
    assert procfs.sample()[pid].frozen
    assert procfs.sample(slow=True)[pid].frozen
    later = ProcFs(state_dir)
    assert later.sample()[pid].frozen, "at the first look too"
    later.close()
    os.kill(pid, signal.SIGCONT)
    until(lambda: known.status() == psutil.STATUS_SLEEPING)
    assert not procfs.sample()[pid].frozen


@pytest.mark.parametrize(("state", "frozen"), [("T", True), ("t", True), ("S", False), ("D", False)])
def test_stopped_by_a_signal_or_a_tracer(state: str, frozen: bool) -> None:
    stat = parse_stat(f"42 (a) {state} 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9 1\n".encode())
    assert stat is not None
    assert stat.frozen is frozen


def test_closing_gives_back_every_descriptor(spawn: Spawn, state_dir: Path) -> None:
    for _ in range(5):
        hypervisor(spawn, state_dir / "web")
    procfs = ProcFs(state_dir)
    before = len(os.listdir("/proc/self/fd"))
    assert len(own(procfs.sample(), state_dir)) == 5
    assert len(os.listdir("/proc/self/fd")) >= before + 5
    procfs.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(own(procfs.sample(), state_dir)) == 5
    procfs.close()


@pytest.mark.parametrize("limits", [(60, 60), (60, 400), (400, 400)])
def test_more_processes_than_descriptors(spawn: Spawn, state_dir: Path, limits: tuple[int, int]) -> None:
    for _ in range(160):
        hypervisor(spawn, state_dir / "web")
    run_python(f"""
        import os, resource
        from pathlib import Path
        resource.setrlimit(resource.RLIMIT_NOFILE, {limits})
        from mvtui.host.processes import ProcFs
        procfs = ProcFs(Path({str(state_dir)!r}))
        first = [pid for pid, sample in procfs.sample(slow=True).items() if sample.unit is None]
        assert len(first) == 160, len(first)
        assert first == [pid for pid, sample in procfs.sample().items() if sample.unit is None]
        kept = len(os.listdir("/proc/self/fd"))
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert limit == {limits[1]}, limit
        assert kept <= max(limit - 256, 0) + 10, kept
        assert kept >= min(limit - 256, 144), kept
    """)
