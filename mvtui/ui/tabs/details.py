"""What the tabs of shares and volumes say alike: details below an entry's first line, and its stages."""

from collections.abc import Callable, Iterator

from mvtui.model.definition import Definition
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


def stages(microvm: MicroVM, tell: Callable[[Definition], str | None], width: int) -> Iterator[Line]:
    """What `tell` says of the microVM as built and as booted, where each is known; None: it is not there. Where they
    differ, both stand out."""
    built = microvm.built.definition if microvm.built is not None else None
    known = [(stage, one) for stage, one in (("built", built), ("booted", microvm.booted)) if one is not None]
    told = [(stage, tell(definition) or "not there") for stage, definition in known]
    role = "warning" if len({text for _, text in told}) > 1 else "text"
    for stage, text in told:
        yield from detail(stage, text, width, role)
