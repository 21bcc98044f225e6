"""A guest's console in the log file that mvtui's own keeper gives to a hypervisor, where there is no systemd.

The file lies in the microVM's directory, which belongs to an unprivileged user: it is reached through descriptors, no
link is followed, and only a regular file is opened."""

import os
import stat
from typing import NamedTuple

from mvtui.host.keeper_group import HYPERVISOR_LOG
from mvtui.model.console import Logged, read_console
from mvtui.model.guest import Console

# What one look reads; of what is more, the beginning and the end.
_MAX_BYTES = 2 << 20
_LAST_BYTES = 1 << 17


class Place(NamedTuple):
    """How far the log of this run was read: `at` is a byte of the file `inode`."""

    console: Console
    inode: int
    at: int


def read_log(state_dir: str, microvm: str, start: int, before: Place | None) -> Place | str:
    """What the console has shown since byte `start` of the log, on from `before`; or why it can't be read.
    `state_dir` is where it is for this process. Blocking."""
    try:
        descriptor = _open(state_dir, microvm)
    except (OSError, ValueError) as error:
        return f"{HYPERVISOR_LOG}: {getattr(error, 'strerror', None) or error}"
    try:
        facts = os.fstat(descriptor)
        if before is not None and before.inode == facts.st_ino and before.at <= facts.st_size:
            console, start = before.console, before.at
        elif before is not None:  # it was shortened: what came before is known
            console, start = before.console, 0
        else:
            console, start = Console(), start if start <= facts.st_size else 0
        first = os.pread(descriptor, _MAX_BYTES, start)
        console, at = _read(console, first), start + len(first)
        if facts.st_size - at > 0:
            at = max(at, facts.st_size - _LAST_BYTES)
            last = os.pread(descriptor, _LAST_BYTES, at)
            console, at = _read(console._replace(complete=False), last), at + len(last)
        return Place(console, facts.st_ino, at - _unfinished(descriptor, at, start))
    finally:
        os.close(descriptor)


def _open(state_dir: str, microvm: str) -> int:
    """Only opening a device can already be a command to it: the kind is looked at first. Raises OSError, ValueError."""
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    top = os.open(state_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        directory = os.open(microvm, flags | os.O_DIRECTORY, dir_fd=top)
        try:
            place = os.open(HYPERVISOR_LOG, flags, dir_fd=directory)
        finally:
            os.close(directory)
    finally:
        os.close(top)
    try:
        facts = os.fstat(place)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise ValueError("it is no regular file with one link")
        return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(place)


def _read(console: Console, content: bytes) -> Console:
    lines = content.decode(errors="replace").split("\n")
    return read_console(console, (Logged(None, line) for line in lines))


def _unfinished(descriptor: int, end: int, start: int) -> int:
    """Bytes of a last line without a newline, which is read again when there is more of it. A prompt has none."""
    tail = os.pread(descriptor, min(4096, end - start), end - min(4096, end - start))
    return len(tail) - (tail.rfind(b"\n") + 1) if b"\n" in tail else 0
