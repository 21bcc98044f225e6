"""mvtui's last change of a microVM that can be undone: of its definition file, or of its overlay."""

from datetime import datetime
from typing import NamedTuple

from mvtui.host.former_text import former_text
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import read_changes
from mvtui.model.format import age

_DEFINITION = frozenset(("edit",))
_OVERLAY = frozenset(("reset", "reset and start", "stop, reset and start", "restore"))


class LastChange(NamedTuple):
    """`at` is UTC; `user` made it; None where the record of it is lost."""

    of_definition: bool
    at: datetime | None = None
    user: str | None = None

    def words(self, now: datetime) -> str:
        """When, and who."""
        if self.at is None:
            return "the record of the save is lost; its former text is kept"
        return f"saved {age(self.at, now)} ago by {self.user}"


def last_change(host: Host, microvm: str) -> LastChange | None:
    """The last one, None where there is none on record. Blocking. Never raises."""
    for change in reversed(read_changes(host.records)):
        if change.microvm == microvm and change.ok and change.action in _DEFINITION | _OVERLAY:
            return LastChange(change.action in _DEFINITION, change.time, change.user)
    return LastChange(of_definition=True) if former_text(host, microvm) is not None else None
