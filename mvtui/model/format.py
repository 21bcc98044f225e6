"""How ages, sizes and percentages are written: short, and never wider than what a column has for them. Pure."""

from datetime import datetime

AGE_WIDTH = 3
SIZE_WIDTH = 4
PERCENT_WIDTH = 4
NOTHING = "-"

# What a column can show; a superblock or a command line may claim any number.
_MOST = 999 << 80
_MINUTE, _HOUR, _DAY, _WEEK, _YEAR = 60, 3600, 86400, 604800, 31557600
# (below this many seconds, divided by, letter)
_AGES = (
    (_MINUTE, 1, "s"),
    (_HOUR, _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h"),
    (100 * _DAY, _DAY, "d"),
    (100 * _WEEK, _WEEK, "w"),
)


def age(since: datetime | None, now: datetime) -> str:
    """How long ago, in at most three characters: `4s`, `59m`, `47h`, `9d`, `99w`, `12y`; `-` where nobody knows.

    A `since` that lies in the future (the clock was set back) is `0s`.
    """
    return NOTHING if since is None else duration((now - since).total_seconds())


def duration(seconds: float) -> str:
    """A time span, in at most three characters, rounded down."""
    whole = max(0, int(seconds))
    for limit, unit, letter in _AGES:
        if whole < limit:
            return f"{whole // unit}{letter}"
    return f"{min(whole // _YEAR, 99)}y"


def size(count: float | None) -> str:
    """Bytes in at most four characters, powers of 1024: `0B`, `300M`, `1.8G`, `12T`; `-` where nobody knows."""
    if count is None:
        return NOTHING
    value, letters = float(min(count, _MOST)), iter("BKMGTPEZY")
    letter = next(letters)
    while value >= 999.5:
        value, letter = value / 1024, next(letters)
    # 9.95 rounds to 10.0, which is one character too many.
    return f"{value:.1f}{letter}" if value < 9.95 and letter != "B" else f"{value:.0f}{letter}"


def percent(value: float | None) -> str:
    """Percent of one core in at most four characters: `0.4`, `14.7`, `100`, `1600`; `-` where nobody knows."""
    if value is None:
        return NOTHING
    return f"{value:.1f}" if value < 99.95 else f"{min(value, 9999):.0f}"
