"""What the tabs of shares and volumes say alike: details below an entry's first line, and its stages."""

from collections.abc import Callable, Collection, Iterator

from mvtui.model.definition import Definition
from mvtui.model.drift_fields import Stage
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui.lines import Line, clipped, folded
from mvtui.ui.tabs.page import Entry, Page

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


def stages(
    page: Page, kind: str, name: str | None, tell: Callable[[Definition], str | None], width: int
) -> Iterator[Line]:
    """What `tell` says of the share or volume `name` as defined, built and booted, where each is known; None: it is not
    there. Where they differ, all stand out."""
    microvm = page.microvm
    built = microvm.built.definition if microvm.built is not None else None
    given = {Stage.DEFINED: microvm.defined, Stage.BUILT: built, Stage.BOOTED: microvm.booted}
    drifted = any(one.kind == kind and one.item == name for one in microvm.drift)
    for stage, definition in given.items():
        if definition is None or kind in definition.untold:
            continue
        yield from detail(stage, tell(definition) or "not there", width, "warning" if drifted else "text")


def elsewhere(page: Page, kind: str, shown: Collection[str | None]) -> list[str]:
    """The names of shares or volumes that stand in another stage alone, and so not among those `shown`."""
    gone = [one.item for one in page.microvm.drift if one.kind == kind and one.field == ""]
    return [name for name in gone if name not in shown]


def not_yet(page: Page) -> str:
    """Of what stands in another stage alone."""
    return f"not {'booted' if page.microvm.booted is not None else 'built'}"
