"""A D-Bus service in a thread of its own, so that code which blocks can be tested against it too."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Self

from dbus_fast import Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus

# dbus-fast takes a full socket for the end of the connection: so many messages are sent before the daemon is asked
# whether it has read them.
_AT_ONCE = 32
_PING = Message("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Peer", "Ping")


class BusService:
    """Owns `name` on the bus at `address` while it is entered, but for the time between `leave` and `join`."""

    def __init__(self, address: str, name: str) -> None:
        self._address = address
        self._name = name
        self._bus: MessageBus | None = None
        self._outbox: deque[Message] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.join()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def join(self) -> None:
        """Take the name on the bus."""

        async def join() -> None:
            self._bus = await MessageBus(self._address).connect()
            self._bus.add_message_handler(self._received)
            await self._bus.request_name(self._name)

        asyncio.run_coroutine_threadsafe(join(), self._loop).result(10)

    def leave(self) -> None:
        """Hang up."""

        async def leave() -> None:
            if self._bus is not None:
                self._bus.disconnect()
                await asyncio.gather(self._bus.wait_for_disconnect(), return_exceptions=True)  # type: ignore[no-untyped-call]
            if self._sending is not None:
                await asyncio.gather(self._sending, return_exceptions=True)
            self._bus = None

        asyncio.run_coroutine_threadsafe(leave(), self._loop).result(10)

    def answer(self, message: Message) -> Message | None:
        """The reply to a method call, None for no reply at all. Runs in the thread."""
        raise NotImplementedError

    def do(self, work: Callable[[], object]) -> None:
        """Do it in the thread, and wait until it is done."""

        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def send(self, message: Message | None) -> None:
        """In the thread: send it after all that was sent before."""
        if message is not None and self._bus is not None:
            self._outbox.append(message)
            if self._sending is None or self._sending.done():
                self._sending = self._loop.create_task(self._send_all(self._bus))

    async def _send_all(self, bus: MessageBus) -> None:
        while self._outbox and bus.connected:
            for _ in range(min(_AT_ONCE, len(self._outbox))):
                await bus.send(self._outbox.popleft())
            if self._outbox:
                _PING.serial = 0
                await bus.call(_PING)
        self._outbox.clear()

    def _received(self, message: Message) -> bool:
        if message.message_type is not MessageType.METHOD_CALL:
            return False
        reply = self.answer(message)
        if not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self.send(reply)
        return True
