"""Aim and measured value of every benchmark, printed as one table at the end of the run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """`measured` and `aim` are ratios (or what `unit` says); `at_least` where more is better."""

    what: str
    measured: float
    aim: float
    at_least: bool = False
    words: str = ""

    @property
    def met(self) -> bool:
        return self.measured >= self.aim if self.at_least else self.measured <= self.aim


SCORES: list[Score] = []


def score(what: str, measured: float, aim: float, *, at_least: bool = False, words: str = "") -> None:
    """Put a measured ratio on the table; `words` are the figures behind it."""
    SCORES.append(Score(what, measured, aim, at_least, words))


def table() -> list[str]:
    """The lines of the table."""
    lines = []
    for one in SCORES:
        sign = "≥" if one.at_least else "≤"
        verdict = "met" if one.met else "MISSED"
        lines.append(f"{one.what:<62} {one.measured:8.2f}  aim {sign} {one.aim:<6g} {verdict:<7} {one.words}")
    return lines
