"""What systemd says of the units of all microVMs: one list, and what the list lacks kept until it changes."""

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dbus_fast import Message

from mvtui.host.systemd_bus import JOB, MANAGER_PATH, SERVICE, UNIT, Question, SystemBus
from mvtui.model.unit import UNIT_PATTERNS, Job, UnitKind, UnitStatus, parse_unit_name, unit_name

# When a state began is told by the steps into and out of "active" and "inactive" (systemd's unit_notify());
# StateChangeTimestamp moves with every sub-state.
_SINCE = {
    "active": ("ActiveEnterTimestamp",),
    "inactive": ("InactiveEnterTimestamp",),
    "failed": ("InactiveEnterTimestamp",),
    "activating": ("InactiveExitTimestamp", "ActiveExitTimestamp"),
    "deactivating": ("ActiveExitTimestamp", "InactiveExitTimestamp", "StateChangeTimestamp"),
}
_SINCE_OTHERS = ("StateChangeTimestamp",)

# One Get each: ten of them cost half of the two GetAlls (400 properties) that have them all.
_CONDITION = ("ConditionResult", "ConditionTimestamp")
_LAST_RUN = ("ActiveEnterTimestamp", "ActiveExitTimestamp")
_ENDED = ("NRestarts", "Result", "ExecMainCode", "ExecMainStatus")

# ExecMainCode is the si_code of waitid(2).
KILLED = 2
KILLED_OR_DUMPED = (KILLED, 3)
_INFINITY = 2**64 - 1

_ALWAYS_ASKED = (UnitKind.HYPERVISOR, UnitKind.VIRTIOFSD)
_SETTLED = ("active", "inactive")
_DOWN = ("inactive", "failed")


def unit_path(unit: str) -> str:
    """The object path of a unit: every byte but ASCII letters and digits, and a digit in front, as `_xx`."""
    label = "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() and (at or not chr(byte).isdigit()) else f"_{byte:02x}"
        for at, byte in enumerate(unit.encode())
    )
    return f"{MANAGER_PATH}/unit/{label}"


_OURS = tuple(unit_path(unit_name(kind, "")).removesuffix("_2eservice") for kind in UnitKind)
_AUTOSTART = tuple(
    (unit_path(target), UNIT, name)
    for target in ("microvms.target", "multi-user.target")
    for name in ("LoadState", "Wants", "Requires")
)


class _Kept(NamedTuple):
    """A unit's status, and what the list said when the rest was asked for."""

    listed: tuple[str, str, str, int, str]
    status: UnitStatus


class _Autostart(NamedTuple):
    """The units that the targets of autostart pull in; `complete` where microvms.target exists."""

    units: frozenset[str]
    complete: bool

    def wants(self, unit: str) -> bool | None:
        return unit in self.units or (False if self.complete else None)


class UnitTable:
    """Every loaded unit of every microVM. What the list lacks is asked for when the list or a signal says that the
    unit changed, and every `resync` seconds."""

    def __init__(self, bus: SystemBus, resync: float) -> None:
        self._bus = bus
        self._resync = resync
        self._renew_at = 0.0
        self._kept: dict[str, _Kept] = {}
        self._touched: set[str] = set()
        self._jobs: dict[str, str] = {}
        self._autostart: _Autostart | None = None
        self._reading = asyncio.Lock()

    def note(self, signal: Message | None) -> bool:
        """Take in a signal of systemd, or None: anything may have changed. True where a microVM is concerned."""
        if signal is None or (signal.member == "Reloading" and not signal.body[0]):
            self._kept = {}
            self._autostart = None
            return True
        if signal.member in ("JobNew", "JobRemoved"):
            return parse_unit_name(signal.body[2]) is not None
        path = signal.path or ""
        if signal.member in ("UnitNew", "UnitRemoved"):
            path = signal.body[1]
        path = self._jobs.get(path, path)
        if not path.startswith(_OURS):
            return False
        self._kept.pop(path, None)
        self._touched.add(path)
        return True

    async def read(self) -> dict[str, UnitStatus]:
        """By unit name. Raises MvtuiError, ReplyError."""
        async with self._reading:
            (rows,) = await self._bus.call("ListUnitsByPatterns", "asas", [], list(UNIT_PATTERNS))
            now = asyncio.get_running_loop().time()
            if now >= self._renew_at:
                self.note(None)
                self._renew_at = now + self._resync
            if self._autostart is None:
                self._autostart = await self._ask_autostart()
            return await self._complete(rows, self._autostart)

    async def _complete(self, rows: list[list[Any]], autostart: _Autostart) -> dict[str, UnitStatus]:
        kept = self._kept
        self._touched.clear()
        self._jobs = {row[9]: row[6] for row in rows if row[7]}
        statuses: dict[str, UnitStatus] = {}
        changed: list[tuple[list[Any], UnitKind, str, list[Question]]] = []
        for row in rows:
            known = kept.get(row[6])
            if known is not None and known.listed == (row[2], row[3], row[4], row[7], row[8]):
                statuses[row[0]] = known.status
            elif parsed := parse_unit_name(row[0]):
                changed.append((row, *parsed, _questions(parsed[0], row)))
        values = iter(await self._bus.properties([question for *_, asked in changed for question in asked]))
        for row, kind, microvm, asked in changed:
            status = _status(row, kind, microvm, {name: next(values) for _, _, name in asked}, autostart)
            statuses[row[0]] = status
            if row[6] not in self._touched:
                kept[row[6]] = _Kept((row[2], row[3], row[4], row[7], row[8]), status)
        return statuses

    async def _ask_autostart(self) -> _Autostart:
        load_state, *values = await self._bus.properties(_AUTOSTART)
        units = frozenset(unit for value in values if isinstance(value, list) for unit in value)
        return _Autostart(units, load_state == "loaded")


def _questions(kind: UnitKind, row: list[Any]) -> list[Question]:
    """What to ask of a unit, by its row of the list: all of a hypervisor's and of what is not settled, little of a
    settled virtiofsd's, nothing of what has prepared or cleaned up."""
    _, _, _, active_state, _, _, path, job, _, job_path = row
    settled = active_state in _SETTLED and not job
    if settled and kind not in _ALWAYS_ASKED:
        return []
    of_unit = _SINCE.get(active_state, _SINCE_OTHERS)
    of_service: tuple[str, ...]
    if active_state == "active":
        of_service = ("NRestarts", "MainPID") if kind is UnitKind.HYPERVISOR else ("NRestarts",)
    else:
        down = active_state in _DOWN
        of_unit += _CONDITION if down else ()
        of_service = _ENDED if down else (*_ENDED, "MainPID", "TimeoutStopUSec")
        if kind is UnitKind.HYPERVISOR:
            of_unit += _LAST_RUN
        elif settled:
            of_service = ()
    questions = [(path, UNIT, name) for name in dict.fromkeys(of_unit)]
    questions += [(path, SERVICE, name) for name in of_service]
    if job:
        questions.append((job_path, JOB, "State"))
    return questions


def _status(row: list[Any], kind: UnitKind, microvm: str, values: dict[str, Any], autostart: _Autostart) -> UnitStatus:
    name, _, load_state, active_state, sub_state, _, _, job, job_kind, _ = row
    ended = values.get("ExecMainCode") or 0
    timeout_stop = values.get("TimeoutStopUSec")
    return UnitStatus(
        name=name,
        kind=kind,
        microvm=microvm,
        load_state=load_state,
        active_state=active_state,
        sub_state=sub_state,
        job=Job(job, job_kind, values.get("State")) if job else None,
        result=values.get("Result"),
        n_restarts=values.get("NRestarts"),
        since=_since(active_state, values),
        main_pid=values.get("MainPID") or None,
        exec_status=values.get("ExecMainStatus") if ended else None,
        exec_by_signal=ended in KILLED_OR_DUMPED,
        condition_failed=values.get("ConditionResult") is False and bool(values.get("ConditionTimestamp")),
        timeout_stop=None if timeout_stop in (None, _INFINITY) else timeout_stop / 1e6,
        wanted=autostart.wants(name) if kind is UnitKind.HYPERVISOR else None,
        last_run=_last_run(active_state, values),
    )


def _since(active_state: str, values: dict[str, Any]) -> datetime | None:
    """When `active_state` began; None where the unit has not been in another one since systemd loaded it."""
    began = max(values.get(name) or 0 for name in _SINCE.get(active_state, _SINCE_OTHERS))
    if active_state == "deactivating":
        # A start that failed goes from activating to deactivating without having been active.
        left = values.get("ActiveExitTimestamp") or 0
        began = left if left >= (values.get("InactiveExitTimestamp") or 0) else began
    return datetime.fromtimestamp(began / 1e6, UTC) if began else None


def _last_run(active_state: str, values: dict[str, Any]) -> float | None:
    entered, left = (values.get(name) or 0 for name in _LAST_RUN)
    return (left - entered) / 1e6 if active_state != "active" and 0 < entered <= left else None
