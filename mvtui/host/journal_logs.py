"""What systemd's journal has of microVMs, by journalctl(1) as a child process.

The journal could also be read by libsystemd through ctypes, in this process. A child does it better: where the library
lies is told by no standard (NixOS has it in the store alone), it maps the journal's files into the process and blocks
while it walks through them, and a damaged file would end the panel. A child reads beside the panel, waits when nobody
takes what it has read (a pipe is bounded), and can be killed at any moment.

Of an entry only what is shown is parsed: what the panel keeps is what journalctl wrote (`--output=export`, which takes
journalctl half the time of json, and bytes that are no text as they are).
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.calls import CallLog
from mvtui.host.journal_child import ChildEntries
from mvtui.host.journal_export import fields_of, received_at, shortened
from mvtui.model.call import CallKind
from mvtui.model.log import DEBUG, INFO, SOURCES, LogEntry, LogFilter, LogSource
from mvtui.model.log_words import told_by_virtiofsd
from mvtui.model.unit import UnitKind, parse_unit_name, unit_name

_VIRTIOFSD = f"\n_SYSTEMD_UNIT={UnitKind.VIRTIOFSD}@".encode()
# Seconds that a page may take.
_TIMEOUT = 10.0
# Anybody can log entries of megabytes: of a page that has more bytes than this, the rest comes in so few each.
_PAGE_BYTES = 32 << 20
_SHORT_BYTES = 4 << 10
_FIELDS = (
    *("MESSAGE", "PRIORITY", "_SYSTEMD_UNIT", "UNIT", "COREDUMP_UNIT", "_UID"),
    *("MVTUI_MICROVM", "MVTUI_USER"),
)
# Both stand before all that was logged, so nothing can pretend to be them.
_CURSOR = re.compile(rb"__CURSOR=([^\n]*)")
_REALTIME = re.compile(rb"__CURSOR=[^\n]*\n__REALTIME_TIMESTAMP=(\d+)")
# What journalctl says where it shows nothing, or less than there is, for want of rights.
NO_RIGHTS = re.compile(r"insufficient permissions|not seeing messages from other users|Permission denied")

_KIND_SPEAKERS = {
    UnitKind.TAP: "tap",
    UnitKind.MACVTAP: "macvtap",
    UnitKind.PCI: "pci",
    UnitKind.INSTALL: "install",
    UnitKind.SET_BOOTED: "set-booted",
}


def ask_for_rights() -> RightsMissingError:
    """What is to be done about that."""
    return RightsMissingError(
        "the journal of this host may not be read",
        "usermod -aG systemd-journal USER gives that right from the next login on; or run mvtui with sudo",
    )


class JournalLogs:
    """`Logs` of `microvms`, merged by journalctl. `options` (`-D`, a directory) are put before all others."""

    def __init__(
        self,
        microvms: Sequence[str],
        calls: CallLog | None = None,
        program: str = "journalctl",
        options: Sequence[str] = (),
        timeout: float = _TIMEOUT,
    ) -> None:
        self._microvms = tuple(microvms)
        self._calls = calls if calls is not None else CallLog()
        self._program = [program, *options]
        self._timeout = timeout

    def page(
        self, wanted: LogFilter, limit: int, *, before: bytes | None = None, after: bytes | None = None
    ) -> list[bytes]:
        """As Logs.page."""
        place = after if after is not None else before
        arguments = [f"--after-cursor={_cursor(place)}"] if place else []
        if after is None:
            arguments.append("--reverse")
        if before is None and after is None and wanted.level >= DEBUG and wanted.since is None:
            arguments.append(f"--lines={limit}")  # or journalctl reads on until it is ended
        records, size = [], 0
        for record in self._read(wanted, arguments):
            if wanted.since is not None and after is None and _microseconds(record) < wanted.since.timestamp() * 1e6:
                break
            if self.matches(record, wanted):
                records.append(record if size <= _PAGE_BYTES else shortened(record, _SHORT_BYTES))
                size += len(record)
            if len(records) == limit:
                break
        return records if after is not None else records[::-1]

    def _read(self, wanted: LogFilter, arguments: Sequence[str]) -> Iterator[bytes]:
        """What journalctl writes with these arguments, until nobody wants more or its time is over."""
        command = self._command(wanted, arguments)
        with self._calls.call(CallKind.COMMAND, shlex.join(command), poll=True) as call:
            child = ChildEntries(command)
            count = 0
            try:
                for line in child.all_within(self._timeout):
                    count += 1
                    yield line
                self.check(child.complaint, is_empty=count == 0)
            except TimeoutError:
                message = f"journalctl has not told all within {self._timeout:g} s"
                raise MvtuiError(message, "try again, or ask for other levels") from None
            finally:
                call.end(f"{count} lines" if count else "nothing")
                child.close()

    def stream(
        self, wanted: LogFilter, *, after: bytes | None = None, last: int | None = None, follow: bool = True
    ) -> ChildEntries:
        """As Logs.stream; `last` None: all since `wanted.since`."""
        arguments = []
        if after is not None:
            arguments.append(f"--after-cursor={_cursor(after)}")
        elif last is not None:
            arguments.append(f"--lines={last}")
        elif wanted.since is not None:
            arguments.append(f"--since=@{wanted.since.timestamp():.6f}")
        if follow:
            arguments += ["--follow"] if last is not None and after is None else ["--follow", "--no-tail"]
        command = self._command(wanted, arguments)
        with self._calls.call(CallKind.COMMAND, shlex.join(command), poll=True) as call:
            child = ChildEntries(command)
            call.end("is read as it comes", ok=None)
        return child

    def check(self, complaint: str, *, is_empty: bool) -> None:
        """Raises RightsMissingError, MvtuiError for what journalctl has said on standard error."""
        if NO_RIGHTS.search(complaint):
            raise ask_for_rights()
        if complaint and is_empty and "No journal files were found" not in complaint:
            raise MvtuiError(f"journalctl: {complaint.splitlines()[-1]}")

    def _command(self, wanted: LogFilter, arguments: Sequence[str]) -> list[str]:
        fixed = ["--no-pager", "--all", "--output=export", f"--output-fields={','.join(_FIELDS)}"]
        return [*self._program, *fixed, *arguments, *_matches(self._microvms, wanted)]

    def matches(self, record: bytes, wanted: LogFilter) -> bool:
        """Whether a record is wanted by the level that its text names: journalctl knows the one it was logged with,
        and supervisord hands all on with the same."""
        if wanted.level >= DEBUG or _VIRTIOFSD not in record:
            return True
        return self.entry(record).level <= wanted.level

    def entry(self, record: bytes) -> LogEntry:
        """What a record says."""
        fields: dict[str, bytes] = {}
        for name, value in fields_of(record):
            fields[name] = value if name not in fields else fields[name] + b" " + value
        return _entry({name: value.decode(errors="surrogateescape") for name, value in fields.items()})


def _matches(microvms: Sequence[str], wanted: LogFilter) -> list[str]:
    """journalctl's: of one field any holds, of several all hold, `+` joins."""
    level = [f"PRIORITY={number}" for number in range(wanted.level + 1)] if wanted.level < DEBUG else []
    groups: list[list[str]] = []

    def units(field: str, kinds: Sequence[UnitKind]) -> list[str]:
        return [f"{field}={unit_name(kind, microvm)}" for microvm in microvms for kind in kinds]

    def wants(source: LogSource) -> bool:
        return wanted.source in (None, source)

    if kinds := [kind for kind, source in SOURCES.items() if wants(source) and kind is not UnitKind.VIRTIOFSD]:
        groups.append([*units("_SYSTEMD_UNIT", kinds), *level])
    if wants(LogSource.VIRTIOFSD):
        groups.append(units("_SYSTEMD_UNIT", [UnitKind.VIRTIOFSD]))
    if wants(LogSource.SYSTEMD):
        # Of the service manager itself: anybody can log a field UNIT, and nobody an underlined one.
        groups.append(["_PID=1", *units("UNIT", list(SOURCES)), *level])
        groups.append(["_UID=0", *units("COREDUMP_UNIT", list(SOURCES)), *level])
    if wants(LogSource.MVTUI):
        groups.append(["SYSLOG_IDENTIFIER=mvtui", *(f"MVTUI_MICROVM={microvm}" for microvm in microvms), *level])
    return [word for group in groups for word in ("+", *group)][1:]


def _cursor(record: bytes) -> str:
    found = _CURSOR.match(record)
    if found is None:
        raise MvtuiError("the journal tells no place of this line", "go to the end")
    return found[1].decode(errors="replace")


def _microseconds(record: bytes) -> int:
    found = _REALTIME.match(record)
    return int(found[1]) if found is not None else 0


def _entry(fields: Mapping[str, str]) -> LogEntry:
    message, logged = fields.get("MESSAGE", ""), fields.get("PRIORITY", "")
    level = int(logged) if logged in tuple("01234567") else INFO
    at = received_at(fields.get("__REALTIME_TIMESTAMP", ""))
    unit = fields.get("_SYSTEMD_UNIT", "")
    parsed = parse_unit_name(unit)
    if parsed is not None:
        kind, microvm = parsed
        source, speaker, start = SOURCES[kind], _KIND_SPEAKERS.get(kind, ""), 0
        if kind is UnitKind.VIRTIOFSD:
            told = told_by_virtiofsd(message)
            level = min(level, told.level) if told.level < INFO else level
            speaker, start = told.tag, told.start
        return LogEntry(at, level, source, message, microvm, speaker, unit, start)
    subject = fields.get("UNIT") or fields.get("COREDUMP_UNIT") or ""
    about = parse_unit_name(subject)
    if about is not None and "MVTUI_MICROVM" not in fields:
        return LogEntry(at, level, LogSource.SYSTEMD, message, about[1], "", subject)
    # Anybody can call himself mvtui: who it was is the kernel's word.
    speaker = fields.get("MVTUI_USER", "") if fields.get("_UID") == "0" else f"uid {fields.get('_UID', '?')}"
    return LogEntry(at, level, LogSource.MVTUI, message, fields.get("MVTUI_MICROVM", ""), speaker)
