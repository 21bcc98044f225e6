"""A volume's image is grown with the rights of the microVM's user: the file, then an ext file system in it, unmounted.

An ext file system that is half resized loses nothing, but `e2fsck -p` gives up on it: it takes `e2fsck -y`. So
resize2fs does not end with this process; and where it is ended all the same, the next who grows the image finds a file
beside it that says so, `resizing.INODE.CHECKED.MOUNTED.MOUNTS`. The last three are the superblock's: with others in it,
the file system was used since, and answers are for a person. (The undo file of resize2fs, -z, would be the better way:
with e2fsprogs 1.47.0, what is resized with one has a resize inode that is not valid.)
"""

from __future__ import annotations

import os
import struct

from mvtui.host.overlay.effects import IMAGE
from mvtui.host.overlay.image_facts import superblock_pairs
from mvtui.host.overlay.lease import HOLDER_TRIES, Lease
from mvtui.host.overlay.mkfs import find_program, run_program, search_path, told_end
from mvtui.host.overlay.names import RESIZING, inodes_in
from mvtui.host.overlay.places import file_id, open_regular
from mvtui.host.overlay.stop import FAILED, Stop, failed, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mvtui.host.overlay.effects import Effects
    from mvtui.host.overlay.holding import Holding
    from mvtui.host.overlay.image_facts import Pair
    from mvtui.host.overlay.wire import Message

PROGRAMS = ("e2fsck", "resize2fs")

# e2fsck(8): what is more than these is an error that stays (1: mended, 2: mended, of a mounted one).
_MENDED = 1 | 2
# Nobody ends resize2fs half way, however large the image is; poll(2) knows no more than 24 days.
_SECONDS = 20 * 86400.0
_LAZY = "/sys/fs/ext4/features/lazy_itable_init"

# ext4 kernel documentation, "Super Block": s_mtime, s_mnt_count, s_lastcheck.
_SUPERBLOCK = 1024
_USED_AT = ((0x40, "<I"), (0x2C, "<I"), (0x34, "<H"))


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
        what was left half resized is mended."""
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
        if not self._fsck("-p"):
            words = f"the file system in {self._shown} has errors that e2fsck does not mend by itself"
            raise Stop(words, f"e2fsck -f {quoted(self._shown)} asks about each", FAILED)

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
        """The ext file system takes all of the file; where that fails, it is whole, and of the old size or the new."""
        fd, at = self._held(), self._holding.taken()
        mark = ".".join((RESIZING.rstrip("."), str(os.fstat(fd).st_ino), *map(str, _used(fd))))
        os.close(self._effects.create(mark, at))
        self._effects.fsync(at)
        status, said = self._run(["resize2fs", IMAGE])
        if status != 0:
            self._mend(mark)
            raise Stop(f"resize2fs: {told_end(status, said)}; {self._shown} is whole", code=FAILED)
        self._effects.fsync(fd)
        self._effects.unlink(mark, at)

    def read(self) -> Iterator[Pair]:
        """Its size, and its superblock."""
        if self._fd is not None:
            yield "size", os.fstat(self._fd).st_size
            yield from superblock_pairs(self._fd)

    def _settle(self) -> None:
        """Mend what a resize2fs that was ended has left."""
        fd, at = self._held(), self._holding.taken()
        for name in self._holding.names():
            told = inodes_in(name, RESIZING)
            if told is not None and told == (os.fstat(fd).st_ino, *_used(fd)):
                self._mend(name)
            elif told is not None:
                self._effects.unlink(name, at)

    def _mend(self, mark: str) -> None:
        if not self._fsck("-y"):
            words = f"the file system in {self._shown} is half resized, and e2fsck does not mend it"
            raise Stop(words, f"e2fsck -f {quoted(self._shown)} says why", FAILED)
        self._effects.fsync(self._held())
        self._effects.unlink(mark, self._holding.taken())

    def _fsck(self, how: str) -> bool:
        """Whether there are no errors any more."""
        status, said = self._run(["e2fsck", "-f", how, IMAGE])
        if not os.WIFEXITED(status):
            raise Stop(f"e2fsck: {told_end(status, said)}", code=FAILED)
        return not os.WEXITSTATUS(status) & ~_MENDED

    def _run(self, argv: list[str]) -> tuple[int, list[str]]:
        name = argv[0]
        program, fd = find_program(name, self._tools), self._held()
        if program is None:
            raise Stop(f"there is no {name} on this host", "install e2fsprogs")
        path = search_path(self._tools)
        # The end of the other side ends none of these.
        argv = [program, *argv[1:]]
        status, said = run_program(lambda output: self._effects.spawn_on(fd, argv, path, output), _SECONDS, None)
        if status is None:
            raise Stop(f"{name} did not end", code=FAILED)
        # What follows its own words is advice.
        parted = [line.partition(f"{name}: ") for line in said]
        return status, [words.replace(IMAGE, self._shown) for path, _, words in parted if path[-1:] in ("", "/")]

    def _held(self) -> int:
        assert self._fd is not None
        return self._fd


def _used(fd: int) -> tuple[int, ...]:
    """When the ext file system was checked and mounted last, and how often mounted."""
    return tuple(struct.unpack(kind, os.pread(fd, struct.calcsize(kind), _SUPERBLOCK + at))[0] for at, kind in _USED_AT)
