"""What the host knows of a definition's fields, on real file systems: without ACLs, without attributes, and dead."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.host.living import found, loop_device

ROOT = Path(__file__).parent.parent.parent


def in_own_mounts(where: Path, device: str, fs_type: str, source: str) -> list[dict[str, Any]]:
    """The findings of the share `source`, which holds the overlay, and of an image there; `device` is mounted at
    `where` for that process alone, and gone with it."""
    command = [found("unshare"), "--mount", "--propagation", "private", sys.executable, "-m", "tests.real.field_checks"]
    ran = subprocess.run(
        [*command, str(where), device, fs_type, source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if ran.returncode == 5:
        pytest.skip(ran.stderr)
    assert ran.returncode == 0, ran.stderr
    findings: list[dict[str, Any]] = json.loads(ran.stdout)
    return findings


def mkfs(folder: Path, fs_type: str, size: int) -> Path:
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(size << 20)
    subprocess.run([found(f"mkfs.{fs_type}"), image], check=True, capture_output=True)
    return image


@pytest.mark.parametrize(("fs_type", "size"), [("ext4", 16), ("xfs", 320)])
def test_file_systems_that_have_all(tmp_path: Path, fs_type: str, size: int) -> None:
    where = tmp_path / "mounted"
    where.mkdir()
    with loop_device(mkfs(tmp_path, fs_type, size)) as device:
        told = in_own_mounts(where, device, fs_type, str(where))
    assert [finding for finding in told if finding["subject"] == "shares[0].source"] == []
    # 64 MiB are more than a small disk has: it is this one that is asked.
    assert [finding["subject"] for finding in told] == (["volumes[0].size"] if size < 64 else [])


def test_a_file_system_without_acls_and_attributes(tmp_path: Path) -> None:
    where = tmp_path / "mounted"
    where.mkdir()
    told = in_own_mounts(where, "none", "ramfs", str(where))
    assert [finding["what"] for finding in told if finding["subject"] == "shares[0].source"] == [
        f"The file system of {where} (ramfs) has no {what}." for what in ("ACLs", "extended attributes")
    ]


def test_a_mount_that_never_answers(tmp_path: Path) -> None:
    """A FUSE file system whose server reads nothing: whoever looks into it waits without end."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no /dev/fuse here")
    where = tmp_path / "dead"
    where.mkdir()
    told = in_own_mounts(where, "dead", "fuse", f"{where}/share")
    assert [(finding["subject"], finding["what"].partition(": ")[2]) for finding in told] == [
        ("shares[0].source", "what it is on does not answer."),
        ("volumes[0].image", "what it is on does not answer."),
    ]
