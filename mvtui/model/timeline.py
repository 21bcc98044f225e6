"""What happened to a microVM, and when."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple


class EventKind(StrEnum):
    """What kind of thing happened. FAILED: a unit, or its start; VIRTIOFSD: a daemon that ended by itself; REBUILD:
    `current` became another runner; FINDING and MENDED: one came, or went; COMMAND: what a person did with mvtui
    beside all that is named here."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    FAILED = "failed"
    VIRTIOFSD = "virtiofsd"
    REBUILD = "rebuild"
    SAVE = "save"
    RESET = "reset"
    RESTORE = "restore"
    GROW = "grow"
    FINDING = "finding"
    MENDED = "mended"
    COMMAND = "command"


class EventGroup(StrEnum):
    """Kinds of events that are looked for together; each kind is in one."""

    STARTS = "starts"
    FAILURES = "failures"
    FINDINGS = "findings"
    DEFINITION = "definition"
    IMAGES = "images"
    COMMANDS = "commands"


_GROUPS = {
    EventGroup.STARTS: (EventKind.START, EventKind.STOP, EventKind.RESTART),
    EventGroup.FAILURES: (EventKind.FAILED, EventKind.VIRTIOFSD),
    EventGroup.FINDINGS: (EventKind.FINDING, EventKind.MENDED),
    EventGroup.DEFINITION: (EventKind.REBUILD, EventKind.SAVE),
    EventGroup.IMAGES: (EventKind.RESET, EventKind.RESTORE, EventKind.GROW),
    EventGroup.COMMANDS: (EventKind.COMMAND,),
}
_GROUP_OF = {kind: group for group, kinds in _GROUPS.items() for kind in kinds}


class Event(NamedTuple):
    """`at` is UTC; `what` one sentence, `why` its cause or "". `user` is who did it with mvtui, "" for all else; `ok`
    is None where there is nothing to succeed in; `seconds` how long it took. `key` names a finding over its life, and
    where `current` leads to."""

    at: datetime
    kind: EventKind
    what: str
    why: str = ""
    user: str = ""
    ok: bool | None = None
    seconds: float | None = None
    key: str = ""


class Timeline(NamedTuple):
    """`events`: newest first. `troubles`: why it may not be all, a sentence each."""

    events: tuple[Event, ...] = ()
    troubles: tuple[str, ...] = ()

    def only(self, group: EventGroup | None) -> "Timeline":
        """With the events of that group alone; None: all."""
        if group is None:
            return self
        return self._replace(events=tuple(event for event in self.events if _GROUP_OF[event.kind] is group))


# How the user of an event begins who is known by the number alone that the kernel gave to the journal.
UID = "uid "

# Events that a timeline has at most.
LIMIT = 1000

# The same command stands in the journal and in mvtui's own record; the times are taken one after the other.
_SAME = timedelta(seconds=3)

# What mvtui writes on record of a change, by the kind of event that it is.
_ACTIONS = {
    "start": EventKind.START,
    "stop": EventKind.STOP,
    "kill": EventKind.STOP,
    "restart": EventKind.RESTART,
    "edit": EventKind.SAVE,
    "adopt": EventKind.SAVE,
    "rebuild": EventKind.REBUILD,
    "reset": EventKind.RESET,
    "reset and start": EventKind.RESET,
    "stop, reset and start": EventKind.RESET,
    "restore": EventKind.RESTORE,
    "grow": EventKind.GROW,
}


def is_told(restarts: int) -> bool:
    """Whether the restart of that number is an event: of a loop, which goes on for days, the first and then fewer and
    fewer, or nothing else would be left to see."""
    return restarts < 4 or restarts & (restarts - 1) == 0


def kind_of(action: str) -> EventKind:
    """The kind of what mvtui calls a change (`reset`, `edit`)."""
    return _ACTIONS.get(action, EventKind.COMMAND)


def merged(events: Iterable[Event], limit: int = LIMIT) -> tuple[Event, ...]:
    """The newest `limit` of them, newest first, each once: what two records tell of the same command is one event, and
    the one that says more counts. One of which only the uid is known may be anybody's, and takes no other's place."""
    found: list[Event] = []
    for event in sorted(events, key=lambda one: (one.at, one.seconds is not None), reverse=True):
        same = next((number for number, other in _near(found, event) if _is_same(event, other)), None)
        if same is None:
            found.append(event)
            if len(found) == limit:
                break
        elif _is_anybodys(found[same]) and not _is_anybodys(event):
            found[same] = event
    return tuple(found)


def _near(found: list[Event], event: Event) -> Iterable[tuple[int, Event]]:
    for number in range(len(found) - 1, -1, -1):
        if found[number].at - event.at > _SAME:
            return
        yield number, found[number]


def _is_anybodys(event: Event) -> bool:
    return event.user.startswith(UID)


def _is_same(one: Event, other: Event) -> bool:
    if one.user and other.user:
        return (one.kind, one.what) == (other.kind, other.what)
    return one[:5] == other[:5]
