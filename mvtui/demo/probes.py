"""Whether a program that is installed works here: it is run as a sample microVM would run it.

A QEMU that may not use io_uring, or a virtiofsd that may not make its sandbox, is of no use.
"""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mvtui.demo.account import Account
from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.model.definition import Definition, Share, ShareProto, Volume

_SECONDS = 15.0
_GUEST_IS_UP = b"up; ctrl-alt-del"
_VIRTIOFSD_WAITS = b"Waiting for vhost-user"
_IMAGE = "probe.img"
_FOR_QEMU = Definition(
    host_name="probe",
    store_on_disk=False,
    mem=64,
    shares=(Share("docs", ShareProto.NINE_P, ".", "/docs"),),
    volumes=(Volume(_IMAGE, auto_create=False),),
)
_FOR_VIRTIOFSD = Definition(
    host_name="probe", store_on_disk=False, shares=(Share("home", ShareProto.VIRTIOFS, ".", "/home"),)
)


class Prober:
    """Tries programs in directories of their own below `scratch`. `path` is where they are looked for."""

    def __init__(self, scratch: Path, account: Account, path: Sequence[str]) -> None:
        self._scratch = scratch
        self._account = account
        self._path = path

    def find_qemu(self, tools: Tools) -> tuple[Tools, str]:
        """`tools` with a QEMU that boots the demo's guest, else as it is; and which of both, in words."""
        path = shutil.which("qemu-system-x86_64")
        if path is None:
            return tools, "QEMU is a stand-in (it is not installed)"
        said = ""
        for aio in ("io_uring", "threads"):
            found = replace(tools, hypervisor=path, aio=aio)
            runner = self._build(f"qemu-{aio}", _FOR_QEMU, found)
            self._own(_blank_image(runner.parent))
            said = _try(str(runner / "bin" / "microvm-run"), runner.parent, _GUEST_IS_UP, self._account)
            if not said:
                return found, "QEMU is real (without KVM)"
        return tools, f"QEMU is a stand-in ({path} does not work here: {said})"

    def find_virtiofsd(self, tools: Tools) -> tuple[Tools, str]:
        """`tools` with a virtiofsd that gets as far as waiting for its hypervisor, else as it is; and which of both."""
        places = dict.fromkeys(os.path.realpath(os.path.join(directory, "virtiofsd")) for directory in self._path)
        installed = [path for path in places if os.path.isfile(path) and os.access(path, os.X_OK)]
        if not installed:
            return tools, "virtiofsd is a stand-in (it is not installed)"
        # Without root it makes its sandbox in a user namespace, where that is allowed.
        attempts: tuple[tuple[str, ...], ...] = ((),) if self._account.is_other else ((), ("--sandbox=none",))
        said = ""
        for number, path in enumerate(installed):
            for arguments in attempts:
                found = replace(tools, virtiofsd=path, virtiofsd_args=arguments)
                runner = self._build(f"virtiofsd-{number}-{len(arguments)}", _FOR_VIRTIOFSD, found)
                said = _try(f"{runner}-virtiofsd-home", runner.parent, _VIRTIOFSD_WAITS, None)
                if not said:
                    return found, "virtiofsd is real"
        return tools, f"virtiofsd is a stand-in ({installed[-1]} does not work here: {said})"

    def _build(self, name: str, definition: Definition, tools: Tools) -> Path:
        directory = self._scratch / name
        directory.mkdir()
        self._own(directory)
        return build_runner(definition, directory / "runner", tools)

    def _own(self, path: Path) -> None:
        if self._account.is_other:
            os.chown(path, self._account.uid, self._account.gid)


def _blank_image(directory: Path) -> Path:
    image = directory / _IMAGE
    image.write_bytes(bytes(1 << 20))
    return image


def _try(program: str, directory: Path, wanted: bytes, account: Account | None) -> str:
    """ "" where `program` prints `wanted`, else what it said last. It is ended in any case."""
    process = _begun(program, directory, account)
    timer = threading.Timer(_SECONDS, _end_session, (process,))
    timer.start()
    last = b"it said nothing"
    try:
        for line in process.stdout or ():
            if wanted in line:
                return ""
            last = line.strip() or last
    finally:
        timer.cancel()
        _end_session(process)
        process.communicate()
    return "".join(char for char in last.decode(errors="replace") if char.isprintable())[-120:]


def _begun(program: str, directory: Path, account: Account | None) -> subprocess.Popen[bytes]:
    """Where another thread forks while the program is written (for mkfs), that child has it open for writing until it
    runs what it is for: execve(2), ETXTBSY."""
    options = account.popen_options if account is not None else {}
    give_up = time.monotonic() + _SECONDS
    while True:
        try:
            return subprocess.Popen(
                [program],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )
        except OSError as error:
            if error.errno != errno.ETXTBSY or time.monotonic() > give_up:
                raise
        time.sleep(0.02)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
