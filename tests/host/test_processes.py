import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from mvtui.host.process_stat import PAGE_SIZE, parse_stat
from mvtui.host.processes import ProcFs
from mvtui.model.process import ProcessSample
from tests.host.living import dies_with_us, missing, need_root

CHECKOUT = Path(__file__).parent.parent.parent
BUSY = "while :; do :; done"

Spawn = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    for name in ("web", "db"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def procfs(state_dir: Path) -> Iterator[ProcFs]:
    made = ProcFs(state_dir)
    yield made
    made.close()


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Starts `argv` (`executable` where argv[0] is another name) in a session of its own; ends it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(cwd: Path, *argv: str, executable: str | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            argv,
            executable=executable,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def hypervisor(spawn: Spawn, directory: Path) -> subprocess.Popen[bytes]:
    return spawn(directory, f"microvm@{directory.name}", "1000", executable="/bin/sleep")


def own(samples: Mapping[int, ProcessSample], state_dir: Path) -> dict[int, ProcessSample]:
    """Without what other systemds of this machine have running."""
    names = set(os.listdir(state_dir))
    return {pid: sample for pid, sample in samples.items() if sample.unit is None and sample.microvm in names}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


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


def test_only_what_is_part_of_a_microvm(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    (state_dir / ".hidden").mkdir()
    part = {hypervisor(spawn, state_dir / name).pid for name in ("web", "db")}
    hypervisor(spawn, state_dir)
    hypervisor(spawn, state_dir / ".hidden")
    hypervisor(spawn, Path("/"))
    spawn(state_dir / "web", "sleep", "1000")
    spawn(state_dir / "web", "sh", "-c", "sleep 1000; :")
    assert set(own(procfs.sample(), state_dir)) == part
    assert set(own(procfs.sample(slow=True), state_dir)) == part


def test_a_directory_below_counts_too(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    below = state_dir / "web" / "a" / "b"
    below.mkdir(parents=True)
    process = hypervisor(spawn, below)
    assert procfs.sample()[process.pid].microvm == "web"


def test_a_state_directory_behind_a_link(spawn: Spawn, state_dir: Path, tmp_path: Path) -> None:
    process = hypervisor(spawn, state_dir / "web")
    (tmp_path / "link").symlink_to(state_dir)
    procfs = ProcFs(tmp_path / "link")
    assert procfs.sample()[process.pid].microvm == "web"
    procfs.close()


def test_a_directory_that_was_removed_under_its_process(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    process = hypervisor(spawn, state_dir / "web")
    (state_dir / "web").rmdir()
    assert procfs.sample()[process.pid].microvm == "web"


def test_a_directory_that_is_called_deleted(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    directory = state_dir / "web (deleted)"
    directory.mkdir()
    process = hypervisor(spawn, directory)
    assert procfs.sample()[process.pid].microvm == "web (deleted)"


def test_children_belong_to_the_microvm_of_their_parent(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    script = state_dir / "web" / "microvm-run"
    script.write_text("(cd /; sh -c 'sleep 1000; :'; :) & sleep 1000\n")
    process = spawn(state_dir / "web", "sh", str(script))
    until(lambda: len(own(procfs.sample(), state_dir)) == 5)
    samples = own(procfs.sample(), state_dir)
    assert {sample.microvm for sample in samples.values()} == {"web"}
    assert sum(sample.ppid == process.pid for sample in samples.values()) == 2


def test_a_script_that_executes_the_hypervisor(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    go = state_dir / "go"
    os.mkfifo(go)
    script = state_dir / "web" / "microvm-run"
    script.write_text(f"read line < {go}; exec sleep 1000\n")
    process = spawn(state_dir / "web", "sh", str(script))
    until(lambda: process.pid in procfs.sample())
    before = procfs.sample()[process.pid]
    assert before.argv == ("sh", str(script))
    go.write_text("now\n")
    until(lambda: procfs.sample()[process.pid].argv == ("sleep", "1000"))
    after = procfs.sample()[process.pid]
    assert (after.exe, after.started, after.microvm) == (os.path.realpath("/bin/sleep"), before.started, "web")


def test_an_old_process_that_executes_something_else(
    spawn: Spawn, procfs: ProcFs, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing counts as young here: only the new name of its command tells."""
    monkeypatch.setattr("mvtui.host.process_finder._YOUNG_SECONDS", -1.0)
    test_a_script_that_executes_the_hypervisor(spawn, procfs, state_dir)


def test_a_shell_that_becomes_a_microvm_is_found_by_a_slow_look(
    spawn: Spawn, procfs: ProcFs, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mvtui.host.process_finder._YOUNG_SECONDS", -1.0)
    go = state_dir / "go"
    os.mkfifo(go)
    shell = spawn(
        state_dir / "web", "sh", "-c", f"read line < {go}; exec /bin/bash -c 'exec -a microvm@web sleep 1000'"
    )
    assert shell.pid not in procfs.sample()
    go.write_text("now\n")
    until(lambda: psutil.Process(shell.pid).cmdline()[:1] == ["microvm@web"])
    assert shell.pid not in procfs.sample()
    assert procfs.sample(slow=True)[shell.pid].microvm == "web"


def test_a_process_that_ends_is_gone_at_the_next_look(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    process = hypervisor(spawn, state_dir / "web")
    assert process.pid in procfs.sample()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.pid not in procfs.sample()  # a zombie
    process.wait()
    assert process.pid not in procfs.sample()


def test_a_zombie_is_never_found(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    process = hypervisor(spawn, state_dir / "web")
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.pid not in procfs.sample(slow=True)


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
    assert 0 < sample.pss <= sample.rss
    assert sample.memory == sample.pss
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


def test_another_users_process(spawn: Spawn, state_dir: Path) -> None:
    """What its own eyes see of root's process: by the directory it may not look at, nothing."""
    need_root("becoming somebody else")
    process = hypervisor(spawn, state_dir / "web")
    script = f"""
        import os
        from pathlib import Path
        from mvtui.host.processes import ProcFs
        procfs = ProcFs(Path({str(state_dir)!r}))
        assert {process.pid} in procfs.sample()
        os.setuid(65534)
        assert {process.pid} not in ProcFs(Path({str(state_dir)!r})).sample(slow=True)
    """
    run_python(script)


def test_a_process_may_be_called_anything() -> None:
    for comm in ("a) R 1 (b", "(", ")", " ", "x) Z 1 1"):
        fields = "S 7 1 1 0 -1 4194560 1 2 3 4 50 25 6 7 20 0 3 0 12345 999 12 18446744073709551615"
        stat = parse_stat(f"42 ({comm}) {fields} 1 1 1\n".encode())
        assert stat == (f"42 ({comm}".encode(), 7, 75, 3, 12345, 12 * PAGE_SIZE)


@pytest.mark.parametrize("state", ["Z", "X", "x"])
def test_the_dead_have_no_numbers(state: str) -> None:
    assert parse_stat(f"42 (a) {state} 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9 1\n".encode()) is None


def test_a_kernel_thread_has_no_numbers() -> None:
    assert parse_stat(b"42 (vhost-7) S 2 0 0 0 -1 2129984 0 0 0 0 5 6 0 0 20 0 1 0 12345 0 0 1\n") is None


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


def test_processes_that_come_and_go_while_they_are_read(spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    stays = hypervisor(spawn, state_dir / "db")
    churn = state_dir / "microvm-run"
    churn.write_text("while :; do (cd /; :) & /bin/true; exec 3>&-; wait; done\n")
    parent = spawn(state_dir / "web", "sh", str(churn))
    before = len(os.listdir("/proc/self/fd"))
    seen: set[int] = set()
    deadline = time.monotonic() + 60
    while len(seen) < 12:
        samples = own(procfs.sample(slow=len(seen) % 2 == 0), state_dir)
        assert {stays.pid, parent.pid} <= set(samples)
        seen |= set(samples)
        assert time.monotonic() < deadline
    parent.kill()
    parent.wait()
    until(lambda: set(own(procfs.sample(), state_dir)) == {stays.pid})
    assert len(os.listdir("/proc/self/fd")) <= before + 1 + len(procfs.sample())


def run_python(script: str, *before: str) -> None:
    """Run it with this checkout; its assertions are ours."""
    result = subprocess.run(
        [*before, sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=dies_with_us,
    )
    assert result.returncode == 0, result.stderr


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


def test_a_pid_that_was_given_to_another_process(state_dir: Path) -> None:
    """In a pid namespace of its own, where the next pid can be chosen (/proc/sys/kernel/ns_last_pid)."""
    need_root("a pid namespace")
    script = f"""
        import os, subprocess, time
        from pathlib import Path
        from mvtui.host.processes import ProcFs
        state_dir = Path({str(state_dir)!r})

        def start(name, *argv):
            return subprocess.Popen(argv or [f"microvm@{{name}}", "1000"], executable=None if argv else "/bin/sleep",
                                    cwd=state_dir / name)

        def again(pid, *arguments):
            process.kill()
            process.wait()
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
            started = start(*arguments)
            assert started.pid == pid
            return started

        procfs = ProcFs(state_dir)
        process = start("web", "sh", "-c", "while :; do :; done")
        pid = process.pid
        assert pid not in procfs.sample()
        process = again(pid, "web")
        first = procfs.sample()[pid]
        assert first.microvm == "web"
        while procfs.sample()[pid].cpu_percent is None:
            time.sleep(0.01)
        assert procfs.sample()[pid].cpu_percent == 0.0
        process = again(pid, "db")
        second = procfs.sample()[pid]
        assert (second.microvm, second.cpu_percent, second.argv[0]) == ("db", None, "microvm@db")
        assert second.started > first.started
        process = again(pid, "db", "sleep", "1000")
        assert procfs.sample() == {{}}
        process.kill()
        process.wait()
    """
    run_python(script, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """An empty cgroup, gone with its processes after the test."""
    need_root("a cgroup")
    for mount in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if os.path.exists(f"{mount}/cgroup.procs"):
            break
    else:
        missing("no cgroup2 is mounted")
    made = Path(mount) / f"mvtui-test-{os.getpid()}.slice"
    try:
        made.mkdir()
    except OSError as error:
        missing(f"{made}: {error.strerror}")
    yield made
    for directory, _, _ in os.walk(made, topdown=False):
        until(lambda directory=directory: not Path(directory, "cgroup.procs").read_text())  # type: ignore[misc]
        os.rmdir(directory)


def test_a_cgroup_goes_before_the_directory(cgroup: Path, spawn: Spawn, procfs: ProcFs, state_dir: Path) -> None:
    def moved(process: subprocess.Popen[bytes], unit: str) -> int:
        place = cgroup / "system.slice" / unit
        place.mkdir(parents=True, exist_ok=True)
        (place / "cgroup.procs").write_text(str(process.pid))
        return process.pid

    by_both = hypervisor(spawn, state_dir / "web")
    shell = spawn(Path("/"), "sh", "-c", "sleep 1000; :")
    assert procfs.sample()[by_both.pid].unit is None
    assert shell.pid not in procfs.sample()
    moved(by_both, "microvm@db.service")
    moved(shell, "microvm-virtiofsd@mail.service")
    try:
        samples = procfs.sample()
        assert (samples[by_both.pid].microvm, samples[by_both.pid].unit) == ("db", "microvm@db.service")
        assert (samples[shell.pid].microvm, samples[shell.pid].unit) == ("mail", "microvm-virtiofsd@mail.service")
        # Anybody sees whose it is and its numbers; what it maps and executes is for its own user.
        run_python(f"""
            import os
            from pathlib import Path
            from mvtui.host.processes import ProcFs
            procfs = ProcFs(Path("/nowhere"))
            procfs.sample()
            os.setuid(65534)
            sample = ProcFs(Path("/nowhere")).sample(slow=True)[{by_both.pid}]
            assert (sample.microvm, sample.argv, sample.uid) == ("db", ("microvm@web", "1000"), 0), sample
            assert sample.rss > 0, sample
            assert (sample.exe, sample.pss, sample.connected_sockets) == (None, None, None), sample
        """)
    finally:
        for process in (by_both, shell):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
