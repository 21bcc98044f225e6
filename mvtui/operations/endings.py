"""Since when, of what neither units nor processes date: a log of the past is asked once, for all microVMs together."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from mvtui.host.ports import End, EndTimes
from mvtui.model.microvm import ShareStatus
from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitKind
from mvtui.operations.shares import dated, down_since, undated_tags
from mvtui.operations.states import Evidence

# What the log did not know is asked for again after so many seconds, where it is still wanted.
RETRY_SECONDS = 300.0

Told = Mapping[End, datetime]


class Endings:
    """What looks have asked of `log`, and what it told. By microVM, which has one state at a time: what was told of an
    earlier one is forgotten. Looks go on while another thread renews."""

    def __init__(self, log: EndTimes | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._told: dict[str, tuple[tuple[End, ...], Told]] = {}
        self._open: dict[str, tuple[End, ...]] = {}
        self._retry_at = 0.0
        self._lock = threading.Lock()

    @property
    def missing(self) -> bool:
        """True where a look asked for something that the log has not been asked for."""
        return bool(self._open)

    def told(self, microvm: str) -> Told | None:
        """What the log knows of a microVM; None where nothing was asked, or nothing is known."""
        _, told = self._told.get(microvm, ((), {}))
        return told or None

    def ask(self, microvm: str, ends: tuple[End, ...]) -> Told:
        """What is known of `ends`; what was not asked for yet is left to `renew`."""
        with self._lock:
            asked, told = self._told.get(microvm, ((), {}))
            if ends == asked:
                return told
            self._told.pop(microvm, None)
            self._open.pop(microvm, None)
            if ends and self._log is not None:
                self._open[microvm] = ends
        return {}

    def renew(self) -> None:
        """Ask the log for all that is open, now and then also for what it did not know. Blocking."""
        if self._log is None:
            return
        asked = self._to_ask()
        if not asked:
            return
        told = self._log.read({end for ends in asked.values() for end in ends})
        with self._lock:
            for name, ends in asked.items():
                self._told[name] = ends, {end: told[end] for end in ends if end in told}
                if self._open.get(name) == ends:
                    del self._open[name]

    def _to_ask(self) -> dict[str, tuple[End, ...]]:
        now = self._monotonic()
        with self._lock:
            asked = dict(self._open)
            if now >= self._retry_at:
                self._retry_at = now + RETRY_SECONDS
                asked |= {name: ends for name, (ends, told) in self._told.items() if not told}
        return asked

    def forget_all_but(self, names: Collection[str]) -> None:
        """Drop what is kept of microVMs that are gone."""
        with self._lock:
            for kept in (self._told, self._open):
                for name in [name for name in kept if name not in names]:
                    del kept[name]


def undated(seen: Evidence, state: State) -> tuple[End, ...]:
    """What to ask a log for, so that `state` gets its `since`."""
    if state.since is not None:
        return ()
    if state.word is StateWord.STOPPED and seen.units_known:
        return (End(seen.name),)
    if state.word is StateWord.DEGRADED and seen.hypervisor is not None and not seen.hypervisor.frozen:
        # A unit that was active before is another run; what ended before the hypervisor came was not connected to it.
        after = seen.hypervisor.started
        unit = seen.units.get(UnitKind.VIRTIOFSD)
        if unit is not None and unit.active_state == "active" and unit.since is not None:
            after = max(after, unit.since)
        return tuple(End(seen.name, tag, after) for tag in undated_tags(seen.shares))
    return ()


def with_ends(state: State, shares: tuple[ShareStatus, ...], told: Told) -> tuple[State, tuple[ShareStatus, ...]]:
    """`state` and `shares` with what a log told of what `undated` named."""
    if not told:
        return state, shares
    if state.word is StateWord.STOPPED:
        return state._replace(since=next(iter(told.values()))), shares
    shares = dated(shares, {end.share: at for end, at in told.items() if end.share is not None})
    return state._replace(since=down_since(shares)), shares
