"""Runners with something wrong in them, and other things in their place: a problem, and the rest is read."""

import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mvtui.host.runner import read_runner
from mvtui.model.definition import Definition, Runner
from mvtui.model.hypervisor import Hypervisor
from tests.host.sample_definitions import DOCS, STORE, as_told, build, rewrite, sample

SCRIPTS = {
    "empty": b"",
    "binary": bytes(range(256)) * 64,
    "10 MB": b"exec -a 'x' /bin/qemu-system-x86_64 -name x\n" * 240_000,
    "unbalanced single": b'exec -a "microvm@x" qemu-system-x86_64 -name \'x\n',
    "unbalanced double": b'exec -a "microvm@x qemu-system-x86_64 -name x\n',
    "unbalanced braces": b"exec qemu-system-x86_64 ${runtime_args\n",
    "no program": b"exec -a x\n",
    "only exec": b"exec ",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_damaged_script_is_a_problem_and_the_rest_is_read(name: str, tmp_path: Path) -> None:
    path = build(sample(Hypervisor.QEMU), tmp_path / "runner")
    rewrite(path / "bin/microvm-run", SCRIPTS[name])

    started = time.monotonic()
    runner = read_runner(str(path))

    assert time.monotonic() - started < 1
    assert len(runner.problems) == 1
    assert runner.problems[0].startswith(f"{path}/bin/microvm-run")
    assert runner.definition is not None
    assert {share.tag for share in runner.definition.shares} == {"data", "home", "ro-store"}
    assert runner.can_shutdown


def test_a_large_script_is_not_kept_in_memory(tmp_path: Path) -> None:
    path = build(Definition(), tmp_path / "runner")
    rewrite(path / "bin/microvm-run", b"x" * 10_000_000)

    tracemalloc.start()
    try:
        runner = read_runner(str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert runner.problems == (f"{path}/bin/microvm-run: is larger than 1024 KiB",)
    assert peak < 4_000_000


def as_fifo(path: Path) -> None:
    os.mkfifo(path)


def as_directory(path: Path) -> None:
    path.mkdir()


def as_loop(path: Path) -> None:
    path.symlink_to(path.name)


def as_dangling(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def as_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


KINDS = (as_fifo, as_directory, as_loop, as_dangling, as_device)
FILES = (
    "bin/microvm-run",
    "bin/virtiofsd-run",
    "share/microvm/hypervisor",
    "share/microvm/vsock-cid",
    "share/microvm/virtiofs",
    "share/microvm/system/etc/fstab",
    "share/microvm/system",
    "share/microvm",
    "bin",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("rooted", [False, True])
def test_another_kind_of_file_never_raises_and_never_hangs(
    name: str, kind: Callable[[Path], None], rooted: bool, tmp_path: Path
) -> None:
    store = tmp_path / "nix"
    store.mkdir()
    path = build(sample(Hypervisor.QEMU), store / "runner", store="/nix" if rooted else None)
    victim = path / name if not rooted else store / "runner" / name
    parent = victim.parent if not victim.parent.is_symlink() else store / "runner-system"
    if name.endswith("fstab"):
        parent = store / "runner-system/etc"
    (parent / victim.name).rename(tmp_path / "away")
    kind(parent / victim.name)

    runner = read_runner("/nix/runner", root=tmp_path) if rooted else read_runner(str(path))

    assert isinstance(runner, Runner)
    # Below the root there is no /dev, and a share, a directory or a program more or less is no fault of the package.
    assert runner.problems or kind in (as_dangling, as_directory) or (rooted and kind is as_device)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["home/source", "home/socket", "home"])
def test_another_kind_of_file_in_the_list_of_shares(name: str, kind: Callable[[Path], None], tmp_path: Path) -> None:
    path = build(sample(Hypervisor.QEMU), tmp_path / "runner")
    (path / "bin/virtiofsd-run").unlink()
    victim = path / "share/microvm/virtiofs" / name
    victim.rename(tmp_path / "away")
    kind(victim)

    runner = read_runner(str(path))

    assert runner.problems
    assert runner.definition is not None
    assert [share.tag for share in runner.definition.shares] == ["ro-store", "home", "data", "docs"]


@pytest.mark.parametrize("kind", KINDS)
def test_something_else_in_the_runners_place(kind: Callable[[Path], None], tmp_path: Path) -> None:
    kind(tmp_path / "runner")

    runner = read_runner(str(tmp_path / "runner"))

    assert runner.definition is None
    assert runner.problems or kind is as_directory


def test_nothing_a_file_a_relative_path_and_no_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    assert read_runner(str(tmp_path / "none")).problems == (f"{tmp_path}/none: No such file or directory",)
    assert read_runner(str(tmp_path / "file")).problems == (f"{tmp_path}/file: Not a directory",)
    assert read_runner("result").problems == ("result is not absolute",)
    assert read_runner("").problems == ("the path is not absolute",)
    assert read_runner(f"{tmp_path}/a\0b").definition is None


def test_links_never_lead_out_of_the_root(tmp_path: Path) -> None:
    outside = build(sample(Hypervisor.QEMU), tmp_path / "outside")
    root = tmp_path / "root"
    root.mkdir()
    (root / "runner").symlink_to(f"../../..{outside}")

    assert read_runner("/runner", root=root).definition is None


@pytest.fixture
def nobody(open_directory: Path) -> Iterator[None]:
    """The test runs without root's rights."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that everybody may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        build(sample(Hypervisor.QEMU), Path(directory) / "runner")
        (Path(directory) / "runner-microvm-run").chmod(0)
        yield Path(directory)


@pytest.mark.usefixtures("nobody")
def test_without_the_right_to_read(open_directory: Path) -> None:
    runner = read_runner(f"{open_directory}/runner")

    assert runner.problems == (f"{open_directory}/runner/bin/microvm-run: Permission denied",)
    assert runner.definition is not None
    assert len(runner.definition.shares) == 3


FIRECRACKER_CONFIGS = (
    "",
    "{",
    "null",
    "[]",
    '"x"',
    "[" * 100_000,
    "1" * 5_000,
    '{"drives": {}, "machine-config": []}',
    '{"drives": null}',
    '{"drives": [null, 1, "x", [], {}, {"path_on_host": 5}, {"path_on_host": "a", "is_read_only": "no"}]}',
    '{"drives": [], "machine-config": {"mem_size_mib": "512", "vcpu_count": true}, "vsock": 5}',
)


@pytest.mark.parametrize("config", FIRECRACKER_CONFIGS, ids=range(len(FIRECRACKER_CONFIGS)))
def test_a_damaged_firecracker_configuration_is_a_problem(config: str, tmp_path: Path) -> None:
    path = build(sample(Hypervisor.FIRECRACKER), tmp_path / "runner")
    (tmp_path / "runner-firecracker.json").write_text(config)

    runner = read_runner(str(path))

    assert runner.problems == (f"{path}: firecracker's configuration tells nothing",)
    assert runner.definition is not None
    assert runner.definition.mem is None
    assert runner.definition.socket == "web-1.sock"


def test_a_fstab_with_garbage(tmp_path: Path) -> None:
    spec = Definition(shares=(STORE, DOCS._replace(mount_point="/docs")))
    path = build(spec, tmp_path / "runner")
    fstab = tmp_path / "runner-system/etc/fstab"
    fstab.write_bytes(b"\xff\xfe\0garbage\nx\n" + fstab.read_bytes() + b"\na b c d e f g\n[/red] \x1b[31m x\n")

    runner = read_runner(str(path))

    assert runner.problems == (f"{path}: the guest's /etc/fstab: 4 lines are no entries, the first is 1",)
    assert runner.definition == as_told(spec)
