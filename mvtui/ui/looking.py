"""The picture that the panel shows: looked for every few seconds, told when it is old, changed by what happens here."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from textual.app import App
from textual.reactive import var

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot
from mvtui.model.text import clean
from mvtui.ui.keys import Keys
from mvtui.ui.picture import Picture
from mvtui.ui.seams import Seams
from mvtui.ui.trends import Trends

# After so many intervals without a look, the picture is old.
STALE_INTERVALS = 3
# So long, what came of a command is shown.
MESSAGE_SECONDS = 30.0


class LookingApp(App[None], inherit_bindings=False):
    """The part of the panel that looks at the host."""

    # Never compared: that would walk through the whole snapshot.
    picture: var[Picture | None] = var(None, always_update=True)

    host: Host
    seams: Seams
    # Of every command, by its id.
    keys: Keys

    def begin_looking(self, interval: float) -> None:
        """Nothing has been looked at; it will be every so many seconds."""
        self._interval = interval
        self._trends = Trends()
        self._wake = asyncio.Event()
        self._looked_at: datetime | None = None
        self._look_once = False
        self._said_at = 0.0

    @property
    def shown(self) -> Picture:
        """The picture that is shown now."""
        assert self.picture is not None
        return self.picture

    def update(self, **changes: object) -> None:
        """A new picture, of now, with these changes."""
        now = self.seams.now()
        if "message" in changes:
            self._said_at = self.seams.monotonic()
        picture = replace(self.shown, now=now, **changes)  # type: ignore[arg-type]
        self.picture = replace(picture, stale_since=self._stale_since(picture.snapshot, now))

    def say(self, text: str, role: str) -> None:
        """Show it on the status line for a while."""
        self.update(message=((clean(text), role),))

    def look_soon(self) -> None:
        """Look now, whatever the interval: something was done, and what came of it is to be seen."""
        self._wake.set()

    async def _look(self) -> None:
        while True:
            try:
                async for snapshot in self.seams.source(self.host, interval=self._interval, wake=self._wake):
                    self._take(snapshot)
            except MvtuiError as error:
                self.say(str(error), "error")
                await asyncio.sleep(self._interval)

    def _take(self, snapshot: Snapshot) -> None:
        if self.shown.paused and not self._look_once:
            return
        self._look_once = False
        self._looked_at = self.seams.now()
        self._trends.take(snapshot.microvms, self.seams.monotonic())
        self.update(snapshot=snapshot)

    def _tick(self) -> None:
        """What changes without a look: the clock, how old the picture is, and that a message has been read."""
        picture, now = self.shown, self.seams.now()
        if picture.message and self.seams.monotonic() - self._said_at >= MESSAGE_SECONDS:
            self.update(message=())
        stale = self._stale_since(picture.snapshot, now)
        if stale is not None or stale != picture.stale_since or f"{now:%H:%M}" != f"{picture.now:%H:%M}":
            self.update()

    def _stale_since(self, snapshot: Snapshot | None, now: datetime) -> datetime | None:
        if snapshot is None or self._looked_at is None:
            return None
        if now - self._looked_at > STALE_INTERVALS * timedelta(seconds=self._interval):
            return self._looked_at
        return snapshot.units_stale_since
