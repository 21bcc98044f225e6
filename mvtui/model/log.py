"""What a microVM has logged, and which part of it is wanted."""

import re
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mvtui.model.unit import UnitKind

# Of syslog(3), by number.
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
WARNING, ERROR, INFO, DEBUG = 4, 3, 6, 7


class LogSource(StrEnum):
    """Who speaks. GUEST: the unit `microvm@`, which has the guest's console and the hypervisor's own words;
    INTERFACES: tap, macvtap and PCI; INSTALL: the units that set `current` and `booted`; SYSTEMD: what systemd says of
    any of them; MVTUI: what mvtui did."""

    GUEST = "guest"
    VIRTIOFSD = "virtiofsd"
    INTERFACES = "interfaces"
    INSTALL = "install"
    SYSTEMD = "systemd"
    MVTUI = "mvtui"


SOURCES = {
    UnitKind.HYPERVISOR: LogSource.GUEST,
    UnitKind.VIRTIOFSD: LogSource.VIRTIOFSD,
    UnitKind.TAP: LogSource.INTERFACES,
    UnitKind.MACVTAP: LogSource.INTERFACES,
    UnitKind.PCI: LogSource.INTERFACES,
    UnitKind.INSTALL: LogSource.INSTALL,
    UnitKind.SET_BOOTED: LogSource.INSTALL,
}


class LogEntry(NamedTuple):
    """One entry, or line of a log file. `at` is when it was received (UTC), None where nobody noted that; `level` is
    that of syslog(3), or a lower one that the text itself names. `speaker` is who of the source it was (the tag of a
    share), "" where that can't be told. `message` is what was said, unchanged: bytes that are no UTF-8 are lone
    surrogates, and anything may stand in it; up to `start` it says what stands in the other fields too."""

    at: datetime | None
    level: int
    source: LogSource
    message: str
    microvm: str
    speaker: str = ""
    unit: str | None = None
    start: int = 0


class LogFilter(NamedTuple):
    """What is wanted: `level` and worse, of one `source` (None: of all), `since` (UTC) then. What has no time
    of its own is wanted."""

    level: int = DEBUG
    source: LogSource | None = None
    since: datetime | None = None


# What supervisord hands on of a program to syslog: its name and the line (supervisor.loggers.handle_syslog).
_HANDED_ON = re.compile(r"virtiofsd-(\S+) ")
# supervisord's own: `2026-08-01 12:00:00,000 WARN exited: virtiofsd-home (terminated by SIGKILL; not expected)`.
_OF_SUPERVISORD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} ([A-Z]+) ")
_PROGRAM = re.compile(r"[a-z ]+: (?:'virtiofsd-(?=.+' with)|virtiofsd-)(.+?)(?='? with pid | \(| entered |$)")
# virtiofsd's (env_logger): `[2026-08-01T12:00:00Z ERROR virtiofsd] …`.
_OF_VIRTIOFSD = re.compile(r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*Z ([A-Z]+) +[\w:]+\] ?")
_TOLD_LEVELS = {"CRIT": 2, "ERRO": ERROR, "ERROR": ERROR, "WARN": WARNING, "WARNING": WARNING, "DEBUG": DEBUG}


class ToldOfItself(NamedTuple):
    """What a line of virtiofsd or its supervisord says of itself: the share's tag, the level, when it was written (as
    text, and whether that is UTC, else local time), and where the rest of it starts."""

    tag: str = ""
    level: int = INFO
    written: str = ""
    is_utc: bool = False
    start: int = 0


def told_by_virtiofsd(message: str) -> ToldOfItself:
    """What a line of the unit `microvm-virtiofsd@` says of itself."""
    handed_on = _HANDED_ON.match(message)
    tag, start = (handed_on[1], handed_on.end()) if handed_on else ("", 0)
    line = _OF_VIRTIOFSD.match(message, start)
    if line is not None:
        return ToldOfItself(tag, _TOLD_LEVELS.get(line[2], INFO), line[1], True, line.end())
    own = _OF_SUPERVISORD.match(message)
    if own is not None:
        gave_up = message.startswith("gave up:", own.end())
        program = _PROGRAM.match(message, own.end())
        level = ERROR if gave_up else _TOLD_LEVELS.get(own[2], INFO)
        return ToldOfItself(program[1] if program else "", level, own[1], False, own.end())
    return ToldOfItself(tag, start=start)


def level_number(word: str) -> int | None:
    """The number of a level that is named as syslog(3), journalctl(1) or people name it; None for no level."""
    if word.isdecimal() and int(word) <= DEBUG:
        return int(word)
    named = {"error": ERROR, "warn": WARNING, "panic": 0, "critical": 2}
    return LEVELS.index(word) if word in LEVELS else named.get(word)
