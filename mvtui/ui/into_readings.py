"""What is told of a guest that can't be reached, and of a support bundle that was written. Pure."""

import os
from typing import TYPE_CHECKING

from mvtui.model.format import size
from mvtui.model.text import clean
from mvtui.ui.questions import Fact
from mvtui.ui.reading import Reading

if TYPE_CHECKING:
    from mvtui.operations.bundle import Written
    from mvtui.operations.into import NoWayError


def no_way(error: "NoWayError") -> Reading:
    """Of each way into the guest why it leads nowhere, and what would."""
    facts = (*(Fact(clean(reason), False) for reason in error.reasons), Fact(clean(error.hint)))
    return Reading(clean(error.gist), facts, harmless=True)


def is_written(written: "Written") -> Reading:
    """Where it is, what is in it, what is not, and what was left out."""
    from mvtui.operations.bundle import promises  # noqa: PLC0415 - most panels write none

    bundle = written.bundle
    facts = [Fact(size(len(content)), True, name) for name, content in bundle.files.items()]
    facts += [Fact(one.why, False, one.part) for one in bundle.missing]
    facts += [Fact(words) for words in promises(bundle.left_out)]
    question = f"{clean(os.fspath(written.path))}: {size(written.size)}, readable for its owner alone"
    return Reading(question, tuple(facts), harmless=True)
