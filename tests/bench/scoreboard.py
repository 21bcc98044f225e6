"""Aim and measured value of every benchmark, printed as one table at the end of the run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """`measured` and `aim` are ratios (or what `what` says); `at_least` where more is better. `aim` is None where there
    is none at this size."""

    what: str
    measured: float
    aim: float | None
    at_least: bool = False
    words: str = ""

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return "no aim at this size"
        met = self.measured >= self.aim if self.at_least else self.measured <= self.aim
        return f"aim {'≥' if self.at_least else '≤'} {self.aim:<6.3g} {'met' if met else 'MISSED'}"


SCORES: list[Score] = []


def score(what: str, measured: float, aim: float | None, *, at_least: bool = False, words: str = "") -> None:
    """Put a measured ratio on the table; `words` are the figures behind it."""
    SCORES.append(Score(what, measured, aim, at_least, words))


def table() -> list[str]:
    """The lines of the table."""
    width = max((len(one.what) for one in SCORES), default=0)
    return [f"{one.what:<{width}} {one.measured:8.2f}  {one.verdict:<19}  {one.words}".rstrip() for one in SCORES]
