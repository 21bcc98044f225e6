"""Which microVMs the list shows, and in which order. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from mvtui.model.finding import Severity
from mvtui.model.microvm import MicroVM, ShareHealth
from mvtui.model.row import cpu_percent, overlay_percent, state_since
from mvtui.model.state import StateWord

# The worst first: what sorting by state and filtering by what is wrong go by.
WORST_FIRST = (
    StateWord.FAILED,
    StateWord.LOOPING,
    StateWord.DEGRADED,
    StateWord.ORPHAN,
    StateWord.UNKNOWN,
    StateWord.STOPPING,
    StateWord.STARTING,
    StateWord.STOPPED,
    StateWord.RUNNING,
)
_RANKS = {word: rank for rank, word in enumerate(WORST_FIRST)}

_WRONG = frozenset((StateWord.FAILED, StateWord.LOOPING, StateWord.DEGRADED, StateWord.ORPHAN, StateWord.UNKNOWN))

# What a column is sorted by; None goes last in either direction.
Key = Callable[[MicroVM], float | None]

NAME = "NAME"


def _age(microvm: MicroVM) -> float | None:
    since = state_since(microvm)
    return -since.timestamp() if since is not None else None


def _memory(microvm: MicroVM) -> float | None:
    return -float(microvm.hypervisor.memory) if microvm.hypervisor is not None else None


def _down(microvm: MicroVM) -> float | None:
    """Shares that are not served, the most first."""
    if not microvm.shares or not microvm.state.word.is_up:
        return None
    return -float(sum(status.health is not ShareHealth.UP for status in microvm.shares))


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


# By the first word of the column's title, in the columns' order; NAME is how they come. The direction is the one that
# people mean: what is worst, most or newest comes first.
SORT_KEYS: dict[str, Key] = {
    "STATE": lambda microvm: float(_RANKS[microvm.state.word]),
    "AGE": _age,
    "CPU%": lambda microvm: _negative(cpu_percent(microvm)),
    "MEM": _memory,
    "FSD": _down,
    "OVERLAY": lambda microvm: _negative(overlay_percent(microvm)),
    "NOTE": lambda microvm: -float(microvm.findings[0].severity) if microvm.findings else None,
}
COLUMNS = (NAME, *SORT_KEYS)


@dataclass(frozen=True, slots=True)
class Listing:
    """`text`: words that all must stand in a row's name, state or note, whatever their case; `state`: one alone, or
    every one that speaks of trouble where `wrong`. `sort` is one of COLUMNS."""

    text: str = ""
    state: StateWord | None = None
    wrong: bool = False
    sort: str = NAME
    reverse: bool = False

    @property
    def filters(self) -> bool:
        """True where not every microVM may be shown."""
        return bool(self.text.strip()) or self.state is not None or self.wrong

    @property
    def words(self) -> str:
        """The filter as people read it: `degraded /git`."""
        parts = [str(self.state)] if self.state is not None else []
        parts += ["what is wrong"] if self.wrong else []
        parts += [f"/{self.text.strip()}"] if self.text.strip() else []
        return " ".join(parts)

    def arranged(self, microvms: tuple[MicroVM, ...]) -> tuple[MicroVM, ...]:
        """Those of `microvms` (sorted by name) that are shown, in their order; ties stay sorted by name."""
        shown = tuple(filter(self._shows, microvms)) if self.filters else microvms
        if self.sort == NAME:
            return tuple(reversed(shown)) if self.reverse else shown
        key = SORT_KEYS[self.sort]
        keyed = [(key(microvm), microvm) for microvm in shown]
        known = [(value, microvm) for value, microvm in keyed if value is not None]
        # Equal ones stay in the order of their names, in both directions.
        known.sort(key=lambda pair: pair[0], reverse=self.reverse)
        return (*[one for _, one in known], *[one for value, one in keyed if value is None])

    def sorted_by(self, step: int) -> "Listing":
        """Sorted by the column `step` further to the right, from the last one round to the first."""
        column = COLUMNS[(COLUMNS.index(self.sort) + step) % len(COLUMNS)]
        return replace(self, sort=column, reverse=False)

    def _shows(self, microvm: MicroVM) -> bool:
        if self.state is not None and microvm.state.word is not self.state:
            return False
        if self.wrong and not is_wrong(microvm):
            return False
        words = self.text.casefold().split()
        if not words:
            return True
        row = f"{microvm.name} {microvm.state.word} {microvm.state.detail} {microvm.note}".casefold()
        return all(word in row for word in words)


def is_wrong(microvm: MicroVM) -> bool:
    """Whether its state speaks of trouble, or a finding does."""
    return microvm.state.word in _WRONG or any(finding.severity > Severity.INFO for finding in microvm.findings)


def state_counts(microvms: Iterable[MicroVM]) -> dict[StateWord, int]:
    """How many there are of each state that there is, the worst first."""
    counts = dict.fromkeys(WORST_FIRST, 0)
    for microvm in microvms:
        counts[microvm.state.word] += 1
    return {word: count for word, count in counts.items() if count}
