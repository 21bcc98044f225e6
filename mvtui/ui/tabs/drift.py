"""Where what is defined, built and booted differ: a paragraph for each field."""

from collections.abc import Iterator

from mvtui.model.drift_fields import Stage
from mvtui.model.drift_words import place_words, stage_words
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui.lines import Line
from mvtui.ui.tabs.page import paragraph

# The overview's section.
DRIFT = "drift"


def drift_lines(microvm: MicroVM, width: int) -> Iterator[Line]:
    """None where nothing differs."""
    for number, one in enumerate(microvm.drift):
        text = f"{place_words(one)}   {stage_words(one)}   ({', '.join(one.follows)})"
        yield from paragraph("" if number else "Drift", text, width, "warning")


def no_drift_words(microvm: MicroVM) -> str:
    """What is compared, where nothing differs."""
    built = microvm.built.definition if microvm.built is not None else None
    stages = zip(Stage, (microvm.defined, built, microvm.booted), strict=True)
    known = [str(stage) for stage, definition in stages if definition is not None]
    if len(known) < 2:
        return f"{clean(microvm.name)}: there is nothing to compare"
    return f"{clean(microvm.name)}: nothing differs between {' and '.join(known)}"
