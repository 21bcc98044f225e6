"""The demo on other machines: with nothing installed but bash and coreutils, and without root."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.demo.demo_folder import need, nothing_runs, open_folder

CHECKOUT = Path(__file__).parents[2]
NOBODY = 65534

# Prints what is real, who the hypervisors are, and how a stop went.
PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from mvtui.demo import host
from mvtui.host.command_line import which_hypervisor
from mvtui.host.direct import DirectUnits
from mvtui.host.processes import ProcFs
from mvtui.model.unit import UnitVerb

root = Path(sys.argv[1])
made = host.up(root, lambda words: None)
print(made.real)
samples = ProcFs(made.state_dir, by_cgroup=False).sample().values()
print(*sorted(each.microvm for each in samples if which_hypervisor(each.argv, each.exe)))
print(*{each.uid for each in samples})
print(asyncio.run(DirectUnits(made.state_dir).run_job(UnitVerb.STOP, "microvm@web.service")).words)
print("reboot: Restarting system" in (made.state_dir / "web" / "microvm.log").read_text())
host.down(root)
"""

pytestmark = pytest.mark.xdist_group("demo")


def run(root: Path, prefix: Sequence[str] = (), env: Mapping[str, str] | None = None) -> list[str]:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", PROGRAM, str(root)],
        cwd=CHECKOUT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_with_stand_ins_alone() -> None:
    with open_folder() as folder:
        programs = folder / "bin"
        programs.mkdir()
        for name in ("bash", "cat", "id", "nproc"):
            found = shutil.which(name)
            assert found is not None
            (programs / name).symlink_to(found)
        real, up, _, stopped, in_peace = run(folder / "demo", env={"PATH": str(programs), "LANG": "C.UTF-8"})
        assert real.startswith("QEMU is a stand-in (it is not installed), virtiofsd is a stand-in (")
        assert "supervisord is a stand-in" in real
        assert "socat is a stand-in" in real
        assert up == "build ci db[prod] git web"
        assert (stopped, in_peace) == ("web: stopped", "True")
        assert nothing_runs(folder / "demo")
        assert not (folder / "demo").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run without root already")
def test_without_root() -> None:
    need("setpriv")
    # Not root, but able to read root's files: this Python and the checkout may lie in root's home.
    prefix = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    prefix += ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search", "--"]
    with open_folder() as folder:
        os.chown(folder, NOBODY, NOBODY)
        environment = os.environ | {"HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        _, up, users, stopped, in_peace = run(folder / "demo", prefix, environment)
        assert up == "build ci db[prod] git web"
        assert users == str(NOBODY)
        assert (stopped, in_peace) == ("web: stopped", "True")
        assert nothing_runs(folder / "demo")
        assert list(folder.iterdir()) == []


def test_says_that_qemu_is_real_where_it_works() -> None:
    need("qemu-system-x86_64")
    with open_folder() as folder:
        real, *_ = run(folder / "demo")
        assert real.startswith("QEMU is real (without KVM), ")
