"""What happened to a microVM, from systemd's journal: the truth that is there without mvtui having run.

systemd tags what it says of a unit (sd-messages.h, and the catalogue of `journalctl -x`): that it started, ended, with
which result, which exit of its process, that it is restarted. What became of a single virtiofsd only its supervisord
says, in words.
"""

import re
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.calls import CallLog
from mvtui.host.journal_child import ChildEntries
from mvtui.host.journal_export import fields_of, received_at
from mvtui.host.journal_logs import NO_RIGHTS, ask_for_rights
from mvtui.model.call import CallKind
from mvtui.model.timeline import UID, Event, EventKind, kind_of
from mvtui.model.unit import UnitKind, unit_name
from mvtui.model.unit_story import EXIT, FAILURE, MESSAGE_IDS, UnitMessage, told_by_systemd

# Seconds that a run of journalctl may take, and the entries (the newest) that are read of it.
_TIMEOUT = 5.0
_MAX_ENTRIES = 4000
_MAX_WORDS = 500
_MOST_SECONDS = 1e9

_KINDS = (UnitKind.INSTALL, UnitKind.VIRTIOFSD, UnitKind.HYPERVISOR)
_FIELDS = (
    *("MESSAGE", "MESSAGE_ID", "UNIT", "_PID", "_UID", "EXIT_CODE", "EXIT_STATUS", "UNIT_RESULT", "JOB_RESULT"),
    *("N_RESTARTS", "MVTUI_MICROVM", "MVTUI_COMMAND", "MVTUI_RESULT", "MVTUI_USER", "MVTUI_OK", "MVTUI_SECONDS"),
)
# supervisord's log: `2026-08-01 12:00:00,000 WARN exited: virtiofsd-home (terminated by SIGKILL; not expected)`.
_EXITED = re.compile(r"\S+ \S+ [A-Z]+ exited: virtiofsd-(.+) \(([^()]*); not expected\)")
_GAVE_UP = re.compile(r"\S+ \S+ [A-Z]+ gave up: virtiofsd-(.+) entered FATAL state\b.*")
# The same for journalctl, which then hands on nothing else of what a daemon may say in a year.
_DAEMON_ENDS = r"(exited: virtiofsd-.*; not expected\)|gave up: virtiofsd-)"


class JournalEvents:
    """What systemd's journal tells of microVMs: three runs of journalctl(1)."""

    def __init__(self, calls: CallLog, program: str = "journalctl", timeout: float = _TIMEOUT) -> None:
        self._calls = calls
        self._program = program
        self._timeout = timeout

    def read(self, microvm: str) -> tuple[list[Event], str]:
        """What happened to it, in no order, and why that may not be all, or "". Blocking. Never raises."""
        events: list[Event] = []
        try:
            events += _of_systemd(microvm, list(self._entries(_of_units(microvm))))
            # Apart from those: anybody can log so many that nothing else is left.
            commands = self._entries(["SYSLOG_IDENTIFIER=mvtui", f"MVTUI_MICROVM={microvm}"])
            events += [event for entry in commands if (event := _of_mvtui(microvm, entry)) is not None]
            for entry in self._entries(_of_daemons(microvm)):
                event = _of_daemon(entry)
                if event is not None:
                    events.append(event)
        except RightsMissingError as error:
            return events, str(error)
        except MvtuiError as error:
            return events, error.message
        return events, ""

    def _entries(self, matches: Sequence[str]) -> Iterator[Mapping[str, str]]:
        """The newest first. Raises RightsMissingError, MvtuiError."""
        fixed = ["--quiet", "--no-pager", "--all", "--output=export", f"--output-fields={','.join(_FIELDS)}"]
        command = [self._program, *fixed, "--reverse", f"--lines={_MAX_ENTRIES}", *matches]
        with self._calls.call(CallKind.COMMAND, shlex.join(command), poll=True) as call:
            count = 0
            for record in self._read(command):
                count += 1
                yield {name: value.decode(errors="surrogateescape") for name, value in fields_of(record)}
            call.end(f"{count} entries" if count else "nothing")

    def _read(self, command: Sequence[str]) -> Iterator[bytes]:
        child = ChildEntries(command)
        try:
            yield from child.all_within(self._timeout)
            if NO_RIGHTS.search(child.complaint):
                raise ask_for_rights()
        except TimeoutError:
            raise MvtuiError(f"journalctl has not told all within {self._timeout:g} s") from None
        finally:
            child.close()


def _of_units(microvm: str) -> list[str]:
    """Of the service manager itself: anybody can log a field UNIT, and nobody an underlined one."""
    units = [f"UNIT={unit_name(kind, microvm)}" for kind in _KINDS]
    messages = [f"MESSAGE_ID={each}" for each in MESSAGE_IDS]
    return ["_PID=1", *messages, *units]


def _of_daemons(microvm: str) -> list[str]:
    return [f"--grep={_DAEMON_ENDS}", "_TRANSPORT=stdout", f"_SYSTEMD_UNIT={unit_name(UnitKind.VIRTIOFSD, microvm)}"]


def _of_systemd(microvm: str, newest_first: Sequence[Mapping[str, str]]) -> Iterator[Event]:
    kinds = {unit_name(kind, microvm): kind for kind in _KINDS}
    told: dict[UnitKind, list[UnitMessage]] = {}
    for entry in reversed(newest_first):
        at, kind = received_at(entry.get("__REALTIME_TIMESTAMP")), kinds.get(entry.get("UNIT", ""))
        if at is None or kind is None or entry.get("_PID") != "1":
            continue
        number = entry.get("N_RESTARTS", "")
        message = UnitMessage(at, entry.get("MESSAGE_ID", ""), _words_of(entry), int(number) if _is(number) else None)
        told.setdefault(kind, []).append(message)
    for kind, messages in told.items():
        yield from told_by_systemd(kind, messages)


def _is(number: str) -> bool:
    return number.isascii() and number.isdecimal() and len(number) < 10


def _signal_name(number: str) -> str:
    try:
        return signal.Signals(int(number)).name
    except ValueError:  # a real-time signal, which has no name here
        return f"signal {number}"


def _words_of(entry: Mapping[str, str]) -> str:
    """What beside the message's id counts: how the process ended, with which result the unit or its job did."""
    match entry.get("MESSAGE_ID"):
        case message if message == EXIT:
            code, status = entry.get("EXIT_CODE", "?"), entry.get("EXIT_STATUS", "?")
            return f"exit {status}" if code == "exited" else f"{code} by {_signal_name(status)}"
        case message if message == FAILURE:
            return entry.get("UNIT_RESULT", "")
    return entry.get("JOB_RESULT", "")


def _of_mvtui(microvm: str, entry: Mapping[str, str]) -> Event | None:
    """Anybody can call himself mvtui: who it was is the kernel's word."""
    at, action = received_at(entry.get("__REALTIME_TIMESTAMP")), entry.get("MVTUI_COMMAND")
    if at is None or action is None or entry.get("MVTUI_MICROVM") != microvm:
        return None
    uid = entry.get("_UID", "?")
    user = entry.get("MVTUI_USER", "?") if uid == "0" else f"{UID}{uid}"
    seconds = None
    with suppress(ValueError):
        told = float(entry.get("MVTUI_SECONDS", ""))
        seconds = told if 0 <= told < _MOST_SECONDS else None  # NaN is neither
    ok = {"yes": True, "no": False}.get(entry.get("MVTUI_OK", ""))
    return Event(at, kind_of(action), entry.get("MVTUI_RESULT", "")[:_MAX_WORDS], action, user, ok, seconds)


def _of_daemon(entry: Mapping[str, str]) -> Event | None:
    at, message = received_at(entry.get("__REALTIME_TIMESTAMP")), entry.get("MESSAGE", "")[:_MAX_WORDS]
    if at is None:
        return None
    if (exited := _EXITED.fullmatch(message)) is not None:
        return Event(at, EventKind.VIRTIOFSD, f"virtiofsd of share {exited[1]} ended", exited[2])
    if (gave_up := _GAVE_UP.fullmatch(message)) is not None:
        words = f"virtiofsd of share {gave_up[1]} does not start; supervisord has given up"
        return Event(at, EventKind.VIRTIOFSD, words)
    return None
