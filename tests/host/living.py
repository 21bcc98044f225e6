"""Processes for tests: they end with the test run, also when that is killed."""

import ctypes
import os
import signal
from typing import NoReturn

import pytest

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def dies_with_us() -> None:
    """For `preexec_fn`: the child is killed when the thread that started it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def need_root(for_what: str) -> None:
    if os.geteuid() != 0:
        missing(f"needs root, for {for_what}")


def missing(reason: str) -> NoReturn:
    """Skips; fails where everything has to be there."""
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)
