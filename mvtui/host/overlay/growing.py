"""A volume's image is grown with the rights of the microVM's user: the file, then an ext file system in it, unmounted.

What resize2fs changes it writes to an undo file first (resize2fs(8), -z): an ext file system that is half resized is
one that `e2fsck -p` gives up on. It does not end with this process. Where it is ended all the same, the undo file is
put back, at the latest by the next who grows this image: `undo.INODE.CHECKED.MOUNTED.MOUNTS`, of which the last three
are the superblock's; with others in it, the file system was used since.
"""

from __future__ import annotations

import os
import struct

from mvtui.host.overlay.effects import IMAGE
from mvtui.host.overlay.image_facts import superblock_pairs
from mvtui.host.overlay.lease import HOLDER_TRIES, Lease
from mvtui.host.overlay.mkfs import find_program, run_program, search_path, told_end
from mvtui.host.overlay.names import UNDO, inodes_in
from mvtui.host.overlay.places import file_id, look, open_only_regular, open_regular
from mvtui.host.overlay.stop import FAILED, Stop, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mvtui.host.overlay.effects import Effects
    from mvtui.host.overlay.holding import Holding
    from mvtui.host.overlay.image_facts import Pair
    from mvtui.host.overlay.wire import Message

PROGRAMS = ("e2fsck", "resize2fs", "e2undo")

# e2fsck(8): what is more than these is an error that stays (1: mended, 2: mended, of a mounted one).
_MENDED = 1 | 2
# Nobody ends resize2fs half way, however large the image is; poll(2) knows no more than 24 days.
_SECONDS = 20 * 86400.0
_LAZY = "/sys/fs/ext4/features/lazy_itable_init"

# ext4 kernel documentation, "Super Block": s_mtime, s_mnt_count, s_lastcheck.
_SUPERBLOCK = 1024
_USED_AT = ((0x40, "<I"), (0x2C, "<I"), (0x34, "<H"))
# undo_io.c of e2fsprogs: struct undo_header.
_UNDO_MAGIC, _UNDO_STATE_AT, _UNDO_FINISHED = b"E2UNDO02", 44, 1


class GrowWork:
    """One image, `name` in the open directory `directory`, at `shown` for messages. All methods raise Stop, OSError."""

    def __init__(
        self, effects: Effects, directory: int, shown: str, name: str, uid: int, holding: Holding, tools: list[str]
    ) -> None:
        self._effects, self._directory, self._name, self._uid = effects, directory, name, uid
        self._shown, self._holding, self._tools = f"{shown}/{name}", holding, tools
        self._fd: int | None = None

    def do(self, verb: str, who: str, asked: Message) -> Iterable[Pair]:
        """What is asked; what there is to tell."""
        match verb:
            case "tools":
                return self._told_tools()
            case "hold":
                self.hold(who, (int(asked["device"][0]), int(asked["inode"][0])))
            case "check":
                self.check()
            case "enlarge":
                self.enlarge(int(asked["size"][0]))
            case "resize":
                self.resize()
        return self.read()

    def _told_tools(self) -> Iterator[Pair]:
        for name in PROGRAMS:
            yield f"tool.{name}", find_program(name, self._tools)
        yield "lazy", int(os.access(_LAZY, os.R_OK))
        space = os.fstatvfs(self._directory)
        yield "total", space.f_blocks * space.f_frsize

    def hold(self, who: str, expected: tuple[int, int]) -> None:
        """Nobody has the image, which is `expected`, open now (its write lease says so); from now on it is locked, and
        what was left half done is put back."""
        self._holding.take(who)
        opened = open_regular(self._name, self._directory, self._uid, self._shown, os.O_RDWR)
        if opened is None:
            raise Stop(f"{self._shown} has gone meanwhile")
        fd, status = opened
        if file_id(status) != expected:
            os.close(fd)
            raise Stop(f"{self._shown} is another file than before", "look again")
        lease = Lease(self._effects, fd, HOLDER_TRIES)
        try:
            if lease.held is False:
                raise Stop(f"{self._shown} is in use: somebody has it open, mapped, or on a loop device")
            if not self._effects.guard(fd):
                raise Stop(f"{self._shown} is locked by somebody who uses it", "stop what uses it")
            if not lease.is_whole:
                raise Stop(f"{self._shown} is opened by somebody just now: it stays as it is", "stop what uses it")
            lease.give_back()
        except (Stop, OSError):
            lease.end()
            raise
        self._fd = fd
        self._settle()

    def check(self) -> None:
        """Let e2fsck replay the journal and mend what it mends without asking; another file system is left alone."""
        status, said = self._run(["e2fsck", "-f", "-p", IMAGE])
        if not os.WIFEXITED(status):
            raise Stop(f"e2fsck: {told_end(status, said)}", code=FAILED)
        if os.WEXITSTATUS(status) & ~_MENDED:
            words = f"the file system in {self._shown} has errors that e2fsck does not mend by itself"
            raise Stop(words, f"e2fsck -f {self._shown} asks about each", FAILED)

    def enlarge(self, size: int) -> None:
        """Give the file that size; it is never made smaller."""
        fd = self._held()
        there = os.fstat(fd).st_size
        if there > size:
            raise Stop(f"{self._shown} is larger than that meanwhile", "look again")
        if there < size:
            try:
                self._effects.truncate(fd, size)
            except OSError as error:
                raise failed(f"{self._shown} can't become {size} bytes", error) from None
            self._effects.fsync(fd)

    def resize(self) -> None:
        """The ext file system takes all of the file; where that fails, it is what it was."""
        fd, at = self._held(), self._holding.taken()
        undo = ".".join((UNDO.rstrip("."), str(os.fstat(fd).st_ino), *map(str, _used(fd))))
        status, said = self._run(["resize2fs", "-z", f"{self._holding.path}/{undo}", IMAGE])
        if status == 0:
            self._effects.fsync(fd)
            self._forget(undo)
            return
        if look(undo, at) is not None:
            self._put_back(undo)
        raise Stop(f"resize2fs: {told_end(status, said)}; the file system in {self._shown} is what it was", code=FAILED)

    def read(self) -> Iterator[Pair]:
        """Its size, and its superblock."""
        if self._fd is not None:
            yield "size", os.fstat(self._fd).st_size
            yield from superblock_pairs(self._fd)

    def _settle(self) -> None:
        """Put back what a resize2fs that was ended has left."""
        fd, at = self._held(), self._holding.taken()
        for name in self._holding.names():
            told = inodes_in(name, UNDO)
            if told is None:
                continue
            if told == (os.fstat(fd).st_ino, *_used(fd)) and _is_unfinished(name, at):
                self._put_back(name)
            else:
                self._forget(name)

    def _put_back(self, undo: str) -> None:
        path = f"{self._holding.path}/{undo}"
        status, said = self._run(["e2undo", "-f", path, IMAGE])
        if status != 0:
            words = f"the file system in {self._shown} is half resized, and can't be put back: {told_end(status, said)}"
            raise Stop(words, f"e2undo -f {self._holding.shown}/{undo} {self._shown}", FAILED)
        self._effects.fsync(self._held())
        self._forget(undo)

    def _forget(self, undo: str) -> None:
        try:
            self._effects.unlink(undo, self._holding.taken())
        except FileNotFoundError:
            pass

    def _run(self, argv: list[str]) -> tuple[int, str]:
        name = argv[0]
        program, fd = find_program(name, self._tools), self._held()
        if program is None:
            raise Stop(f"there is no {name} on this host", "install e2fsprogs")
        path = search_path(self._tools)
        # The end of the other side ends none of these.
        status, said = run_program(
            lambda output: self._effects.spawn_on(fd, [program, *argv[1:]], path, output), _SECONDS, None
        )
        if status is None:
            raise Stop(f"{name} did not end", code=FAILED)
        return status, said.replace(IMAGE, self._shown)

    def _held(self) -> int:
        assert self._fd is not None
        return self._fd


def _used(fd: int) -> tuple[int, ...]:
    """When the ext file system was checked and mounted last, and how often mounted."""
    return tuple(struct.unpack(kind, os.pread(fd, struct.calcsize(kind), _SUPERBLOCK + at))[0] for at, kind in _USED_AT)


def _is_unfinished(name: str, at: int) -> bool:
    """Whether who wrote that undo file was ended before it was done."""
    try:
        fd, _ = open_only_regular(name, at, os.O_RDONLY)
    except OSError:
        return False
    try:
        header = os.pread(fd, _UNDO_STATE_AT + 4, 0)
    finally:
        os.close(fd)
    finished = header[_UNDO_STATE_AT:] and int.from_bytes(header[_UNDO_STATE_AT:], "little") & _UNDO_FINISHED
    return header.startswith(_UNDO_MAGIC) and not finished
