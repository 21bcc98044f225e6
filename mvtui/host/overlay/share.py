"""The overlay is on a share: its directories `store` and `work` are set aside and made anew.

The exchange of `store` is the one that counts. `work` goes first: what the kernel keeps there is of no use once the
guest has stopped, so that either one serves either `store`.
"""

from __future__ import annotations

import os
import stat

from mvtui.host.overlay.holding import Holding
from mvtui.host.overlay.image_facts import free_bytes, status_pairs
from mvtui.host.overlay.names import BACK, MAKING, NEW, SHARE_SUFFIX, inodes_in
from mvtui.host.overlay.places import FileId, file_id, look, open_own_directory
from mvtui.host.overlay.stop import FAILED, Stop, StuckError, failed, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.host.overlay.effects import Effects
    from mvtui.host.overlay.image_facts import Pair

STORE, WORK = "store", "work"
# What overlayfs makes in its work directory (kernel documentation, overlayfs).
_OF_OVERLAYFS = {"work", "index"}
_HOSTS_STORE = "/nix/store"


class ShareWork:
    """The overlay in the open directory `source`, a share's, which is at `path`, and at `shown` for messages. All
    methods raise Stop."""

    def __init__(self, effects: Effects, source: int, path: str, shown: str, uid: int) -> None:
        self._effects, self._source, self._shown, self._uid = effects, source, shown, uid
        self.holding = Holding(effects, source, path, shown, "", uid, SHARE_SUFFIX)
        self._expected: FileId | None = None
        self._made: str | None = None
        self._new_inode: int | None = None
        self._kept: str | None = None

    def look(self) -> Iterator[Pair]:
        """What there is; changes nothing."""
        yield "free", free_bytes(self._source)
        problem = ""
        try:
            self.holding.find()
            yield "worker", self.holding.worker()
        except Stop as stop:
            problem = stop.message
        status = look(STORE, self._source)
        if status is not None:
            yield from status_pairs(status)
        try:
            problem = problem or self._problem()
        except OSError as error:
            problem = failed(self._shown, error).message
        yield "problem", problem or None

    def _problem(self) -> str:
        device = os.fstat(self._source).st_dev
        for name in (STORE, WORK):
            status = look(name, self._source)
            if status is None:
                continue
            if not stat.S_ISDIR(status.st_mode):
                return f"{self._shown}/{name} is no directory"
            if status.st_uid != self._uid:
                hint = "" if status.st_uid else f": chown root {quoted(self._shown)} mends that"
                return f"{self._shown}/{name} belongs to user {status.st_uid}, and {self._shown} to {self._uid}{hint}"
            if status.st_dev != device:
                return f"{self._shown}/{name} is another file system"
            if os.path.exists(_HOSTS_STORE) and file_id(status) == file_id(os.stat(_HOSTS_STORE)):
                return f"{self._shown}/{name} is the host's {_HOSTS_STORE}"
        work = open_own_directory(WORK, self._source, self._uid, f"{self._shown}/{WORK}")
        if work is None:
            return ""
        try:
            others = set(os.listdir(work)) - _OF_OVERLAYFS
        finally:
            os.close(work)
        return f"{self._shown}/{WORK} is no work directory of an overlay: it has other files" if others else ""

    def make(self, who: str, expected: FileId | None) -> None:
        """Make new directories, beside the ones that are there; `store` has to be `expected`."""
        at = self.holding.take(who)
        self.settle()
        self._expected = expected
        self._check()
        try:
            self._effects.mkdir(MAKING, at)
            making = self._open(MAKING)
            try:
                inodes = [self._make_one(name, making) for name in (STORE, WORK)]
                self._effects.fsync(making)
            finally:
                os.close(making)
            made = f"{NEW}{inodes[0]}.{inodes[1]}"
            self._new_inode = inodes[0]
            self._effects.rename(MAKING, at, made, at)
            self._made = made
            self._effects.fsync(at)
        except OSError as error:
            self._drop_quietly()
            raise failed(f"the new overlay in {self._shown} can't be made", error) from None
        except Stop:
            self._drop_quietly()
            raise

    def _make_one(self, name: str, making: int) -> int:
        """As the one that is there; its inode."""
        there = os.stat(name, dir_fd=self._source, follow_symlinks=False)
        self._effects.mkdir(name, making)
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=making)
        try:
            status = os.fstat(fd)
            if (status.st_uid, status.st_gid) != (there.st_uid, there.st_gid):
                self._effects.chown(fd, there.st_uid, there.st_gid)
            self._effects.chmod(fd, stat.S_IMODE(there.st_mode))
            self._effects.fsync(fd)
            return status.st_ino
        finally:
            os.close(fd)

    def commit(self) -> str:
        """Give the new directories their names; the name of what was set aside."""
        if self._made is None:
            raise Stop(f"there is no new overlay in {self._shown}", code=FAILED)
        self._check()
        kept = self.holding.next_kept()
        try:
            self._exchange(self._made, self._expected, kept)
        except OSError as error:
            raise failed(f"{self._shown} stays as it is", error) from None
        self._made, self._kept = None, kept
        return kept

    def undo_commit(self) -> None:
        """The old directories have their names again, and the new ones are rubbish."""
        new, kept = self._inodes(self._source), self._kept
        if kept is None:
            raise Stop(f"nothing was set aside in {self._shown}", code=FAILED)
        self._new_inode = new[0]
        self._swap(kept, f"{NEW}{new[0]}.{new[1]}", None)
        self._kept = None
        self.drop()

    def restore(self, who: str, name: str | None) -> str:
        """The kept directories of that name, or the newest, have their names again; what is kept instead."""
        if self.holding.find() is None:
            raise Stop(f"nothing of {self._shown} is kept")
        self.holding.take(who)
        self.settle()
        kept = self.holding.choose(name, self._shown)
        container = self._open(kept)
        try:
            inodes = self._inodes(container)
        finally:
            os.close(container)
        now = self.holding.next_kept()
        self._swap(kept, f"{BACK}{inodes[0]}.{inodes[1]}", now)
        return now

    def _swap(self, kept: str, meanwhile: str, then: str | None) -> None:
        """What is kept comes back. Under the name that it has `meanwhile`, `settle` knows how far it came."""
        at = self.holding.taken()
        if problem := self._problem():
            raise Stop(problem)
        store = os.stat(STORE, dir_fd=self._source, follow_symlinks=False)
        try:
            self._effects.rename(kept, at, meanwhile, at)
            try:
                self._exchange(meanwhile, file_id(store), then or meanwhile)
            except StuckError:
                raise
            except (OSError, Stop):
                self._effects.rename(meanwhile, at, kept, at)
                raise
        except OSError as error:
            raise failed(f"{self._shown} stays as it is", error) from None

    def _exchange(self, name: str, store: FileId | None, then: str) -> None:
        """Exchange what is in the container `name` with what is there, where `store` is; the container then has the
        name `then`. Raises Stop, OSError: then nothing has changed, but for StuckError."""
        at, where = self.holding.taken(), name
        container = self._open(name)
        done: list[str] = []
        try:
            for each in (WORK, STORE):
                self._effects.exchange(each, container, each, self._source)
                done.insert(0, each)
            if then != name:
                self._effects.rename(name, at, then, at)
                where = then
            for fd in (container, self._source, at):
                self._effects.fsync(fd)
            status = look(STORE, container)
            if status is None or file_id(status) != store:
                raise Stop(f"{self._shown}/{STORE} was replaced meanwhile: it stays as it is")
        except (OSError, Stop):
            self._take_back(container, done, where, name)
            raise
        finally:
            os.close(container)

    def _take_back(self, container: int, done: list[str], where: str, name: str) -> None:
        if where != name:
            try:
                self._effects.rename(where, self.holding.taken(), name, self.holding.taken())
            except OSError:  # what counts is what it holds
                pass
        try:
            for each in done:
                self._effects.exchange(each, container, each, self._source)
        except OSError as error:
            words = f"{self._shown} is exchanged, and that can't be undone: {error.strerror}"
            raise StuckError(words, f"the one before is in {self.holding.shown}", FAILED) from None

    def drop(self) -> None:
        """What `make` made becomes rubbish."""
        if not self.holding.is_taken:
            return
        try:
            for name in self.holding.names():
                if name == MAKING or self._is_new(name):
                    self.holding.throw_away(name)
        except OSError as error:
            raise failed(f"{self.holding.shown} can't be cleaned", error) from None
        self._made = self._new_inode = None

    def _is_new(self, name: str) -> bool:
        there = look(name, self.holding.taken())
        if there is None or not stat.S_ISDIR(there.st_mode):
            return False
        container = self._open(name)
        try:
            status = look(STORE, container)
            return status is not None and status.st_ino == self._new_inode
        finally:
            os.close(container)

    def _drop_quietly(self) -> None:
        try:
            self.drop()
        except Stop:  # the next make does it
            pass

    def settle(self) -> None:
        """Clean up after one who was killed: finish what had its name, undo and remove the rest."""
        try:
            for name in self.holding.names():
                inodes = inodes_in(name, NEW) or inodes_in(name, BACK)
                if name != MAKING and (inodes is None or len(inodes) != 2):
                    continue
                status = look(name, self.holding.taken())
                if inodes is None or status is None or not stat.S_ISDIR(status.st_mode) or status.st_uid != self._uid:
                    self.holding.throw_away(name)
                else:
                    self._settle(name, inodes)
        except OSError as error:
            raise failed(f"{self.holding.shown} can't be cleaned", error) from None

    def _settle(self, name: str, inodes: tuple[int, ...]) -> None:
        at = self.holding.taken()
        container = self._open(name)
        try:
            store, work = look(STORE, container), look(WORK, container)
            is_old = store is not None and store.st_ino != inodes[0]
            if store is not None and work is not None and not is_old and work.st_ino != inodes[1]:
                self._effects.exchange(WORK, container, WORK, self._source)
        finally:
            os.close(container)
        if is_old or name.startswith(BACK):
            self._effects.rename(name, at, self.holding.next_kept(), at)
        else:
            self.holding.throw_away(name)

    def _check(self) -> None:
        problem = self._problem()
        if problem:
            raise Stop(problem)
        for name in (STORE, WORK):
            if look(name, self._source) is None:
                raise Stop(f"{self._shown} has no {name}: there is nothing to reset", "the first start makes it")
        if file_id(os.stat(STORE, dir_fd=self._source, follow_symlinks=False)) != self._expected:
            raise Stop(f"{self._shown}/{STORE} is another directory than before", "plan the reset again")

    def _inodes(self, at: int) -> tuple[int, int]:
        store, work = look(STORE, at), look(WORK, at)
        if store is None or work is None:
            raise Stop(f"{self._shown}: store or work is missing")
        return store.st_ino, work.st_ino

    def _open(self, name: str) -> int:
        fd = open_own_directory(name, self.holding.taken(), self._uid, f"{self.holding.shown}/{name}")
        if fd is None:
            raise Stop(f"{self.holding.shown}/{name} has gone")
        return fd
