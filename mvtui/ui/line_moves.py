"""Lines that only stand at another height now: the terminal moves them itself. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Move:
    """The lines from `top` (counted from 0), so many, came up by `step` lines, or went down where it is negative."""

    top: int
    count: int
    step: int

    @property
    def kept(self) -> range:
        """Where the moved ones stand."""
        return range(self.top, self.top + self.count)

    @property
    def lines(self) -> range:
        """All that it touches: where the moved ones stand, and those that the terminal leaves empty."""
        return range(self.top + min(self.step, 0), self.top + self.count + max(self.step, 0))

    def source_of(self, y: int) -> int | None:
        """Where the line stood that now stands at `y`; None where that is empty."""
        if self.top <= y < self.top + self.count:
            return y + self.step
        return None if y in self.lines else y

    @property
    def sequence(self) -> str:
        """The escape sequences: these lines scroll, what is around them stays. A VT100 does that, while it can't insert
        or delete lines."""
        first, last = self.lines[0] + 1, self.lines[-1] + 1  # as terminals count
        scroll = f"\x1b[{last}H" + "\v" * self.step if self.step > 0 else f"\x1b[{first}H" + "\x1bM" * -self.step
        return f"\x1b[{first};{last}r{scroll}\x1b[r"


def move_of(had: Mapping[int, str], lines: Mapping[int, str]) -> Move | None:
    """The move that explains most of the changed `lines`; `had` is what stood everywhere."""
    places = {text: y for y, text in had.items() if text.strip()}
    steps = Counter([places[text] - y for y, text in lines.items() if text in places])
    del steps[0]
    if not steps:
        return None
    step = steps.most_common(1)[0][0]
    now = {**had, **lines}
    runs = _runs(step, (y for y in sorted(now) if now[y] == had.get(y + step)))
    known = [move for move in runs if now.keys() >= set(move.lines)]
    return max(known, key=lambda move: len([y for y in move.kept if now[y].strip()]), default=None)


def _runs(step: int, lines: Iterable[int]) -> list[Move]:
    """The moves of neighbouring lines."""
    grouped = groupby(enumerate(lines), key=lambda pair: pair[1] - pair[0])
    runs = [[y for _, y in group] for _, group in grouped]
    return [Move(run[0], len(run), step) for run in runs]
