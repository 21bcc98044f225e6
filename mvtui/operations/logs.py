"""Where a host's logs are, and walks through them."""

from collections.abc import Callable, Iterator, Sequence

from mvtui.host.ports import Host, Logs
from mvtui.model.log import LogFilter

# So many records are read at once where many are looked through.
SEARCH_PAGE = 5000


def open_logs(host: Host, microvms: Sequence[str]) -> Logs:
    """The logs of these microVMs: systemd's journal, or the files of the keepers. Nothing is read yet."""
    if host.units.manager == "systemd":
        from mvtui.host.journal_logs import JournalLogs  # noqa: PLC0415 - who looks at no logs needs none of it

        return JournalLogs(microvms, host.calls)
    from mvtui.host.file_logs import FileLogs  # noqa: PLC0415

    return FileLogs(microvms, host.on_disk(host.state_dir))


def last_records(
    logs: Logs, wanted: LogFilter, count: int, matches: Callable[[bytes], bool]
) -> tuple[list[bytes], bytes | None]:
    """The last `count` records that match, the oldest first, as far back as it takes; and the last of all, None where
    there is none. Blocking. Raises MvtuiError."""
    newest: bytes | None = None
    found: list[bytes] = []
    for page in pages_back(logs, wanted, first=max(1, min(count, SEARCH_PAGE))):
        newest = newest or page[-1]
        found = [record for record in page if matches(record)] + found
        if len(found) >= count:
            break
    return found[len(found) - count if count < len(found) else 0 :], newest


def pages_back(
    logs: Logs, wanted: LogFilter, before: bytes | None = None, first: int = SEARCH_PAGE
) -> Iterator[list[bytes]]:
    """Page by page, the newest first; the first page has `first` records."""
    limit = first
    while page := logs.page(wanted, limit, before=before):
        yield page
        before, limit = page[0], SEARCH_PAGE
