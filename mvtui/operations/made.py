"""A microVM of a look, and what it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mvtui.model.arming import ArmedState
    from mvtui.model.definition import Runner
    from mvtui.model.guest import GuestStatus
    from mvtui.model.microvm import MicroVM, StateDirEntry
    from mvtui.model.process import ProcessSample
    from mvtui.model.unit import UnitStatus
    from mvtui.operations.endings import Told


class Parts(NamedTuple):
    """All that a microVM is made of at a look, but for the slow facts: `facts` is another number when those may be
    others. `built` is the runner behind `current`, `behind` the one behind `booted`, None while nothing runs."""

    entry: StateDirEntry | None
    built: Runner | None
    behind: Runner | None
    units: list[UnitStatus]
    processes: list[ProcessSample]
    units_known: bool
    restarting: bool
    facts: int
    told: Told | None
    armed: ArmedState | None
    long_stop: bool = False
    guest: GuestStatus | None = None


class Made(NamedTuple):
    """A microVM, and what it was made of. `commands` is what its `booted` was read from, None while nothing runs."""

    microvm: MicroVM
    parts: Parts
    commands: tuple[object, ...] | None
