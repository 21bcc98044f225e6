"""A log that says what the test says, in journalctl's form."""

import os
from collections.abc import Sequence
from datetime import timedelta

from mvtui.errors import MvtuiError
from mvtui.host.journal_logs import JournalLogs
from mvtui.model.log import LogFilter
from mvtui.model.unit import UnitKind, unit_name
from tests.exported import exported
from tests.ui.samples import NOW


def said(
    number: int,
    message: str | bytes,
    kind: UnitKind = UnitKind.HYPERVISOR,
    priority: int = 6,
    **fields: str,
) -> bytes:
    """Record `number` (a second after the one before it) of that unit of git."""
    at = NOW - timedelta(hours=2) + timedelta(seconds=number)
    return exported(
        {
            "__CURSOR": f"s=1;i={number:x}",
            "__REALTIME_TIMESTAMP": str(int(at.timestamp() * 1e6)),
            "PRIORITY": str(priority),
            "_SYSTEMD_UNIT": unit_name(kind, "git"),
            "MESSAGE": message,
            **fields,
        }
    )


def systemd_says(number: int, message: str, priority: int = 6) -> bytes:
    return said(number, message, priority=priority, _SYSTEMD_UNIT="init.scope", UNIT="microvm@git.service")


# A start, a share that dies, and what a guest may say.
STORY = (
    systemd_says(0, "Starting microvm-virtiofsd@git.service - VirtioFS daemons for MicroVM 'git'..."),
    said(1, "2025-11-23 10:04:31,000 INFO supervisord started with pid 4100", UnitKind.VIRTIOFSD),
    said(2, "2025-11-23 10:04:31,010 INFO spawned: 'virtiofsd-home' with pid 4108", UnitKind.VIRTIOFSD),
    said(3, "virtiofsd-home [2025-11-23T10:04:32Z INFO  virtiofsd] Client connected", UnitKind.VIRTIOFSD),
    systemd_says(4, "Started microvm@git.service - MicroVM 'git'."),
    *[said(number, f"[    0.{number:06}] kernel line {number}") for number in range(5, 60)],
    said(60, "[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mMulti-User System\x1b[0m."),
    said(61, "bold is [b]bold[/b], and [@click=app.quit]this[/] is a link \x1b]0;title\x07\x1b[2J"),
    said(62, b"no UTF-8: \xff\xfe"),
    said(63, "a long line " + 30 * "that goes on and on " + "and ends here"),
    said(
        64,
        "2025-11-23 10:05:34,000 WARN exited: virtiofsd-home (terminated by SIGKILL; not expected)",
        UnitKind.VIRTIOFSD,
    ),
    said(65, "virtiofsd-home [2025-11-23T10:05:35Z ERROR virtiofsd] /srv/git-home does not exist", UnitKind.VIRTIOFSD),
    said(66, "2025-11-23 10:05:43,000 INFO gave up: virtiofsd-home entered FATAL state", UnitKind.VIRTIOFSD),
    said(67, "EXT4-fs error (device vda): ext4_lookup:1855: inode #2", priority=3),
    said(
        68,
        "restart of git: done",
        _SYSTEMD_UNIT="session-3.scope",
        MVTUI_MICROVM="git",
        MVTUI_USER="ann",
        _UID="0",
    ),
)


class FakeLogs(JournalLogs):
    """`records` is what there is, the oldest first; `say` adds some, and who follows hears them. `opened` counts those
    who follow; `refuses` is what journalctl complains of."""

    def __init__(self, records: Sequence[bytes] = STORY) -> None:
        super().__init__(["git"])
        self.records = list(records)
        self.streams: list[FakeStream] = []
        self.pages = 0
        self.refuses = ""

    def page(
        self, wanted: LogFilter, limit: int, *, before: bytes | None = None, after: bytes | None = None
    ) -> list[bytes]:
        self.pages += 1
        place = self._place(after or before) if after or before else None
        if after is not None:
            found = self.records if place is None else self.records[place + 1 :]
            return [one for one in found if self._wants(one, wanted)][:limit]
        found = self.records if place is None else self.records[:place]
        return [one for one in found if self._wants(one, wanted)][-limit:]

    def _place(self, record: bytes | None) -> int:
        assert record is not None
        return self.records.index(record)

    def _wants(self, record: bytes, wanted: LogFilter) -> bool:
        entry = self.entry(record)
        return entry.level <= wanted.level and wanted.source in (None, entry.source)

    def stream(  # type: ignore[override]
        self, wanted: LogFilter, *, after: bytes | None = None, last: int | None = None, follow: bool = True
    ) -> "FakeStream":
        if self.refuses == "gone":
            raise MvtuiError("journalctl can't be run: No such file or directory", "it is part of systemd")
        first = self.page(wanted, 1 << 30, after=after) if after is not None else self.page(wanted, last or 1 << 30)
        stream = FakeStream(self, first, wanted)
        self.streams.append(stream)
        return stream

    def say(self, *records: bytes) -> None:
        self.records += records
        for stream in self.streams:
            stream.hear([one for one in records if self._wants(one, stream.wanted)])


class FakeStream:
    def __init__(self, logs: FakeLogs, first: list[bytes], wanted: LogFilter) -> None:
        self._logs, self.wanted = logs, wanted
        self._waiting: list[bytes] = []
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.reads = 0
        self.hear(first)

    def fileno(self) -> int:
        return self._bell

    def hear(self, records: list[bytes]) -> None:
        self._waiting += records
        if self._waiting:
            os.eventfd_write(self._bell, 1)

    def read(self) -> list[bytes] | None:
        self.reads += 1
        os.eventfd_read(self._bell)
        if self._logs.refuses:
            return None
        waiting, self._waiting = self._waiting, []
        return waiting

    @property
    def complaint(self) -> str:
        return self._logs.refuses

    def close(self) -> None:
        os.close(self._bell)
        self._logs.streams.remove(self)
