"""The systemd units of a microVM, as microvm.nix's host module declares them, and what systemd says of each."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class UnitKind(StrEnum):
    """The templates, in the order of their start; the value is the part before `@`."""

    INSTALL = "install-microvm"
    SET_BOOTED = "microvm-set-booted"
    TAP = "microvm-tap-interfaces"
    MACVTAP = "microvm-macvtap-interfaces"
    PCI = "microvm-pci-devices"
    VIRTIOFSD = "microvm-virtiofsd"
    HYPERVISOR = "microvm"


# What `ListUnitsByPatterns` is asked for: every unit of every microVM in one call.
UNIT_PATTERNS = (
    *(f"{kind}@*.service" for kind in UnitKind if kind is not UnitKind.INSTALL),
    f"{UnitKind.INSTALL}-*.service",
)


def unit_name(kind: UnitKind, microvm: str) -> str:
    """The unit of `microvm`: `microvm@web.service`, `install-microvm-web.service`."""
    separator = "-" if kind is UnitKind.INSTALL else "@"
    return f"{kind}{separator}{microvm}.service"


def parse_unit_name(name: str) -> tuple[UnitKind, str] | None:
    """The template and the microVM of a unit's name; None for a unit that is no microVM's."""
    if not name.endswith(".service"):
        return None
    stem = name.removesuffix(".service")
    prefix, at, instance = stem.partition("@")
    if at:
        if instance and prefix in _TEMPLATES:
            return UnitKind(prefix), instance
        return None
    install = f"{UnitKind.INSTALL}-"
    if stem.startswith(install) and len(stem) > len(install):
        return UnitKind.INSTALL, stem.removeprefix(install)
    return None


_TEMPLATES = frozenset(kind.value for kind in UnitKind if kind is not UnitKind.INSTALL)


class UnitVerb(StrEnum):
    """What can be asked of a unit."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    KILL = "kill"


class Job(NamedTuple):
    """A job that systemd has queued or runs: `kind` is `start`, `stop`, `restart` …, `state` `waiting` or `running`."""

    id: int
    kind: str
    state: str | None = None


class JobResult(NamedTuple):
    """How a job ended. `result` is systemd's word: `done`, `canceled`, `timeout`, `failed`, `dependency`, `skipped`;
    `words` is the same for people, with the unit's own result where that says more."""

    unit: str
    result: str
    words: str

    @property
    def ok(self) -> bool:
        """True where the job did what was asked."""
        return self.result == "done"


class UnitStatus(NamedTuple):
    """One unit, in the words of org.freedesktop.systemd1.Unit and .Service.

    `active_state`: active, reloading, inactive, failed, activating, deactivating. `result`: success, exit-code,
    signal, timeout, oom-kill, resources …; None where not asked yet. `since` (UTC) is when `active_state` began.
    `timeout_stop` is in seconds, None for infinity or unknown. `exec_status` is the exit code, or the signal where
    `exec_by_signal`. `condition_failed`: the last start was skipped, a Condition… did not hold. `wanted`: autostart
    pulls it in; None where not known. `last_run` is how long, in seconds, the unit was active before it last ended
    (ActiveExitTimestamp − ActiveEnterTimestamp), None while it is active or where it never was. `daemon_ends` is when
    (UTC) what served a share ended, by the share's tag, as far as the manager watches it (systemd does not).
    `log_start` is the byte of the manager's log where this run began; None where the journal has it, or nobody knows.
    """

    name: str
    kind: UnitKind
    microvm: str
    load_state: str
    active_state: str
    sub_state: str
    job: Job | None = None
    result: str | None = None
    n_restarts: int | None = None
    since: datetime | None = None
    main_pid: int | None = None
    exec_status: int | None = None
    exec_by_signal: bool = False
    condition_failed: bool = False
    timeout_stop: float | None = None
    wanted: bool | None = None
    last_run: float | None = None
    daemon_ends: tuple[tuple[str, datetime], ...] = ()
    log_start: int | None = None

    @property
    def settled(self) -> bool:
        """True where nothing is under way: no job, and neither activating nor deactivating."""
        return self.job is None and self.active_state not in ("activating", "deactivating", "reloading")
