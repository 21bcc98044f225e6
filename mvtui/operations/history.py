"""What only several looks together can tell: that restarts go on and on, and since when a share is down."""

import time
from collections import deque
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitStatus

# Two restarts within this many seconds of each other are a loop, and it is over when none came for as long.
LOOP_SECONDS = 120.0

# Most guests are down sooner.
LONG_STOP_SECONDS = 20.0


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class History:
    """Kept from look to look; knows nothing of what was before the first one."""

    def __init__(self, now: Callable[[], datetime] = utc_now, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.monotonic = monotonic
        self._restarts: dict[str, int] = {}
        self._grew: dict[str, deque[float]] = {}
        self._states: dict[str, State] = {}

    def restarting(self, name: str, unit: UnitStatus | None) -> bool:
        """Whether the unit's NRestarts grew at least twice within LOOP_SECONDS, the last time not longer ago."""
        if unit is None or unit.n_restarts is None:
            return False
        before = self._restarts.get(name)
        self._restarts[name] = unit.n_restarts
        at = self.monotonic()
        grew = self._grew.setdefault(name, deque(maxlen=2))
        if before is not None and unit.n_restarts > before:
            grew.append(at)
        elif before is not None and unit.n_restarts < before:
            grew.clear()  # a start by hand counts anew
        return len(grew) == 2 and at - grew[1] < LOOP_SECONDS and grew[1] - grew[0] < LOOP_SECONDS

    def stops_long(self, unit: UnitStatus | None) -> bool:
        """Whether the unit is being stopped for longer than LONG_STOP_SECONDS."""
        if unit is None or unit.active_state != "deactivating" or unit.since is None:
            return False
        return (self.now() - unit.since).total_seconds() >= LONG_STOP_SECONDS

    def date(self, name: str, state: State, *, looked_before: bool = True) -> State:
        """`state` with the time when it was first seen, where nothing else dates it and it is newer than our first
        look. `looked_before` false: nobody looked before at what it was found by, so it may be old."""
        before = self._states.get(name)
        dated = state
        if state.since is None and before is not None:
            if before.word is not state.word:
                is_new = state.word in (StateWord.DEGRADED, StateWord.ORPHAN) and looked_before
                dated = state._replace(since=self.now()) if is_new else state
            else:
                dated = state._replace(since=before.since)
        self._states[name] = dated
        return dated

    def forget_all_but(self, names: Collection[str]) -> None:
        """Drop what is kept of microVMs that are gone."""
        for kept in (self._restarts, self._grew, self._states):
            for name in [name for name in kept if name not in names]:
                del kept[name]
