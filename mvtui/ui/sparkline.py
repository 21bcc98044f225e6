"""Figures over time as a line of bars, and one figure as a bar of its most. Pure."""

import math
from collections.abc import Sequence

# The highest bar of a CPU line, at least: idle processes shall look idle.
ONE_CORE = 100.0

_BARS = "▁▂▃▄▅▆▇█"
# Where there is no UTF-8: four heights that read as such.
_ASCII_BARS = "_.-="


def sparkline(values: Sequence[float], width: int, *, most: float = 0.0, ascii_only: bool = False) -> str:
    """The last `width` of `values` in so many cells, flush right; a blank where nobody looked (NaN). The highest bar
    is the highest value, or `most` where that is higher."""
    bars = _ASCII_BARS if ascii_only else _BARS
    shown = values[-width:] if width > 0 else []
    top = max((value for value in shown if not math.isnan(value)), default=0.0)
    top = max(top, most)
    text = "".join([" " if math.isnan(value) else _bar(value, top, bars) for value in shown])
    return text.rjust(width)


def _bar(value: float, top: float, bars: str) -> str:
    if value <= 0 or top <= 0:
        return bars[0]
    return bars[min(len(bars) - 1, int(value / top * len(bars)))]


def gauge(share: float, width: int, *, ascii_only: bool = False) -> str:
    """`share` (0 to 1) of a bar of `width` cells."""
    full = round(max(0.0, min(1.0, share)) * width)
    return ("#" * full + "-" * (width - full)) if ascii_only else "█" * full + "░" * (width - full)
