"""What the tabs of shares and volumes say alike: details below an entry's first line, and its stages."""

from collections.abc import Iterator

from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui.lines import Line, clipped, folded
from mvtui.ui.tabs.page import Entry

_INDENT = "    "
_LABEL_WIDTH = 8


def none_of(what: str, microvm: MicroVM, width: int) -> list[Entry]:
    """That it has no `what` (`shares`), or why that can't be told."""
    known = microvm.definition is not None
    words = f"It has no {what}." if known else "What it has can't be told: no runner was read."
    return [Entry(((), clipped((("  ", "text"), (words, "text")), width)))]


def detail(label: str, text: str, width: int, role: str = "text") -> Iterator[Line]:
    """Text (of the host) in as many lines as it takes, the label before the first."""
    lines = folded(clean(text), max(10, width - len(_INDENT) - _LABEL_WIDTH - 1), 50)
    for number, line in enumerate(lines):
        yield ((f"{_INDENT}{label if number == 0 else '':<{_LABEL_WIDTH}} ", "dim"), (line, role))


def stages(built: str | None, booted: str | None, width: int) -> Iterator[Line]:
    """As built and as booted; None where that can't be told. Where they differ, both stand out."""
    told = [(stage, text) for stage, text in (("built", built), ("booted", booted)) if text is not None]
    role = "warning" if len({text for _, text in told}) > 1 else "text"
    for stage, text in told:
        yield from detail(stage, text, width, role)
