"""The numbers of the rules of volumes, tried: the smallest image that each mkfs takes, and its longest label."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mvtui.host.images import read_image
from mvtui.model.rules.volumes import LABEL_BYTES, SMALLEST

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _mkfs(tmp_path: Path, fs_type: str, size: int, *words: str) -> bool:
    """As the runner does it, with an image of `size` MiB; whether mkfs took it."""
    program = shutil.which(f"mkfs.{fs_type}", path=_PATH)
    if program is None:
        assert "CI" not in os.environ, f"mkfs.{fs_type} is missing"
        pytest.skip(f"mkfs.{fs_type} is missing")
    image = tmp_path / "a.img"
    image.unlink(missing_ok=True)
    image.touch()
    os.truncate(image, size << 20)
    return subprocess.run([program, *words, str(image)], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("fs_type", SMALLEST)
def test_smallest_image(tmp_path: Path, fs_type: str) -> None:
    assert _mkfs(tmp_path, fs_type, SMALLEST[fs_type])
    assert SMALLEST[fs_type] == 1 or not _mkfs(tmp_path, fs_type, SMALLEST[fs_type] - 1)


@pytest.mark.parametrize("fs_type", LABEL_BYTES)
def test_longest_label(tmp_path: Path, fs_type: str) -> None:
    option, size, limit = "-n" if fs_type == "vfat" else "-L", 512, LABEL_BYTES[fs_type]
    assert _mkfs(tmp_path, fs_type, size, option, "L" * limit)
    assert read_image(tmp_path, "a.img").label == "L" * limit
    if _mkfs(tmp_path, fs_type, size, option, "L" * (limit + 1)):  # mke2fs and mkfs.btrfs cut it
        assert read_image(tmp_path, "a.img").label == "L" * limit
