"""Resets of overlays."""

from collections.abc import Callable
from typing import NamedTuple

from mvtui.host.ports import Host
from mvtui.model.overlay import ResetPlan


class ResetOutcome(NamedTuple):
    """What came of it on one microVM. `words` is one sentence; `hint` what to do next, or ""."""

    microvm: str
    action: str
    ok: bool
    refused: bool
    words: str
    hint: str = ""
    seconds: float = 0.0
    plan: ResetPlan | None = None
    nothing: bool = False


async def run_reset(
    host: Host, name: str, on_progress: Callable[[str], None] | None = None, *, starting: bool = False
) -> ResetOutcome:
    """Reset one overlay."""
    raise NotImplementedError
