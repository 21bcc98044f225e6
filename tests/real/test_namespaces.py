"""The nested systemd keeps to itself, and ends with whoever started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.real.host import RealHost, wait_until
from tests.real.nested import CHECKOUT, HERE, cgroup2, nested_systemd
from tests.real.runs import own_folder, remove_cgroup

START = """
import time
from tests.real.nested import nested_systemd
with nested_systemd({"/srv": "srv"}) as nested:
    print(nested.pid, nested.folder, flush=True)
    time.sleep(600)
"""


def test_it_refuses_without_namespaces_of_its_own(host: RealHost, tmp_path: Path) -> None:
    init = str(HERE / "nested_init.sh")
    (tmp_path / "mount-namespace").write_text(os.readlink("/proc/self/ns/mnt"))
    for argv, missing in (([init], "pid"), (["unshare", "--pid", "--fork", init], "mount")):
        result = subprocess.run([*argv, str(tmp_path)], capture_output=True, text=True, check=False, timeout=20)
        assert result.returncode == 1
        assert f"not in a {missing} namespace of its own" in result.stderr
    assert not (tmp_path / "layer").exists()


def test_what_it_writes_stays_inside(host: RealHost) -> None:
    for directory in ("/tmp", "/run", "/etc", "/var/tmp", "/usr"):
        host.nested.run("touch", f"{directory}/mvtui-was-here")
        assert not Path(directory, "mvtui-was-here").exists()


def test_what_is_left_in_the_cgroup_is_killed(host: RealHost, tmp_path: Path) -> None:
    with own_folder(tmp_path / "runs", cgroup2()) as (_, cgroup), subprocess.Popen(["sleep", "1000"]) as orphan:
        (cgroup / "cgroup.procs").write_text(str(orphan.pid))
        remove_cgroup(cgroup)
        assert orphan.wait(10) == -signal.SIGKILL
        assert not cgroup.exists()


def test_it_ends_with_a_killed_test_run_and_the_next_run_tidies_up(host: RealHost) -> None:
    owner = subprocess.Popen([sys.executable, "-c", START], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner, owner.stdout:
        pid, _, folder = owner.stdout.readline().strip().partition(" ")
        assert Path(f"/proc/{pid}/comm").read_text().strip() == "systemd"
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "PID 1 outlived a killed test run", 10)
    with nested_systemd({}) as nested:
        assert not Path(folder).exists()
        assert nested.folder.exists()
    assert host.systemctl("is-active", "test-host.target") == "active"
    # Cgroups of other runs may go while we look.
    cgroups = [name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names]
    mentioned = Path("/proc/self/mounts").read_text() + " ".join(cgroups)
    assert Path(folder).name not in mentioned
    assert nested.folder.name not in mentioned
