"""Runs of the tests at the same time on one machine, some of which are killed."""

import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.host.living import CHECKOUT, dies_with_us
from tests.real.runs import own_folder

RUNS = """
import sys
from pathlib import Path
from tests.real.runs import own_folder
runs, controllers, count = sys.argv[1:]
for _ in range(int(count)):
    with own_folder(Path(runs), Path(controllers)) as (folder, cgroup):
        for name in "abcdefgh":
            (folder / name).mkdir()
            (folder / name / "file").touch()
        print("in it", flush=True)
        assert cgroup.is_dir() and len(list(folder.iterdir())) == 8
"""


def run(tmp_path: Path, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUNS, str(tmp_path / "runs"), str(tmp_path / "cgroups"), str(count)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    )


def test_each_removes_its_own_and_what_the_killed_left(tmp_path: Path) -> None:
    (tmp_path / "cgroups").mkdir()
    choice = random.Random(1)
    with ExitStack() as stack:
        lasting = [stack.enter_context(run(tmp_path, 40)) for _ in range(3)]
        for _ in range(6):
            with run(tmp_path, 100) as killed:
                assert killed.stdout is not None
                for _ in range(choice.randrange(10)):
                    killed.stdout.readline()
                killed.kill()
        for process in lasting:
            _, complaints = process.communicate(timeout=100)
            assert process.returncode == 0, complaints
    with own_folder(tmp_path / "runs", tmp_path / "cgroups") as (folder, cgroup):
        assert sorted((tmp_path / "runs").iterdir()) == sorted((tmp_path / "runs/lock", folder))
        assert list((tmp_path / "cgroups").iterdir()) == [cgroup]
    assert list((tmp_path / "runs").iterdir()) == [tmp_path / "runs/lock"]
    assert list((tmp_path / "cgroups").iterdir()) == []
