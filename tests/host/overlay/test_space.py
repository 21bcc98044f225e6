"""What the model says of the room that mkfs needs, against what mkfs writes here."""

import os
import subprocess
from pathlib import Path

import pytest

from mvtui.model.mkfs import PACKAGES, written_by_mkfs
from tests.host.living import found

MIB = 1 << 20
# An xfs has at least 300 MiB, a btrfs 109.
SIZES = (1, 3, 20, 109, 300, 700, 1024, 3000, 10240, 50000, 102400, 300000)
SMALLEST = {"xfs": 300, "btrfs": 109}


@pytest.mark.parametrize("fs_type", PACKAGES)
def test_it_is_enough_and_not_much_more(fs_type: str, tmp_path: Path) -> None:
    image = tmp_path / "x.img"
    for mib in [size for size in SIZES if size >= SMALLEST.get(fs_type, 1)]:
        image.unlink(missing_ok=True)
        image.touch()
        os.truncate(image, mib * MIB)
        subprocess.run([found(f"mkfs.{fs_type}"), image], check=True, capture_output=True)
        written = image.stat().st_blocks * 512
        needed = written_by_mkfs(fs_type, mib * MIB)
        assert written <= needed + 64 * 1024, f"{mib} MiB"
        assert needed <= max(2 * written + 20 * MIB, mib * MIB // 500), f"{mib} MiB"
