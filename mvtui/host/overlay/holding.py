"""The directory in which one overlay's kept and unfinished ones are, and the lock that says who works on it."""

from __future__ import annotations

import errno
import os

from mvtui.host.overlay.effects import is_locked
from mvtui.host.overlay.names import FREEING, LOCK, OVERLAY, OWN, kept_names, next_kept_name
from mvtui.host.overlay.places import look, names_in, open_only_regular, open_own_directory
from mvtui.host.overlay.stop import Stop, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mvtui.host.overlay.effects import Effects

_WHO_BYTES = 200


class Holding:
    """`above` is the open directory beside whose overlay it is, at `path`, and at `shown` for messages; `own` is its
    name below `.mvtui/overlay`, or "". `at` is its descriptor, None while there is none."""

    def __init__(self, effects: Effects, above: int, path: str, shown: str, own: str, uid: int, suffix: str) -> None:
        self._effects, self._above, self._uid = effects, above, uid
        self._names = tuple(name for name in (OWN, OVERLAY, own) if name)
        self._above_shown = shown
        self.path = "/".join((path, *self._names))
        self.shown = "/".join((shown, *self._names))
        self.suffix = suffix
        self.at: int | None = None
        self._lock: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether this process has its lock."""
        return self._lock is not None

    def taken(self) -> int:
        """Its descriptor, once it was taken."""
        assert self.at is not None
        return self.at

    def find(self) -> int | None:
        """Its descriptor, None where there is none. Raises Stop where something else stands there."""
        self._open(make=False)
        return self.at

    def take(self, who: str) -> int:
        """Its descriptor, made where it is missing, and with the lock. Raises Stop, also where another works."""
        if self._lock is not None and self.at is not None:
            return self.at
        try:
            self._open(make=True)
            assert self.at is not None
            self._take_lock(self.at, who)
        except OSError as error:
            raise failed(self.shown, error) from None
        return self.at

    def _open(self, *, make: bool) -> None:
        if self.at is not None:
            return
        at, shown = self._above, self._above_shown
        for name in self._names:
            shown = f"{shown}/{name}"
            fd = open_own_directory(name, at, self._uid, shown)
            try:
                if fd is None and make:
                    try:
                        self._effects.mkdir(name, at)
                    except FileExistsError:  # another was faster
                        pass
                    self._effects.fsync(at)
                    fd = open_own_directory(name, at, self._uid, shown)
            finally:
                if at != self._above:
                    os.close(at)
            if fd is None:
                return
            at = fd
        self.at = at

    def _take_lock(self, at: int, who: str) -> None:
        try:
            fd = self._open_lock(at, os.O_RDWR)
        except FileNotFoundError:
            try:
                fd = self._effects.create(LOCK, at)
            except FileExistsError:  # another was faster
                fd = self._open_lock(at, os.O_RDWR)
        try:
            if not self._effects.lock(fd, who):
                raise Stop(f"{_said(fd)} works on this overlay now", "wait until it is done")
        except (OSError, Stop):
            os.close(fd)
            raise
        self._lock = fd

    def release(self) -> None:
        """Let others work there."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _open_lock(self, at: int, flags: int) -> int:
        try:
            fd, status = open_only_regular(LOCK, at, flags)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise Stop(f"{self.shown}/{LOCK} is no file of mvtui's", "move it away") from None
        if status.st_uid != self._uid or status.st_nlink != 1:
            os.close(fd)
            raise Stop(f"{self.shown}/{LOCK} is no file of mvtui's", "move it away")
        return fd

    def worker(self) -> str | None:
        """Who else works there now, in the words of the lock; None where nobody does."""
        if self.at is None or self._lock is not None:
            return None
        try:
            fd, _ = open_only_regular(LOCK, self.at, os.O_RDONLY)
        except OSError:
            return None
        try:
            return _said(fd) if is_locked(fd) else None
        except OSError:
            return None
        finally:
            os.close(fd)

    def names(self) -> list[str]:
        """What is there now."""
        return names_in(self.at) if self.at is not None else []

    def kept(self) -> list[str]:
        """The names of the kept ones, the newest first."""
        return kept_names(self.names(), self.suffix)

    def choose(self, name: str | None, shown: str) -> str:
        """The kept one of that name, or the newest. Raises Stop where there is none."""
        kept = self.kept()
        if name is not None and name not in kept:
            raise Stop(f"{name} is not kept", f"what is kept: {', '.join(kept) or 'nothing'}")
        if not kept:
            raise Stop(f"nothing of {shown} is kept")
        return name or kept[0]

    def next_kept(self) -> str:
        """A name for what is set aside now."""
        return next_kept_name(self.names(), self.suffix)

    def remove(self, name: str) -> None:
        """Remove what is rubbish; a directory is left to `free`. Raises OSError."""
        assert self.at is not None
        try:
            self._effects.unlink(name, self.at)
        except (IsADirectoryError, PermissionError):
            self.throw_away(name)

    def throw_away(self, name: str) -> None:
        """Give it a name that says rubbish: `free` removes it. Raises OSError."""
        assert self.at is not None
        number = 0
        while look(rubbish := f"{FREEING}{name}-{number}", self.at) is not None:
            number += 1
        self._effects.rename(name, self.at, rubbish, self.at)


def _said(fd: int) -> str:
    return os.pread(fd, _WHO_BYTES, 0).decode("utf-8", "replace") or "another mvtui"
