"""A keeper lives as long as its microVM: what it can't start leaves no descriptor open in it."""

import errno
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mvtui.host.keeper_group import SETUP_UNITS
from mvtui.host.keeper_place import RefusedError
from mvtui.host.keeper_process import Watch
from mvtui.host.keeper_stop import stop


def _open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def _raise(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_program_for_which_there_is_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", _raise(OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))))
    before = _open_descriptors()
    with pytest.raises(OSError, match="temporarily"):
        Watch.__new__(Watch).spawn(["/bin/true"], directory=0, log=1, identity=None, env={})
    assert _open_descriptors() == before


def test_a_script_that_others_than_root_can_change() -> None:
    told = []
    group: Any = SimpleNamespace(
        hypervisor=None,
        virtiofsd=None,
        leftovers=[],
        timings=SimpleNamespace(stop=1.0),
        status=SimpleNamespace(
            units={unit: {"active_state": "active"} for unit, _, _ in SETUP_UNITS},
            set=lambda unit, *state, **_: told.append((unit, *state)),
        ),
        watch=SimpleNamespace(wait=lambda *_, **__: True),
        place=SimpleNamespace(open_log=lambda _: os.open(os.devnull, os.O_WRONLY), clear_booted=lambda: None),
        script=lambda name: name,
        spawn=_raise(RefusedError("others can change it")),
    )
    before = _open_descriptors()
    stop(group, "stop")
    assert _open_descriptors() == before
    assert [state for _, *states in told for state in states].count("failed") > 0
