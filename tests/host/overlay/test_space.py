"""What the model says of the room that mkfs needs, against what mkfs writes here; and where a runner has its mkfs."""

import os
import subprocess
from pathlib import Path

import pytest

from mvtui.host.overlay.tools import tool_path
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


@pytest.mark.parametrize(
    ("text", "directories"),
    [
        ("x\nPATH=$PATH:/nix/store/a/bin:/nix/store/b/bin\nif", ("/nix/store/a/bin", "/nix/store/b/bin")),
        ("  PATH=$PATH:/a:relative:/b", ("/a", "/b")),
        ("PATH=$PATH:'/a'\nPATH=$PATH:$(id)\nPATH=/a\nexport PATH=$PATH:/a", ()),
        ("", ()),
    ],
)
def test_where_a_runner_has_its_mkfs(text: str, directories: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "microvm-run").write_text(text)
    assert tool_path(str(tmp_path)) == directories


def test_a_runner_below_a_root(tmp_path: Path) -> None:
    runner = tmp_path / "nix" / "store" / "r" / "bin"
    runner.mkdir(parents=True)
    (runner / "microvm-run").write_text("PATH=$PATH:/nix/store/a/bin\n")
    assert tool_path("/nix/store/r", tmp_path) == (f"{tmp_path}/nix/store/a/bin",)


@pytest.mark.parametrize("runner", ["/nowhere", "a\0b", "/dev/null", ""])
def test_no_runner(runner: str) -> None:
    assert tool_path(runner) == ()
