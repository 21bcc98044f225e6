"""The last minutes of every process, for sparklines: kept while the panel runs, bounded for each process."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime

from mvtui.model.microvm import MicroVM
from mvtui.model.process import ProcessSample

# One value for so many seconds, and so many of them: five minutes.
SLOT_SECONDS = 5.0
SLOTS = 60

_UNKNOWN = float("nan")


class Series:
    """One figure over time: a value for each slot, the oldest first; NaN where nobody looked."""

    __slots__ = ("_first", "_values")

    def __init__(self) -> None:
        self._values = array("f")
        self._first = 0

    def add(self, slot: int, value: float | None) -> None:
        """The value in `slot`, a number that grows."""
        values = self._values
        if not values:
            self._first = slot
        gap = slot - self._first - len(values)
        if gap >= SLOTS:
            self._first, self._values = slot, array("f")
            values, gap = self._values, 0
        values.extend([_UNKNOWN] * gap)
        values.append(_UNKNOWN if value is None else value)
        surplus = len(values) - SLOTS
        if surplus > 0:
            del values[:surplus]
            self._first += surplus

    def last(self, count: int) -> Sequence[float]:
        """The last `count` values, or as many as there are."""
        return self._values[-count:] if count > 0 else ()


class Trend:
    """CPU in percent of one core, and memory in bytes."""

    __slots__ = ("cpu", "memory")

    def __init__(self) -> None:
        self.cpu, self.memory = Series(), Series()


# A pid may be given again: it is one process only together with its start.
_Process = tuple[int, datetime]


class Trends:
    """Takes in what each look saw."""

    def __init__(self) -> None:
        self._processes: dict[_Process, Trend] = {}
        self._slot = -1

    def take(self, microvms: Iterable[MicroVM], seconds: float) -> None:
        """What was seen at `seconds` (of a clock that never goes back): once for each slot. Processes that have ended
        are forgotten."""
        slot = int(seconds // SLOT_SECONDS)
        if slot == self._slot:
            return
        self._slot = slot
        before, self._processes = self._processes, {}
        for microvm in microvms:
            for process in microvm.processes:
                key = (process.pid, process.started)
                trend = self._processes[key] = before.get(key) or Trend()
                trend.cpu.add(slot, process.cpu_percent)
                trend.memory.add(slot, process.memory)

    def of(self, process: ProcessSample) -> Trend:
        """The last minutes of a process; empty where it is not known."""
        return self._processes.get((process.pid, process.started)) or Trend()
