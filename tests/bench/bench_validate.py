"""`mvtui validate` of a thousand definition files, as a whole process.

It does one thing after the other and waits for nothing: its CPU time is how long it takes where nobody else works.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from tests.bench.scoreboard import score

FILES = 1000
RUNS = 5
AIM_SECONDS = 1.5
PROGRAM = [sys.executable, "-c", "from mvtui.cli import main; raise SystemExit(main())", "validate"]

SHARE = """
[[shares]]
proto = "virtiofs"
tag = "share{number}"
source = "/srv/{name}/share{number}"
mountPoint = "/srv/share{number}"
"""
VOLUME = """
[[volumes]]
image = "volume{number}.img"
mountPoint = "/var/volume{number}"
size = 2048
fsType = "ext4"
label = "volume{number}"
"""
TOP = """# {name}
hypervisor = "cloud-hypervisor"
mem = 1024
vcpu = 2
vsock.cid = 7
writableStoreOverlay = "/var/volume0"

[[interfaces]]
type = "tap"
id = "vm-a"
mac = "02:00:00:00:00:01"
"""


def text(name: str, *, right: bool) -> str:
    """A definition as large as people write them: four shares, three volumes."""
    parts = [TOP, *(SHARE.replace("{number}", str(n)) for n in range(4))]
    parts += [VOLUME.replace("{number}", str(n)) for n in range(3)]
    whole = "".join(parts).replace("{name}", name)
    return whole if right else whole.replace("volume1.img", "volume0.img").replace("= 2048", "= 0")


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_validate(tmp_path: Path, right: bool) -> None:
    paths = [tmp_path / f"vm{number}.toml" for number in range(FILES)]
    for path in paths:
        path.write_text(text(path.stem, right=right))
    waited, used = [], []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        process = subprocess.Popen([*PROGRAM, *map(str, paths)], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        waited.append(time.perf_counter() - began)
        used.append(usage.ru_utime + usage.ru_stime)
        assert process.returncode == (0 if right else 2)
    what = f"validate of {FILES} files, {'right' if right else 'four errors each'}: seconds"
    size = len(text("vm0", right=right))
    score(what, median(used[1:]), AIM_SECONDS, words=f"of CPU; {size} bytes each, waited {median(waited[1:]):.1f} s")
