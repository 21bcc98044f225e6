"""One connection to the system bus: made on demand, every call under a time-out, whatever breaks it in plain words."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from dbus_fast import DBusFastError, Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus

from mvtui.host.calls import CallLog
from mvtui.host.systemd_errors import ReplyError, hung_up, silent, unreachable
from mvtui.host.systemd_words import POLLS, asked, asked_properties, told, told_properties
from mvtui.model.call import CallKind

SYSTEMD = "org.freedesktop.systemd1"
MANAGER = f"{SYSTEMD}.Manager"
MANAGER_PATH = "/org/freedesktop/systemd1"
UNIT = f"{SYSTEMD}.Unit"
SERVICE = f"{SYSTEMD}.Service"
JOB = f"{SYSTEMD}.Job"
PROPERTIES = "org.freedesktop.DBus.Properties"
# An object path, an interface of it, a property of that.
Question = tuple[str, str, str]

_DAEMON = "org.freedesktop.DBus"
# Whose, an object path, an interface of it.
_Object = tuple[str, str, str]
_TO_MANAGER = (SYSTEMD, MANAGER_PATH, MANAGER)
_TO_DAEMON = (_DAEMON, "/org/freedesktop/DBus", _DAEMON)

# Only what concerns units and jobs. systemd sends a unit's own interface along with that of its type, so the long
# `Service` half of each change stays away.
_MATCHES = (
    f"type='signal',sender='{_DAEMON}',member='NameOwnerChanged',arg0='{SYSTEMD}'",
    f"type='signal',sender='{SYSTEMD}',path='{MANAGER_PATH}',interface='{MANAGER}'",
    *(
        f"type='signal',sender='{SYSTEMD}',path_namespace='{MANAGER_PATH}/{below}',interface='{PROPERTIES}',"
        f"member='PropertiesChanged',arg0='{interface}'"
        for below, interface in (("unit", UNIT), ("job", JOB))
    ),
)

# A bus lets one connection wait for 128 replies (max_replies_per_connection); more are refused. Nor does a full
# socket buffer pass with dbus-fast: it takes EAGAIN for the end of the connection.
_SINGLE_CALLS = 32
_BATCH = 64

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0

# A library's warnings belong in no terminal that shows a panel.
logging.getLogger("dbus_fast").addHandler(logging.NullHandler())


class SystemBus:
    """The connection and systemd behind it.

    `notify` is called with each signal of systemd, and with None when anything may have happened: systemd or the
    connection came or went. `timeout` in seconds holds for connecting and for each answer. What is asked goes on record
    in `calls`. All methods raise MvtuiError where the bus or systemd does not answer, RightsMissingError where the bus
    refuses.
    """

    def __init__(self, address: str, timeout: float, notify: Callable[[Message | None], None], calls: CallLog) -> None:
        self.address = address
        self._timeout = timeout
        self._notify = notify
        self._calls = calls
        self._bus: MessageBus | None = None
        self._watch: asyncio.Task[None] | None = None
        self._owner = ""
        self._pending: dict[int, asyncio.Future[Message | None]] = {}
        self._overdue: asyncio.Future[Message | None] | None = None
        self._connecting = asyncio.Lock()
        self._batching = asyncio.Lock()
        self._singles = asyncio.Semaphore(_SINGLE_CALLS)
        self._delay = 0.0
        self._not_before = 0.0

    @property
    def connected(self) -> bool:
        """False once the other side has hung up."""
        return self._bus is not None and self._bus.connected

    async def connect(self) -> None:
        """Connect unless connected; soon after a failure it waits before it tries again."""
        async with self._connecting:
            if self.connected:
                return
            if self._watch is not None:
                await asyncio.wait([self._watch])
            loop = asyncio.get_running_loop()
            await asyncio.sleep(self._not_before - loop.time())
            self._delay = min(max(self._delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
            try:
                await self._open()
                self._delay = 0.0
            finally:
                if self._delay:
                    self._not_before = loop.time() + self._delay
                    await self.close()

    async def _open(self) -> None:
        with self._calls.call(CallKind.DBUS, f"connect {self.address}", poll=True):
            try:
                async with asyncio.timeout(self._timeout):
                    bus = await MessageBus(self.address).connect()
            except (OSError, EOFError, ValueError, DBusFastError) as error:
                raise unreachable(self.address, error) from error
        self._bus = bus
        bus.add_message_handler(self._received)
        self._watch = asyncio.create_task(bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
        self._watch.add_done_callback(self._lost)
        for rule in _MATCHES:
            self._tell(_TO_DAEMON, "AddMatch", "s", [rule])
        try:
            (owner,) = await self._ask_one(_TO_DAEMON, "GetNameOwner", "s", [SYSTEMD])
        except ReplyError:
            owner = ""
        self._appeared(owner)

    def _appeared(self, owner: str) -> None:
        """systemd's unique name on the bus, "" where it has left; it sends signals to those who subscribe."""
        self._owner = owner
        if owner:
            self.post("Subscribe")

    async def call(self, member: str, signature: str = "", *body: object, within: float | None = None) -> list[Any]:
        """One method of systemd's manager; its reply's body. `within` (seconds) is for one that takes longer than
        others may. Raises ReplyError too."""
        await self._ready()
        async with self._singles:
            return await self._ask_one(_TO_MANAGER, member, signature, list(body), within)

    async def properties(self, questions: Sequence[Question]) -> list[Any]:
        """The value of each (object path, interface, property); None where systemd has none to give."""
        await self._ready()
        if not questions:
            return []
        async with self._batching:
            with self._calls.call(CallKind.DBUS, asked_properties(questions), poll=True) as call:
                values = await self._ask_batches(questions)
                call.end(told_properties(values))
        return values

    async def _ask_batches(self, questions: Sequence[Question]) -> list[Any]:
        values: list[Any] = []
        for start in range(0, len(questions), _BATCH):
            requests = [
                self._ask((SYSTEMD, path, PROPERTIES), "Get", "ss", [interface, name])
                for path, interface, name in questions[start : start + _BATCH]
            ]
            values += [
                reply.body[0].value if reply.message_type is MessageType.METHOD_RETURN else None
                for reply in await self._answers(requests, self._timeout)
            ]
        return values

    def post(self, member: str, signature: str = "", *body: object) -> None:
        """One method of systemd's manager, without an answer; nothing where there is no connection."""
        self._tell(_TO_MANAGER, member, signature, list(body))

    async def close(self) -> None:
        """Hang up and wait until the socket is closed."""
        if self._bus is None or self._watch is None:
            return
        watch = self._watch
        watch.remove_done_callback(self._lost)
        self._bus.disconnect()
        await asyncio.wait([watch])
        self._forget(watch)

    async def _ready(self) -> None:
        """Connected, and nothing overdue: a manager that hangs is asked one question, not one every tick."""
        await self.connect()
        if self._overdue is not None:
            done, _ = await asyncio.wait([self._overdue], timeout=self._timeout)
            if not done:
                raise silent(self.address, self._timeout)
            self._overdue = None

    async def _ask_one(
        self, object_: _Object, member: str, signature: str, body: list[Any], within: float | None = None
    ) -> list[Any]:
        """A method and its reply's body, on record. Raises ReplyError too."""
        with self._calls.call(CallKind.DBUS, asked(member, body), poll=member in POLLS) as call:
            request = self._ask(object_, member, signature, body)
            (reply,) = await self._answers([request], within or self._timeout)
            if reply.message_type is MessageType.ERROR:
                error = _reply_error(reply)
                call.end(error.text, ok=False)
                raise error
            call.end(told(member, reply.body))
            return reply.body

    def _ask(
        self, object_: _Object, member: str, signature: str, body: list[Any]
    ) -> tuple[int, asyncio.Future[Message | None]]:
        answer: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        if self._bus is None or not self._bus.connected:
            answer.set_result(None)
            return 0, answer
        serial = self._bus.next_serial()
        self._pending[serial] = answer
        message = Message(
            *object_,
            member,
            flags=MessageFlag.NO_AUTOSTART,
            signature=signature,
            body=body,
            serial=serial,
            validate=False,
        )
        _write(self._bus, message)
        return serial, answer

    def _tell(self, object_: _Object, member: str, signature: str, body: list[Any]) -> None:
        if self._bus is None or not self._bus.connected:
            return
        self._calls.call(CallKind.DBUS, asked(member, body), poll=member in POLLS).end("sent, no reply wanted")
        flags = MessageFlag.NO_REPLY_EXPECTED | MessageFlag.NO_AUTOSTART
        _write(self._bus, Message(*object_, member, flags=flags, signature=signature, body=body))

    async def _answers(
        self, requests: list[tuple[int, asyncio.Future[Message | None]]], within: float
    ) -> list[Message]:
        replies: list[Message] = []
        try:
            async with asyncio.timeout(within):
                for _, answer in requests:
                    reply = await answer
                    if reply is None:
                        raise hung_up(self.address)
                    replies.append(reply)
        except TimeoutError:
            serial = requests[-1][0]
            if serial in self._pending:
                self._overdue = self._pending[serial] = asyncio.get_running_loop().create_future()
            raise silent(self.address, within) from None
        return replies

    def _received(self, message: Message) -> bool:
        if message.message_type is MessageType.SIGNAL:
            # Anybody may send anybody a signal: those of others are not believed.
            if message.sender == self._owner:
                self._notify(message)
            elif message.sender == _DAEMON and message.member == "NameOwnerChanged":
                self._appeared(message.body[2])
                self._notify(None)
            return False
        answer = self._pending.pop(message.reply_serial, None)
        if answer is None:
            return False
        if not answer.done():
            answer.set_result(message)
        return True

    def _lost(self, watch: asyncio.Task[None]) -> None:
        self._forget(watch)
        self._notify(None)

    def _forget(self, watch: asyncio.Task[None]) -> None:
        _retrieve(watch)
        self._bus = self._watch = self._overdue = None
        self._owner = ""
        pending, self._pending = self._pending, {}
        for answer in pending.values():
            if not answer.done():
                answer.set_result(None)


def _reply_error(reply: Message) -> ReplyError:
    text = reply.body[0] if reply.body and isinstance(reply.body[0], str) else "no reason given"
    return ReplyError(reply.error_name or "unknown", text)


def _write(bus: MessageBus, message: Message) -> None:
    """dbus-fast answers a failed write by ending the connection, which is noticed elsewhere."""
    try:
        sent = bus.send(message)
    except OSError as error:
        # It then trips over the closed socket, and forgets the future that has the first error.
        for frame, _ in traceback.walk_tb(error.__traceback__):
            forgotten = frame.f_locals.get("future")
            if isinstance(forgotten, asyncio.Future) and forgotten.done():
                _retrieve(forgotten)
        return
    if sent.done():
        _retrieve(sent)
    else:
        sent.add_done_callback(_retrieve)


def _retrieve(ended: asyncio.Future[Any]) -> None:
    """Look at the exception, or asyncio complains that nobody did."""
    if not ended.cancelled():
        ended.exception()
