"""A child whose effects are counted, and the one of a number made to fail, or to be its last."""

import errno
import os
import signal
from typing import Any

from mvtui.host.overlay import child
from mvtui.host.overlay.effects import Effects

FAILS, BEFORE, AFTER = "fails", "before", "after"
ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS)


class FaultyEffects(Effects):
    """Effect number `number` (from 1) fails, with one error after the other, or kills this process before or after it.
    Every one is written down in `record`."""

    def __init__(self, record: str, number: int, how: str) -> None:
        self._record, self._number, self._how = record, number, how
        self._count = 0

    def __getattribute__(self, name: str) -> Any:
        effect = super().__getattribute__(name)
        if name.startswith("_"):
            return effect

        def counted(*args: Any) -> Any:
            self._count += 1
            with open(self._record, "a") as record:
                record.write(f"{name}\n")
            if self._count != self._number:
                return effect(*args)
            if self._how == FAILS:
                error = ERRORS[self._count % len(ERRORS)]
                raise OSError(error, os.strerror(error))
            if self._how == AFTER:
                effect(*args)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

        return counted


def entry(record: str, number: int = 0, how: str = "") -> str:
    """For OverlayWorker.start."""
    return f"from tests.host.overlay.faulty import run; run({record!r}, {number}, {how!r})"


def run(record: str, number: int, how: str) -> None:
    child.main(FaultyEffects(record, number, how))
