"""A child that is started before it is needed: to start one takes longer than most of what it does."""

import os
import threading

from mvtui.errors import MvtuiError
from mvtui.host.overlay.channel import ENTRY, Channel


class Spare:
    """At most one child of this process, that waits to be told what it works on; it ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self._owner = 0

    def get_ready(self) -> None:
        """Have a child wait for the next `take`. Never raises: without one, `take` starts it."""
        with self._lock:
            if not self._is_ready():
                try:
                    self._channel, self._owner = Channel("the next overlay", ENTRY), os.getpid()
                except MvtuiError:
                    self._channel = None

    def take(self, shown: str) -> Channel:
        """The child that waits, or a new one; `shown` is what it will work on, for messages. Raises MvtuiError."""
        with self._lock:
            channel, self._channel = (self._channel if self._is_ready() else None), None
        if channel is None:
            return Channel(shown, ENTRY)
        channel.shown = shown
        return channel

    def _is_ready(self) -> bool:
        """Of a process that forked, the child is its parent's; one that has ended is no use."""
        return self._channel is not None and self._owner == os.getpid() and self._channel.is_silent()


SPARE = Spare()
