import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mvtui.host.processes import ProcFs
from tests.host.living import Spawn, hypervisor, missing, need_root, own, run_python, until


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
