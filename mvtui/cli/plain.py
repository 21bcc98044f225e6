"""`mvtui list` for people: the panel's list as plain lines."""

from datetime import datetime

from mvtui.cli.columns import aligned
from mvtui.cli.glyphs import Glyphs
from mvtui.model.microvm import Snapshot
from mvtui.model.row import row
from mvtui.model.text import clean

_HEADINGS = ("NAME", "STATE", "AGE", "CPU%", "MEM used/max", "FSD", "OVERLAY", "NOTE")
# So many are named; --json has them all.
_STRAYS = 8
_FLUSH_RIGHT = frozenset((2, 3, 4, 5, 6))


def list_lines(snapshot: Snapshot, glyphs: Glyphs, now: datetime) -> list[str]:
    """A heading and a line for each microVM; what else lies in the state directory is named below them."""
    rows = [row(microvm, now) for microvm in snapshot.microvms]
    cells = [(r.name, r.state, r.age, r.cpu, r.mem, r.fsd, r.overlay, r.note) for r in rows]
    lines = [] if not rows else aligned([_HEADINGS, *cells], _FLUSH_RIGHT)
    words = [microvm.state.word for microvm in snapshot.microvms]
    marks = ["  ", *(f"{glyphs.painted(word, glyphs.state(word))} " for word in words)]
    listed = [mark + line for mark, line in zip(marks, lines, strict=False)]
    if not rows and not snapshot.findings:
        listed.append(f"There are no microVMs in {clean(snapshot.state_dir)}. Try: mvtui demo")
    if snapshot.strays:
        named = [f"{clean(stray.name)} ({clean(stray.what)})" for stray in snapshot.strays[:_STRAYS]]
        more = len(snapshot.strays) - len(named)
        listed.append(f"no microVM: {', '.join(named)}{f' and {more} more' if more else ''}")
    return listed
