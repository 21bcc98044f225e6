"""What systemd's messages about a unit, one after the other, tell of it. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from mvtui.model.timeline import Event, EventKind, is_told
from mvtui.model.unit import UnitKind

# sd-messages.h: SD_MESSAGE_UNIT_STARTED, …_FAILED (its start), …_STOPPED, …_SUCCESS and …_FAILURE_RESULT (it left for
# inactive or failed), …_PROCESS_EXIT, …_RESTART_SCHEDULED, …_OUT_OF_MEMORY.
STARTED = "39f53479d3a045ac8e11786248231fbf"
NOT_STARTED = "be02cf6855d2428ba40df7e9d022f03d"
STOPPED = "9d1aaa27d60140bd96365438aad20286"
SUCCESS = "7ad2d189f7e94e70a38c781354912448"
FAILURE = "d9b373ed55a64feb8242e02dbe79a49c"
EXIT = "98e322203f7a4ed290d09fe03c09fe15"
RESTART = "5eb03494b6584870a536b337290809b3"
OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
MESSAGE_IDS = (STARTED, NOT_STARTED, STOPPED, SUCCESS, FAILURE, EXIT, RESTART, OUT_OF_MEMORY)


class UnitMessage(NamedTuple):
    """`words`: with EXIT how the process ended, with FAILURE the unit's result, with NOT_STARTED that of its job."""

    at: datetime
    id: str
    words: str = ""
    restarts: int | None = None


def told_by_systemd(kind: UnitKind, messages: Iterable[UnitMessage]) -> Iterator[Event]:
    """The events of a unit, from its messages, the oldest first. Of the hypervisor all; of virtiofsd what went wrong;
    of the installation that it was made."""
    if kind is UnitKind.INSTALL:
        yield from (_installed(one) for one in messages if one.id in (STARTED, NOT_STARTED))
    elif kind is UnitKind.HYPERVISOR:
        yield from _hypervisor(messages)
    else:
        for event in _Story("virtiofsd").events(messages):
            if event.kind is EventKind.FAILED:
                yield event


def _installed(message: UnitMessage) -> Event:
    if message.id == STARTED:
        return Event(message.at, EventKind.REBUILD, "current is what the host's configuration says", ok=True)
    return Event(message.at, EventKind.FAILED, "its installation failed", message.words, ok=False)


def _hypervisor(messages: Iterable[UnitMessage]) -> Iterator[Event]:
    yield from _Story("the hypervisor").events(messages)


class _Story:
    """What was said before, as long as it explains what comes."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._cause = ""
        self._ended = False  # and nobody has asked for it
        self._restarts: int | None = None
        self._last = 0  # restarts since somebody started it

    def events(self, messages: Iterable[UnitMessage]) -> Iterator[Event]:
        """Those of the messages."""
        for message in messages:
            event = self._event(message)
            if event is not None:
                yield event

    def _event(self, message: UnitMessage) -> Event | None:
        match message.id:
            case message_id if message_id == EXIT:
                self._cause = self._cause or message.words
            case message_id if message_id == OUT_OF_MEMORY:
                self._cause = "out of memory"
            case message_id if message_id == SUCCESS:
                self._ended = True
            case message_id if message_id == FAILURE:
                return self._failed(message)
            case message_id if message_id == RESTART:
                return self._will_restart(message)
            case message_id if message_id == STOPPED:
                return self._stopped(message)
            case message_id if message_id == STARTED:
                return self._started(message)
            case message_id if message_id == NOT_STARTED:
                words = "" if message.words == "failed" else message.words
                why, self._cause = self._cause or words, ""
                return Event(message.at, EventKind.FAILED, f"{self._what} could not be started", why, ok=False)
        return None

    def _failed(self, message: UnitMessage) -> Event | None:
        result = f"result {message.words}" if message.words else ""
        why = ", ".join(part for part in (self._cause, result) if part)
        self._cause, self._ended = why, False
        if not is_told(self._last + 1):
            return None
        return Event(message.at, EventKind.FAILED, f"{self._what} failed", why, ok=False)

    def _will_restart(self, message: UnitMessage) -> Event | None:
        self._restarts = self._last = message.restarts or 0
        ended, self._ended = self._ended, False
        if not ended or not is_told(self._last):
            return None  # how it ended was said
        self._cause = self._cause or "it had ended by itself"
        return Event(message.at, EventKind.STOP, f"{self._what} ended by itself")

    def _stopped(self, message: UnitMessage) -> Event | None:
        if self._restarts is not None:
            return None  # on its way to the next start
        self._cause, self._ended, self._last = "", False, 0
        return Event(message.at, EventKind.STOP, f"{self._what} was stopped")

    def _started(self, message: UnitMessage) -> Event | None:
        restarts, why = self._restarts, self._cause
        self._restarts, self._cause, self._ended = None, "", False
        if restarts is None:
            self._last = 0
            return Event(message.at, EventKind.START, f"{self._what} was started")
        if not is_told(restarts):
            return None
        count = f", for the {_ordinal(restarts)} time" if restarts > 1 else ""
        return Event(message.at, EventKind.RESTART, f"systemd restarted it{count}", why)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
