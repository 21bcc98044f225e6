"""What happened to a microVM, the newest first; the event under the cursor tells all that is known of it."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from mvtui.model.text import clean
from mvtui.model.timeline import Event, EventKind
from mvtui.ui.charset import fit
from mvtui.ui.lines import Line, clipped, cut, folded
from mvtui.ui.tabs.page import Entry, Page

_KIND_WIDTH = 9
# The time, the kind, and what stands between.
_INDENT = 9 + _KIND_WIDTH + 1
# As many lines more has the event under the cursor at least: what stands below it stays in its place.
_LEAST_MORE = 2
_MOST_LINES = 20
_ROLES = {
    EventKind.FAILED: "error",
    EventKind.VIRTIOFSD: "error",
    EventKind.FINDING: "warning",
    EventKind.MENDED: "good",
}


def entries(page: Page, width: int) -> list[Entry]:
    """One for each event, under the day that it was on."""
    timeline = page.timeline
    if timeline is None:
        return [Entry(((), (("  It is read …", "dim"),)))]
    found = [Entry(tuple(_trouble(words, width))) for words in timeline.troubles]
    events = timeline.only(page.events).events
    if page.events is not None:
        count = f"  {page.events} alone: {len(events)} of {len(timeline.events)} events"
        found.insert(0, Entry((clipped(((count, "text"), *page.offer("event_group", "others")), width),)))
    elif not events:
        found.append(Entry(((), clipped((("  Nothing is known to have happened to it.", "text"),), width))))
    day = page.now.date()
    seen = Counter[str]()
    for event in events:
        local = event.at.astimezone(page.now.tzinfo)
        if local.date() != day:
            day = local.date()
            found.append(Entry((_day(day, page.now.date(), width),)))
        key = f"{event.at.isoformat()} {event.kind} {event.what}"
        seen[key] += 1
        key = f"{key} {seen[key]}"
        found.append(Entry(tuple(_lines(page, event, width, whole=page.cursor == key)), key))
    return found


def _trouble(words: str, width: int) -> Iterator[Line]:
    for line in folded(clean(words), max(10, width - 1), 5):
        yield ((line, "warning"),)


def _day(day: date, today: date, width: int) -> Line:
    words = f"{day:%a %d %b}" if day.year == today.year else f"{day:%a %d %b %Y}"
    return clipped((("─ ", "dim"), (words, "strong"), (f" {'─' * max(0, width - len(words) - 3)}", "dim")), width)


def _lines(page: Page, event: Event, width: int, *, whole: bool) -> Iterator[Line]:
    local = event.at.astimezone(page.now.tzinfo)
    role = "error" if event.ok is False else _ROLES.get(event.kind, "text")
    words = "mended" if event.kind is EventKind.MENDED else str(event.kind)
    head: Line = ((f"{local:%H:%M:%S} ", "dim"), (f"{fit(words, _KIND_WIDTH)} ", "strong"))
    what = clean(event.what)
    by = f"  {clean(event.user)}" if event.user else ""
    if not whole:
        why = f"  {clean(event.why)}" if event.why and not event.user else ""
        yield clipped((*head, (what, role), (by or why, "dim")), width)
        return
    room = max(10, width - _INDENT)
    first, *more = folded(what, room, _MOST_LINES)
    rest = [(line, role) for line in more]
    if event.why:
        label = "mvtui " if event.user else ""
        rest += [(line, "text") for line in folded(f"{label}{clean(event.why)}", room, _MOST_LINES)]
    rest += [(line, "dim") for line in folded(_about(event, f"{local:%Y-%m-%d %H:%M:%S %Z}".strip()), room, 3)]
    rest += [("", "dim")] * (_LEAST_MORE - len(rest))
    yield clipped((*head, (cut(first, room), role)), width)
    for line, one in rest:
        yield clipped(((" " * _INDENT, "text"), (line, one)), width)


def _about(event: Event, when: str) -> str:
    parts = [when]
    if event.user:
        parts.append(f"by {clean(event.user)}")
    if event.seconds is not None:
        parts.append(f"took {event.seconds:.1f} s")
    if event.ok is False and event.user:
        parts.append("without success")
    return ", ".join(parts)
