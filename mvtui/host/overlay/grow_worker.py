"""The growing of one volume's image, from the parent's side: see `growing` and `mounting` for what the children do."""

import os
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.overlay.channel import Channel
from mvtui.host.overlay.child import GROW
from mvtui.host.overlay.growing import PROGRAMS
from mvtui.host.overlay.identity import identity_for, real_path
from mvtui.host.overlay.worker import OverlayWorker, Pair, number, superblock, text
from mvtui.host.ports import Host
from mvtui.host.superblock import FileSystem
from mvtui.model.call import CallKind
from mvtui.model.growth import GrowTools
from mvtui.model.overlay import OverlayTarget

MOUNT_ENTRY = "from mvtui.host.overlay.mounting import main; main()"
_MOUNT_SECONDS = 300.0
# e2fsck and resize2fs of a large image take long, and nobody ends them half way.
_LONG_SECONDS = 21 * 86400.0
_THEN = "its file system is whole; growing it once more goes on"


class Grown(NamedTuple):
    """The image now: its size in bytes, and what its superblock says, None where that is none."""

    size: int
    file_system: FileSystem | None


class GrowWorker(OverlayWorker):
    """A child that works on one image, as OverlayWorker. After `hold`, the image is locked until the child ends."""

    def tools(self) -> GrowTools:
        """What there is to grow it with, and how large the file system is that it lies on."""
        self._channel.then = _THEN
        with self._host.calls.call(CallKind.COMMAND, f"look for {', '.join(PROGRAMS)}", poll=True):
            answer = self._ask([("do", f"{GROW}tools")], self._patience.answer)
        missing = tuple(name for name in PROGRAMS if text(answer, f"tool.{name}") is None)
        return GrowTools(missing, lazy=bool(number(answer, "lazy")), total=number(answer, "total") or 0)

    def hold(self, expected: tuple[int, int]) -> Grown:
        """Nobody uses the image, which is `expected` (its file_id), and from now on it is locked."""
        pairs: list[Pair] = [("device", expected[0]), ("inode", expected[1])]
        return self._grow("hold", f"lock {self._shown}", self._patience.disk, pairs)

    def check(self) -> Grown:
        """Its ext file system is checked, and what needs no answer is mended."""
        return self._grow("check", f"e2fsck -f -p {self._shown}", _LONG_SECONDS)

    def enlarge(self, size: int) -> Grown:
        """The file has that size, in bytes."""
        return self._grow("enlarge", f"truncate -s {size} {self._shown}", self._patience.disk, [("size", size)])

    def resize(self) -> Grown:
        """Its ext file system takes all of the file, or is what it was."""
        return self._grow("resize", f"resize2fs {self._shown}", _LONG_SECONDS)

    def read(self) -> Grown:
        """The image as it is now."""
        return self._grow("read", f"read the superblock of {self._shown}", self._patience.answer)

    def _grow(self, verb: str, what: str, seconds: float, pairs: list[Pair] | None = None) -> Grown:
        self._channel.then = _THEN
        with self._host.calls.call(CallKind.COMMAND, what):
            answer = self._ask([("do", f"{GROW}{verb}"), *(pairs or [])], seconds)
        return Grown(number(answer, "size") or 0, superblock(answer))


def can_mount() -> bool:
    """Whether this process may have an image mounted for a moment."""
    return os.geteuid() == 0


def grow_mounted(host: Host, microvm: str, target: OverlayTarget, fs_type: str, file_id: tuple[int, int]) -> Grown:
    """Let the kernel of this host grow the file system of the image, mounted where no path leads to, while nobody else
    has it open; who has locked it has to let go first. Blocking. Raises MvtuiError, RightsMissingError."""
    if not can_mount() or target.path is None:
        raise RightsMissingError("to mount an image takes root", "root can do that, or let the guest grow it")
    identity = identity_for(host, microvm, target)
    above, name = os.path.split(target.path)
    if ".." in above.split("/"):
        raise MvtuiError(f"{target.path} has .. in its path", "write its path without ..", ExitCode.REFUSED)
    how = {"xfs": "xfs_growfs", "btrfs": "btrfs filesystem resize max"}[fs_type]
    channel = Channel(target.path, MOUNT_ENTRY)
    channel.then = _THEN
    setup: list[Pair] = [("directory", real_path(host, above)), ("name", name), ("shown", target.path)]
    setup += [("uid", identity.uid), ("device", file_id[0]), ("inode", file_id[1]), ("fs_type", fs_type)]
    try:
        channel.send(setup)
        with host.calls.call(CallKind.COMMAND, f"mount -o loop,nosuid,nodev,noexec {target.path}; {how}; umount"):
            answer = channel.ask([("do", "grow")], _MOUNT_SECONDS)
    finally:
        channel.close()
    return Grown(number(answer, "size") or 0, superblock(answer))
