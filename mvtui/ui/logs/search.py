"""Looks for a text in a log, in what is in memory and page by page beyond it."""

import asyncio
from collections.abc import Callable, Sequence

from mvtui.host.ports import Logs
from mvtui.model.log import LogFilter
from mvtui.ui.logs.reading import SEARCH_PAGE, page
from mvtui.ui.logs.rows import has

# In these, what is looked for stands in the record as it is shown.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.,:;=+*()[]{}<>@#%&!?|'~^$")


def find(logs: Logs, records: Sequence[bytes], text: str, *, up: bool) -> int | None:
    """The index of the last record that says `text` (of the first, where not `up`); None where none does."""
    needle = text.encode(errors="surrogateescape")
    is_plain = _PLAIN.issuperset(needle)
    folded = text == text.lower()
    order = range(len(records) - 1, -1, -1) if up else range(len(records))
    for index in order:
        record = records[index]
        if is_plain and needle not in (record.lower() if folded else record):
            continue  # a record says more than the message, but never less
        if has(logs.entry(record), text):
            return index
    return None


async def find_beyond(
    logs: Logs, wanted: LogFilter, text: str, place: bytes, *, up: bool, on_page: Callable[[bytes], None]
) -> tuple[list[bytes], int] | None:
    """The page that has the next match above (or below) the record `place`, and its index there; None where there is
    none. `on_page` gets the record that it is at. Raises MvtuiError."""
    while True:
        records = await page(logs, wanted, SEARCH_PAGE, **{"before" if up else "after": place})
        if not records:
            return None
        index = await asyncio.to_thread(find, logs, records, text, up=up)
        if index is not None:
            return records, index
        place = records[0] if up else records[-1]
        on_page(place)
