"""Images are real file systems, as full as a sample wants them."""

import os
import subprocess
from pathlib import Path

import pytest

from mvtui.demo.images import make_image
from mvtui.errors import MvtuiError
from mvtui.host.images import read_image
from mvtui.model.definition import Volume
from tests.demo.demo_folder import need

PATH = (*os.get_exec_path(), "/usr/sbin", "/sbin")


@pytest.mark.parametrize(
    ("kind", "size", "label"), [("ext4", 64, None), ("ext2", 8, "data"), ("xfs", 320, "data"), ("btrfs", 128, "data")]
)
def test_makes_a_file_system(tmp_path: Path, kind: str, size: int, label: str | None) -> None:
    need(f"mkfs.{kind}")
    assert make_image(tmp_path, Volume("a.img", size=size, fs_type=kind, label=label), PATH, tmp_path)
    facts = read_image(tmp_path, "a.img")
    assert (facts.fs_type, facts.label, facts.size) == (kind, label, size << 20)


def test_fills_it(tmp_path: Path) -> None:
    need("mkfs.ext4")
    assert make_image(tmp_path, Volume("a.img", size=16, fs_type="ext4"), PATH, tmp_path, fill=1.0)
    facts = read_image(tmp_path, "a.img")
    assert facts.fs_used is not None
    assert facts.fill_percent is not None
    assert 95 < facts.fill_percent < 100
    check = subprocess.run(["e2fsck", "-fn", tmp_path / "a.img"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["a.img"]


def test_an_image_is_sparse(tmp_path: Path) -> None:
    need("mkfs.ext4")
    make_image(tmp_path, Volume("a.img", size=2048, fs_type="ext4"), PATH, tmp_path)
    assert read_image(tmp_path, "a.img").allocated < 8 << 20


def test_without_mkfs_it_is_blank(tmp_path: Path) -> None:
    assert not make_image(tmp_path, Volume("a.img", size=1, fs_type="ext4"), (str(tmp_path),), tmp_path)
    assert (tmp_path / "a.img").read_bytes() == bytes(1 << 20)


def test_a_failed_mkfs_is_told(tmp_path: Path) -> None:
    need("mkfs.ext4")
    with pytest.raises(MvtuiError, match=r"mkfs\.ext4 failed: .+"):
        make_image(
            tmp_path,
            Volume(
                "a.img",
                size=1,
                fs_type="ext4",
                mkfs_extra_args=("-b", "1"),
            ),
            PATH,
            tmp_path,
        )
