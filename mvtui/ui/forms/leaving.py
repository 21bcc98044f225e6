"""What is asked before mvtui ends with something that was not saved. Pure."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mvtui.model.text import clean
from mvtui.ui.questions import Answer, Fact, Question

if TYPE_CHECKING:
    from mvtui.operations.draft import Draft


def may_drop(drafts: Sequence["Draft"], end: Callable[[], None]) -> Question:
    """Whether what was changed in these definitions may be lost."""
    names = [clean(draft.document.microvm.name) for draft in drafts]
    facts = tuple(Fact(clean(", ".join(draft.changes)), False, name) for name, draft in zip(names, drafts, strict=True))
    whose = names[0] if len(names) == 1 else f"{len(names)} microVMs"
    return Question(f"quit? The definition of {whose} is not saved", (Answer("y", "quits, and drops it", end),), facts)
