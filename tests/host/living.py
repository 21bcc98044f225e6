"""Processes for tests: they end with the test, also when that is killed."""

import ctypes
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from mvtui.model.process import ProcessSample

CHECKOUT = Path(__file__).parent.parent.parent

Spawn = Callable[..., "subprocess.Popen[bytes]"]

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def dies_with_us() -> None:
    """For `preexec_fn`: the child is killed when the thread that started it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def need_root(for_what: str) -> None:
    if os.geteuid() != 0:
        missing(f"needs root, for {for_what}")


def missing(reason: str) -> NoReturn:
    """Skips; fails where everything has to be there."""
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


def found(program: str) -> str:
    """Where the program is, also where only root looks for it."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return path if path is not None else missing(f"{program} is not installed")


@contextmanager
def loop_device(image: Path) -> Iterator[str]:
    """A loop device on the image, held open; it is detached with the last descriptor, however this ends."""
    need_root("a loop device")
    losetup = found("losetup")
    attached = subprocess.run([losetup, "-f", "--show", str(image)], capture_output=True, text=True, check=False)
    if attached.returncode != 0:
        pytest.skip(f"no loop device here: {attached.stderr}")
    device = attached.stdout.strip()
    with open(device, "rb"):
        subprocess.run([losetup, "-d", device], check=True)
        yield device


# linux/loop.h
_LOOP_SET_STATUS64, _LOOP_GET_STATUS64 = 0x4C04, 0x4C05
_LOOP_INFO64_BYTES, _SIZELIMIT_OFFSET = 232, 32


def die(device: str, *, after: int = 4096) -> None:
    """From now on the loop device answers every read and write with EIO, but for its first `after` bytes (0: none any
    more, and what it had is there again): it is only so large. What a device mapper's error target does where there is
    a device mapper."""
    info = bytearray(_LOOP_INFO64_BYTES)
    with open(device, "rb+", buffering=0) as file:
        fcntl.ioctl(file, _LOOP_GET_STATUS64, info)
        struct.pack_into("=Q", info, _SIZELIMIT_OFFSET, after)
        fcntl.ioctl(file, _LOOP_SET_STATUS64, bytes(info))


@contextmanager
def spawning() -> Iterator[Spawn]:
    """Starts `argv` (`executable` where argv[0] is another name) in a session of its own, as `user` (a uid, and the gid
    of that number); at the end, ends them all."""
    started: list[subprocess.Popen[bytes]] = []

    def start(cwd: Path, *argv: str, executable: str | None = None, user: int | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            argv,
            executable=executable,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def hypervisor(spawn: Spawn, directory: Path) -> subprocess.Popen[bytes]:
    return spawn(directory, f"microvm@{directory.name}", "1000", executable="/bin/sleep")


def own(samples: Mapping[int, ProcessSample], state_dir: Path) -> dict[int, ProcessSample]:
    """Without what other systemds of this machine have running."""
    names = set(os.listdir(state_dir))
    return {pid: sample for pid, sample in samples.items() if sample.unit is None and sample.microvm in names}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def run_python(script: str, *before: str) -> None:
    """Run it with this checkout; its assertions are ours."""
    result = subprocess.run(
        [*before, sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=dies_with_us,
    )
    assert result.returncode == 0, result.stderr
