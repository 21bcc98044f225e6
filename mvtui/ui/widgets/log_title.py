"""The line above a log: whether it is followed, what is searched for, what of it is shown, and the keys for that."""

from datetime import datetime

from textual.geometry import Size

from mvtui.model.log import DEBUG, LEVELS
from mvtui.model.text import clean
from mvtui.ui.commands import command, hint_key
from mvtui.ui.keys import Keys, key_labels
from mvtui.ui.lines import Line, Lines, Piece, clipped, width_of
from mvtui.ui.logs.rows import Look, Times, moment_of
from mvtui.ui.logs.walk import LogWalk

_TIMES = {Times.CLOCK: "time", Times.FULL: "date", Times.NONE: "no time"}


class LogTitle(Lines):
    """One line."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: Line = ()

    def tell(self, walk: LogWalk, look: Look, now: datetime | None, keys: Keys) -> None:
        """Say this from now on; `keys` are those that work."""

        def key(id: str) -> Piece:  # noqa: A002
            return (key_labels(keys.get(id, command(id).keys)[:1]), "key")

        pieces: list[Piece] = [("follows", "good")]
        if not walk.follows:
            pieces = [("stands still", "warning"), (", ", "dim"), (hint_key("last", keys), "key"), (" goes on", "text")]
        elif walk.rate is not None:
            pieces = [(f"skims {walk.rate / 1000:.0f},000 lines/s", "warning")]
        if walk.looking_at is not None and now is not None:
            at = moment_of(walk.logs.entry(walk.looking_at), look.zone, now)
            pieces.append((f"  searches {clean(walk.found)}, at {at or 'another file'} …", "warning"))
        elif walk.note or (walk.trouble and len(walk.window)):
            pieces.append((f"  {clean(walk.note or walk.trouble)}", "warning"))
        elif walk.found:
            pieces += [("  ", "text"), key("search"), (clean(walk.found), "strong")]
        level = f"{LEVELS[walk.wanted.level]} and worse" if walk.wanted.level < DEBUG else "all levels"
        for id, words in (  # noqa: A001
            ("log_level", level),
            ("log_source", str(walk.wanted.source or "all sources")),
            ("log_wrap", "wrapped" if look.wrap else "cut"),
            ("log_times", _TIMES[look.times]),
        ):
            pieces += [("  ", "text"), key(id), (f" {words}", "dim")]
        self._pieces = tuple(pieces)
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """Ruled to the end of the line."""
        line = (("─ ", "dim"), *self._pieces, (" ", "dim"))
        return (clipped((*line, ("─" * max(0, size.width - width_of(line)), "dim")), size.width),)
