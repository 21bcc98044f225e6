"""What is known of a volume's image with the rights of the microVM's user. Changes nothing."""

from __future__ import annotations

import os
import stat

from mvtui.host.overlay.effects import birth, is_nocow
from mvtui.host.overlay.lease import TRIES, Lease, pause
from mvtui.host.overlay.mkfs import find_mkfs
from mvtui.host.overlay.places import file_problem, look, open_regular
from mvtui.host.overlay.stop import Stop, failed
from mvtui.model.mkfs import PACKAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.host.overlay.effects import Effects
    from mvtui.host.overlay.holding import Holding

    Pair = tuple[str, str | int | None]

_SUPERBLOCK_BYTES = 4096
_BTRFS_SUPERBLOCK = 0x10000
_ST_RDONLY = 1


def image_facts(
    effects: Effects, directory: int, name: str, shown: str, uid: int, holding: Holding, tool_path: list[str]
) -> Iterator[Pair]:
    """As OverlayFacts has it, key by key. Raises OSError."""
    yield "free", free_bytes(directory)
    for fs_type in PACKAGES:
        yield f"mkfs.{fs_type}", find_mkfs(fs_type, tool_path)
    problem = ""
    try:
        holding.find()
        yield "worker", holding.worker()
    except Stop as stop:
        problem = stop.message
    status = look(name, directory)
    if status is None:
        yield "problem", problem or None
        return
    yield from status_pairs(status)
    if not problem and (words := file_problem(status, uid)):
        problem = f"{shown} {words}"
    if problem:
        yield "problem", problem
        return
    inside: list[Pair] = []
    try:
        for attempt in range(TRIES):
            if attempt:
                pause()
            opened = open_regular(name, directory, uid, shown)
            if opened is None:
                return
            # Closed before the next try: two that look at once would else wait for each other.
            in_use, inside = _inside(effects, opened[0], shown)
            if not in_use:
                break
    except Stop as stop:
        yield "problem", stop.message
        return
    yield from inside


def free_bytes(directory: int) -> int:
    """What may still be written there, by anybody but root."""
    space = os.fstatvfs(directory)
    return 0 if space.f_flag & _ST_RDONLY else space.f_bavail * space.f_frsize


def status_pairs(status: os.stat_result) -> Iterator[Pair]:
    """What stat(2) tells."""
    yield "device", status.st_dev
    yield "inode", status.st_ino
    yield "uid", status.st_uid
    yield "gid", status.st_gid
    yield "mode", stat.S_IMODE(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        yield "size", status.st_size
        yield "allocated", status.st_blocks * 512


def superblock_pairs(fd: int) -> Iterator[Pair]:
    """Where a file system says what it is. Raises OSError."""
    yield "start", os.pread(fd, _SUPERBLOCK_BYTES, 0).hex()
    yield "later", os.pread(fd, _SUPERBLOCK_BYTES, _BTRFS_SUPERBLOCK).hex()


def _inside(effects: Effects, fd: int, shown: str) -> tuple[bool, list[Pair]]:
    """Whether somebody has it open, and what is known; `fd` is closed."""
    pairs: list[Pair] = [("made", birth(fd)), ("nocow", int(is_nocow(fd)))]
    try:
        pairs += superblock_pairs(fd)
    except OSError as error:
        pairs.append(("problem", failed(shown, error).message))
    lease = Lease(effects, fd, 1)
    held = lease.held
    lease.end()
    return held is False, [*pairs, ("in_use", None if held is None else int(not held))]
