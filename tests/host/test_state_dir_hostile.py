import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mvtui.host.state_dir import StateDir
from mvtui.model.finding import Severity
from tests.host.state_dirs import fresh_state_dir, microvm, only, read, without_rights


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with fresh_state_dir() as made:
        yield made


def test_a_directory_that_may_not_be_entered_is_a_microvm_with_a_problem(state_dir: Path) -> None:
    microvm(state_dir, "open", current="one")
    closed = microvm(state_dir, "closed", current="one")
    closed.chmod(0)
    with without_rights():
        reading = read(state_dir)
    assert [entry.name for entry in reading.entries] == ["closed", "open"]
    assert reading.entries[0].problems == (f"{closed}: permission denied; root or group kvm can read it",)
    assert reading.entries[0].owner is not None
    assert reading.entries[1].problems == ()


def test_what_may_be_entered_but_not_listed_is_read(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    directory.chmod(0o711)
    with without_rights():
        entry = only(read(state_dir))
    assert entry.current == str(state_dir.parent / "store" / "one")
    assert entry.problems == ()


def test_a_flake_that_may_not_be_read(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    (directory / "flake").write_text("x")
    (directory / "flake").chmod(0)
    with without_rights():
        entry = only(read(state_dir))
    assert entry.problems == (f"{directory}/flake: permission denied; root or group kvm can read it",)
    assert entry.current is not None


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("x"), "is not a directory"),
        (os.mkfifo, "is not a directory"),
        (lambda path: path.symlink_to(path), "is a loop of links"),
        (lambda path: path.symlink_to("nowhere"), "does not exist"),
    ],
)
def test_a_state_directory_that_is_none(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    path = tmp_path / "microvms"
    make(path)
    reading = read(path)
    assert (reading.entries, reading.strays) == ((), ())
    assert reading.finding is not None
    assert reading.finding.severity is Severity.ERROR
    assert reading.finding.what == f"{path} {says}."
    assert "--state-dir" in reading.finding.fix


def test_a_state_directory_whose_name_is_too_long(tmp_path: Path) -> None:
    finding = read(tmp_path / ("x" * 5000)).finding
    assert finding is not None
    assert finding.what.endswith("… is too long for a path.")
    assert len(finding.what) < 120


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_state_directory_whose_name_is_no_path(name: str) -> None:
    finding = read(Path(name)).finding
    assert finding is not None
    assert finding.what.endswith("is no path.")


def test_a_state_directory_without_rights(state_dir: Path) -> None:
    state_dir.chmod(0o700 if os.geteuid() == 0 else 0)
    with without_rights():
        finding = read(state_dir).finding
    state_dir.chmod(0o755)
    assert finding is not None
    assert finding.what == f"{state_dir} can't be read: permission denied."
    assert "root" in finding.fix


def test_a_flake_that_is_a_link_is_not_followed(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    secret = state_dir.parent / "secret"
    secret.write_text("secret")
    (directory / "flake").symlink_to(secret)
    entry = only(read(state_dir))
    assert entry.flake is None
    assert entry.problems == (f"{directory}/flake is no file",)


def test_a_huge_flake_with_bytes_of_no_text_is_cut(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    (directory / "flake").write_bytes(b"\xff" * 10_000_000)
    flake = only(read(state_dir)).flake
    assert flake == "\ufffd" * 4096


def test_what_should_be_a_link_or_a_file_and_is_not(state_dir: Path) -> None:
    directory = microvm(state_dir, "web")
    (directory / "current").mkdir()
    (directory / "booted").write_text("x")
    os.mkfifo(directory / "flake")
    entry = only(read(state_dir))
    assert (entry.current, entry.booted, entry.flake) == (None, None, None)
    assert entry.problems == (
        f"{directory}/current is no link",
        f"{directory}/booted is no link",
        f"{directory}/flake is no file",
    )


HOSTILE = [b"a\nb", b"\x1b[31mred", b"[red]", b"db[prod]", b"\xff\xfe", b"-rf", b" ", b"\\x2d", "日本".encode()]


def test_hostile_names_are_kept_as_they_are(state_dir: Path) -> None:
    for name in HOSTILE:
        directory = os.path.join(os.fsencode(state_dir), name)
        os.mkdir(directory)
        os.symlink(b"\x1b]0;x\x07\xff", os.path.join(directory, b"current"))
    reading = read(state_dir)
    assert {os.fsencode(entry.name) for entry in reading.entries} == set(HOSTILE)
    assert {os.fsencode(entry.current or "") for entry in reading.entries} == {b"\x1b]0;x\x07\xff"}
    assert all(entry.dangling == ("current",) for entry in reading.entries)
    assert [entry.name for entry in reading.entries] == sorted(entry.name for entry in reading.entries)


CHURN = """
import os, sys
parent = os.getppid()
while os.getppid() == parent:
    for number in range(20):
        path = f"{sys.argv[1]}/vm{number}"
        os.mkdir(path)
        os.symlink("x", f"{path}/current")
        os.unlink(f"{path}/current")
        os.rmdir(path)
        os.symlink("stays", path)
        os.unlink(path)
"""


def test_directories_that_come_and_go_while_they_are_read(state_dir: Path) -> None:
    """Whatever is seen of them, nothing is raised, and the one that stays is complete."""
    microvm(state_dir, "stays", current="one")
    reader = StateDir(state_dir)
    seen: set[str] = set()
    deadline = time.monotonic() + 30
    with subprocess.Popen([sys.executable, "-c", CHURN, str(state_dir)]) as churn:
        try:
            while len(seen) < 10:
                reading = reader.read()
                assert reading.finding is None
                assert "stays" in {entry.name for entry in reading.entries if entry.current and not entry.problems}
                seen |= {entry.name for entry in reading.entries} | {stray.name for stray in reading.strays}
                assert time.monotonic() < deadline
        finally:
            churn.kill()
