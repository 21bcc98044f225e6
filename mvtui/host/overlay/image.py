"""The overlay is a volume's image: set aside and made anew, with one exchange of names."""

from __future__ import annotations

import errno
import os
import stat

from mvtui.host.overlay.holding import Holding
from mvtui.host.overlay.image_facts import image_facts
from mvtui.host.overlay.lease import HOLDER_TRIES, Lease, exchange_stays, pause
from mvtui.host.overlay.mkfs import Recipe, fill, need_mkfs
from mvtui.host.overlay.names import IMAGE_SUFFIX, MAKING, NEW, inodes_in
from mvtui.host.overlay.places import FileId, file_id, look, open_regular
from mvtui.host.overlay.stop import FAILED, Stop, StuckError, failed, stopped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mvtui.host.overlay.effects import Effects
    from mvtui.host.overlay.image_facts import Pair


class _InterruptedError(Exception):
    """Somebody opened a file while it was exchanged; everything has its old name again."""


class ImageWork:
    """One image, `name` in the open directory `directory`, which is at `path`, and at `shown` for messages;
    `tool_path` is where mkfs is looked for first. All methods raise Stop."""

    def __init__(
        self, effects: Effects, directory: int, path: str, shown: str, name: str, uid: int, tool_path: list[str]
    ) -> None:
        self._effects, self._directory, self._name = effects, directory, name
        self._uid, self._tool_path = uid, tool_path
        self._shown = f"{shown}/{name}"
        self.holding = Holding(effects, directory, path, shown, name, uid, IMAGE_SUFFIX)
        self._expected: FileId | None = None
        self._made: str | None = None
        self._new_inode: int | None = None
        self._kept: str | None = None

    def look(self) -> Iterator[Pair]:
        """What there is; changes nothing."""
        return image_facts(
            self._effects, self._directory, self._name, self._shown, self._uid, self.holding, self._tool_path
        )

    def make(self, who: str, expected: FileId | None, recipe: Recipe, control: int) -> None:
        """Make the new image complete, beside the one that is there, which has to be `expected`."""
        program = need_mkfs(recipe.fs_type, self._tool_path)
        at = self.holding.take(who)
        self.settle()
        self._expected = expected
        if (there := self._open_expected()) is not None:
            os.close(there)
        try:
            fd = self._effects.create(MAKING, at)
            try:
                path = f"{self.holding.path}/{MAKING}"
                fill(self._effects, fd, path, program, recipe, self._tool_path, control)
                self._new_inode = os.fstat(fd).st_ino
                self._made = f"{NEW}{self._new_inode}"
                self._effects.rename(MAKING, at, self._made, at)
                self._effects.fsync(fd)
                self._effects.fsync(at)
            finally:
                os.close(fd)
        except (OSError, Stop) as error:
            self._drop_quietly()
            raise stopped(f"the new image of {self._shown} can't be made", error) from None

    def commit(self) -> str | None:
        """Give the new image its name; the name of the old one now, None where there was none."""
        return self._try_again(self._commit)

    def _commit(self) -> str | None:
        made = self._made
        if made is None:
            raise Stop(f"there is no new image of {self._shown}", code=FAILED)
        at = self.holding.taken()
        there = self._open_expected()
        if there is None:
            self._move(made, at, self._name, self._directory)
            self._made = None
            return None
        leases = [self._lease(there, self._shown)]
        try:
            new = open_regular(made, at, self._uid, f"{self.holding.shown}/{made}")
            if new is None:
                raise Stop(f"the new image of {self._shown} has gone", code=FAILED)
            leases.append(self._lease(new[0], f"the new {self._shown}"))
            kept = self.holding.next_kept()
            self._exchange(made, leases[1], leases[0], self._expected, kept)
        finally:
            for lease in leases:
                lease.end()
        self._made, self._kept = None, kept
        return kept

    def undo_commit(self) -> None:
        """The old image has its name again, and the new one is removed; nobody may have opened that."""
        opened = open_regular(self._name, self._directory, self._uid, self._shown)
        if opened is None:
            raise Stop(f"{self._shown} has gone", code=FAILED)
        lease = self._lease(opened[0], f"the new {self._shown}")
        self._new_inode = opened[1].st_ino
        made, at, kept = f"{NEW}{self._new_inode}", self.holding.taken(), self._kept
        try:
            if kept is None:
                self._move(self._name, self._directory, made, at)
            else:
                self._effects.rename(kept, at, made, at)
                try:
                    self._exchange(made, None, lease, file_id(opened[1]), made)
                except StuckError:
                    raise
                except (OSError, Stop, _InterruptedError):
                    self._effects.rename(made, at, kept, at)
                    raise
        except _InterruptedError:
            raise Stop(f"somebody opened the new {self._shown}: it stays") from None
        except OSError as error:
            raise failed(f"{self._shown} stays the new one", error) from None
        finally:
            lease.end()
        self._kept = None
        self.drop()

    def restore(self, who: str, name: str | None) -> str | None:
        """The kept image of that name, or the newest, has the image's name; the name of what is kept instead, None
        where there was no image."""
        if self.holding.find() is None:
            raise Stop(f"nothing of {self._shown} is kept")
        self.holding.take(who)
        self.settle()
        kept = self.holding.choose(name, self._shown)
        return self._try_again(lambda: self._restore(kept))

    def _restore(self, kept: str) -> str | None:
        at, shown = self.holding.taken(), f"{self.holding.shown}/{kept}"
        opened = open_regular(kept, at, self._uid, shown)
        if opened is None:
            raise Stop(f"{shown} has gone")
        leases = [self._lease(opened[0], shown)]
        try:
            there = open_regular(self._name, self._directory, self._uid, self._shown)
            if there is None:
                self._move(kept, at, self._name, self._directory)
                return None
            leases.append(self._lease(there[0], self._shown))
            # Its new name comes first: killed in between, what is set aside here never passes for an older one.
            now = self.holding.next_kept()
            self._effects.rename(kept, at, now, at)
            try:
                self._exchange(now, leases[0], leases[1], file_id(there[1]), now)
            except StuckError:
                raise
            except (OSError, Stop, _InterruptedError):
                self._effects.rename(now, at, kept, at)
                raise
            return now
        except OSError as error:
            raise failed(f"{self._shown} stays as it is", error) from None
        finally:
            for lease in leases:
                lease.end()

    def drop(self) -> None:
        """Remove what `make` made, known by its inode: under its name may now be what was set aside."""
        if not self.holding.is_taken:
            return
        try:
            for name in self.holding.names():
                status = look(name, self.holding.taken())
                if status is not None and (name == MAKING or status.st_ino == self._new_inode):
                    self.holding.remove(name)
        except OSError as error:
            raise failed(f"{self.holding.shown} can't be cleaned", error) from None
        self._made = self._new_inode = None

    def _drop_quietly(self) -> None:
        try:
            self.drop()
        except Stop:  # the next make does it
            pass

    def settle(self) -> None:
        """Clean up after one who was killed: finish what had its name, remove the rest."""
        at = self.holding.taken()
        try:
            for name in self.holding.names():
                inodes = inodes_in(name, NEW)
                status = look(name, at)
                if status is None or (name != MAKING and inodes is None):
                    continue
                if inodes is None or not stat.S_ISREG(status.st_mode) or (status.st_ino,) == inodes:
                    self.holding.remove(name)
                else:
                    self._effects.rename(name, at, self.holding.next_kept(), at)
        except OSError as error:
            raise failed(f"{self.holding.shown} can't be cleaned", error) from None

    def _exchange(self, name: str, lease: Lease | None, image_lease: Lease, image: FileId | None, then: str) -> None:
        """`name` (`lease`, None where others may have it open) and the image (`image_lease`), which is `image`, have
        each other's name, and the image then that of `then`; all of it is on disk, and nobody waits for what was the
        image. Raises Stop, OSError, _InterruptedError: then nothing has changed, but for StuckError."""
        at, where = self.holding.taken(), name
        try:
            self._effects.exchange(name, at, self._name, self._directory)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOSYS):
                raise Stop(
                    f"the file system of {self._shown} can't exchange two files", "ZFS can from 2.2 on, NFS can't"
                ) from None
            raise
        try:
            if then != name:
                self._effects.rename(name, at, then, at)
                where = then
            self._effects.fsync(self._directory)
            self._effects.fsync(at)
            status = look(where, at)
            if status is None or file_id(status) != image:
                raise Stop(f"{self._shown} was replaced meanwhile: it stays as it is")
            if not image_lease.is_whole and not exchange_stays(image_lease, lease):
                raise _InterruptedError
        except (OSError, Stop, _InterruptedError):
            self._take_back(where, name)
            raise

    def _take_back(self, where: str, name: str) -> None:
        at = self.holding.taken()
        if where != name:
            try:
                self._effects.rename(where, at, name, at)
                where = name
            except OSError:  # `drop` finds it under this name too
                pass
        try:
            self._effects.exchange(where, at, self._name, self._directory)
        except OSError as error:
            hint = f"the one before is {self.holding.shown}/{where}"
            words = f"{self._shown} is exchanged, and that can't be undone: {error.strerror}"
            raise StuckError(words, hint, FAILED) from None
        for fd in (self._directory, at):
            try:
                self._effects.fsync(fd)
            except OSError:  # both states are whole, whichever reaches the disk
                pass

    def _move(self, name: str, at: int, to: str, to_at: int) -> None:
        try:
            self._effects.rename(name, at, to, to_at)
            try:
                self._effects.fsync(at)
                self._effects.fsync(to_at)
            except OSError:
                self._effects.rename(to, to_at, name, at)
                raise
        except OSError as error:
            raise failed(f"{self._shown} stays as it is", error) from None

    def _open_expected(self) -> int | None:
        """The image that is there; None where there is none, and none is expected."""
        opened = open_regular(self._name, self._directory, self._uid, self._shown)
        found = file_id(opened[1]) if opened is not None else None
        if found == self._expected:
            return opened[0] if opened is not None else None
        if opened is None:
            raise Stop(f"{self._shown} has gone meanwhile")
        os.close(opened[0])
        raise Stop(f"{self._shown} is another file than before", "plan the reset again")

    def _lease(self, fd: int, shown: str) -> Lease:
        try:
            lease = Lease(self._effects, fd, HOLDER_TRIES)
        except OSError as error:
            raise failed(shown, error) from None
        if lease.held is False:
            lease.end()
            raise Stop(f"{shown} is in use: somebody has it open, mapped, or on a loop device", "stop what uses it")
        return lease

    def _try_again(self, work: Callable[[], str | None]) -> str | None:
        for _ in range(HOLDER_TRIES):
            try:
                return work()
            except _InterruptedError:
                pause()
            except OSError as error:
                raise failed(f"{self._shown} stays as it is", error) from None
        raise Stop(f"{self._shown} was opened again and again meanwhile: it stays as it is", "stop what uses it")
