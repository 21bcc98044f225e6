"""The states that a microVM can be in, and how each looks."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class StateWord(StrEnum):
    """The words of the list's STATE column; `--json` uses the same."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    DEGRADED = "degraded"
    LOOPING = "looping"
    FAILED = "failed"
    STOPPED = "stopped"
    ORPHAN = "orphan"
    UNKNOWN = "unknown"

    @property
    def glyph(self) -> str:
        """One cell wide; never the only carrier of the state."""
        return _GLYPHS[self][0]

    @property
    def ascii_glyph(self) -> str:
        """The glyph's twin where there is no UTF-8."""
        return _GLYPHS[self][1]

    @property
    def meaning(self) -> str:
        """When a microVM is in it."""
        return _MEANINGS[self]

    @property
    def is_up(self) -> bool:
        """True where the guest may be running: an action on it can hurt."""
        return self in _UP


_GLYPHS = {
    StateWord.RUNNING: ("●", "*"),
    StateWord.STARTING: ("●", "~"),
    StateWord.STOPPING: ("●", "~"),
    StateWord.DEGRADED: ("▲", "!"),
    StateWord.LOOPING: ("↻", "@"),
    StateWord.FAILED: ("×", "x"),
    StateWord.STOPPED: ("○", "-"),
    StateWord.ORPHAN: ("?", "?"),
    StateWord.UNKNOWN: ("·", "."),
}


_MEANINGS = {
    StateWord.RUNNING: "its unit is active, every share is served, nothing speaks against the guest",
    StateWord.STARTING: "activating, since when; or a start is queued",
    StateWord.STOPPING: "deactivating, with the time left until it is killed",
    StateWord.DEGRADED: "up, but a share's virtiofsd is dead or not connected, a process of it is frozen, or the guest "
    "is in emergency mode, paused, or can't use a disk",
    StateWord.LOOPING: "restarted again and again, so often by now",
    StateWord.FAILED: "with the result in words: exit 1, oom, timeout, dependency",
    StateWord.STOPPED: "nothing runs",
    StateWord.ORPHAN: "a process or unit without a directory, or a directory whose current is dangling",
    StateWord.UNKNOWN: "nobody who could tell answers, and no process was found",
}

_UP = frozenset(
    (StateWord.RUNNING, StateWord.STARTING, StateWord.STOPPING, StateWord.DEGRADED, StateWord.LOOPING),
)


class State(NamedTuple):
    """`since` is UTC, None where nobody knows. `why` is one sentence, never empty. `detail` is the result in words
    behind `failed` (`exit 1`, `oom`, `timeout`, `dependency`). `restarts` counts behind `looping`. `deadline` is when
    a `stopping` microVM is killed."""

    word: StateWord
    since: datetime | None
    why: str
    detail: str = ""
    restarts: int | None = None
    deadline: datetime | None = None
