"""What is armed: a reset of the overlay that happens by itself before the microVM starts. Pure."""

from datetime import datetime
from typing import NamedTuple

from mvtui.model.overlay import Armed


class Arming(NamedTuple):
    """One microVM's order for its next starts.

    `strict`: a reset that is refused keeps it from starting. `persistent`: what runs it was asked to last over a boot
    of the host. `by_host`: the host's own configuration runs it, for every microVM. `key` tells this order from a
    later one. `invocation` is systemd's id (INVOCATION_ID) of the start that ran it last, "" where none did. `refused`
    says why the last one was refused, "" where it was not or none came yet, and `refused_at` (UTC) when.
    """

    how: Armed
    at: datetime
    key: str
    strict: bool = False
    persistent: bool = False
    by_host: bool = False
    invocation: str = ""
    refused: str = ""
    refused_at: datetime | None = None


class ArmedState(NamedTuple):
    """`arming` as it is on record, None where the record is damaged. `idle` is why nothing will run it, "" where
    something will, or nobody can tell."""

    arming: Arming | None
    idle: str = ""

    @property
    def how(self) -> Armed | None:
        """When its overlay is reset; None where the record is damaged."""
        return self.arming.how if self.arming is not None else None
