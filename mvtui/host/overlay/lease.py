"""Nobody else has it open: write leases on files (fcntl(2), F_SETLEASE), asked for and held."""

from __future__ import annotations

import os
import time

from mvtui.host.overlay.effects import give_lease_back, holds_lease, is_locked, writer_waits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mvtui.host.overlay.effects import Effects

# Who only looks (a panel that reads a superblock, file(1)) has it open for some microseconds. Who has the lock of the
# overlay can wait longer for them than they wait for it.
TRIES = 10
HOLDER_TRIES = 100
_PAUSE_SECONDS = 0.005


def pause() -> None:
    """Before another try: not for the same time in two processes, which would meet again and again."""
    time.sleep(_PAUSE_SECONDS * (0.5 + os.urandom(1)[0] / 256))


class Lease:
    """A lease on the file that `fd`, opened for reading, is of; with this object `fd` is closed. `held`: True where it
    was given, False where somebody has the file open or locked, None where the file system knows no leases."""

    def __init__(self, effects: Effects, fd: int, tries: int) -> None:
        """Raises OSError, and has closed `fd` then."""
        self._fd = fd
        try:
            self.held = self._take(effects, tries)
        except OSError:
            os.close(fd)
            raise

    def _take(self, effects: Effects, tries: int) -> bool | None:
        for attempt in range(tries):
            if attempt:
                pause()
            held = effects.lease(self._fd)
            if held is None and is_locked(self._fd):
                return False
            if held is not False:
                return held
        return False

    @property
    def is_whole(self) -> bool:
        """False where somebody waits in open(2) for it to be given back, or did not want to wait."""
        return not self.held or holds_lease(self._fd)

    @property
    def writer_waits(self) -> bool:
        """True where somebody waits in open(2) for it who wants to write, as a hypervisor does."""
        return bool(self.held) and writer_waits(self._fd)

    def give_back(self) -> None:
        """Whoever waits in open(2) goes on; the descriptor stays open."""
        if self.held:
            self.held = None
            give_lease_back(self._fd)

    def end(self) -> None:
        """Give it back, and close the descriptor."""
        try:
            self.give_back()
        finally:
            os.close(self._fd)


def exchange_stays(before: Lease, now: Lease | None) -> bool:
    """Whether an exchange stays though somebody waits for what was the image `before`: where somebody waits for what is
    it `now` too. Each got its name when that was right. Of a writer, the hypervisor, and one who only looks, the writer
    gets what stays the image."""
    if now is None or now.is_whole:
        return False
    return now.writer_waits or not before.writer_waits
