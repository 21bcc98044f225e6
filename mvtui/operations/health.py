"""What is wrong with the host as a whole, from what a look has seen. Pure."""

from collections.abc import Sequence

from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM, ShareHealth


def hidden_finding(microvms: Sequence[MicroVM], uid: int) -> Finding | None:
    """What the user `uid` can't see of the host as a whole, and which right is missing; None for root, and where
    nothing is hidden."""
    hidden = sum(
        one.state.word.is_up and any(status.health is ShareHealth.UNKNOWN for status in one.shares) for one in microvms
    )
    if uid == 0 or not hidden:
        return None
    return Finding(
        Severity.INFO,
        "rights",
        "hidden",
        f"Of {hidden} microVM{'' if hidden == 1 else 's'} can't be told whether all shares are served.",
        f"/proc shows the open files of others to root alone, and mvtui runs as uid {uid}.",
        "run mvtui as root (sudo mvtui)",
    )
