"""What a microVM has logged, and which part of it is wanted."""

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


def level_number(word: str) -> int | None:
    """The number of a level that is named as syslog(3), journalctl(1) or people name it; None for no level."""
    if word.isdecimal() and int(word) <= DEBUG:
        return int(word)
    named = {"error": ERROR, "warn": WARNING, "panic": 0, "critical": 2}
    return LEVELS.index(word) if word in LEVELS else named.get(word)
