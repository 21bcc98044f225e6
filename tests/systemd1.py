"""A small org.freedesktop.systemd1 for what can't be asked of a real one: refusals, hangs, a manager that comes and
goes, thousands of units."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from dbus_fast import Message, Variant

from mvtui.host.systemd_bus import JOB, MANAGER, MANAGER_PATH, PROPERTIES, SERVICE, SYSTEMD, UNIT
from mvtui.host.systemd_units import unit_path
from tests.bus_service import BusService

_COMMANDS = "a(sasbttttuii)"
_SIGNATURES = {
    "NRestarts": "u",
    "MainPID": "u",
    "ExecMainCode": "i",
    "ExecMainStatus": "i",
    "TimeoutStopUSec": "t",
    "ConditionResult": "b",
    "Conditions": "a(sbbsi)",
    "ExecStartPre": _COMMANDS,
    "Wants": "as",
    "Requires": "as",
}
_EMPTY: dict[str, object] = {
    "u": 0,
    "i": 0,
    "t": 0,
    "b": False,
    "a(sbbsi)": [],
    "a(sasbttttuii)": [],
    "as": [],
    "s": "",
}
_LISTED = {"LoadState": (2, "not-found"), "ActiveState": (3, "inactive"), "SubState": (4, "dead")}


class Systemd1(BusService):
    """Units that tests set.

    `calls` counts methods. `refusals` are (error name, text) by method; methods and properties in `slow` are answered
    at `catch_up`. `outcomes` are results of jobs by unit, `wait` for one that `finish` ends; other jobs are done before
    they are answered, as those of the real one that have nothing to wait for. `held` counts references by unit,
    `killed` lists signals, which units in `unkillable` survive; `transient` are started units: name, mode, properties.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address, SYSTEMD)
        self.calls: Counter[str] = Counter()
        self.refusals: dict[str, tuple[str, str]] = {}
        self.slow: set[str] = set()
        self.outcomes: dict[str, str] = {}
        self.killed: list[tuple[str, str, int]] = []
        self.unkillable: set[str] = set()
        self.held: Counter[str] = Counter()
        self.transient: list[tuple[str, str, dict[str, Any]]] = []
        self._rows: dict[str, list[Any]] = {}
        self._units: dict[str, str] = {}
        self._properties: dict[str, dict[str, Any]] = {}
        self._subscribers: set[str] = set()
        self._called = threading.Condition()
        self._late: list[Message] = []
        self._last_job = 0
        self._answers: dict[str, Callable[[Message], tuple[str, list[Any]]]] = {
            "ListUnitsByPatterns": self._list,
            "GetUnit": lambda message: ("o", [self._rows[message.body[0]][6]]),
            "GetJob": self._get_job,
            "CancelJob": self._cancel_job,
            "StartUnit": self._begin,
            "StopUnit": self._begin,
            "RestartUnit": self._begin,
            "KillUnit": self._kill,
            "Reload": lambda _: ("", []),
            "StartTransientUnit": self._start_transient,
            "Subscribe": self._subscribe,
            "RefUnit": lambda message: self._hold(message, 1),
            "UnrefUnit": lambda message: self._hold(message, -1),
            "Get": lambda message: ("v", [self._property(message.path, *message.body)]),
            "GetAll": self._get_all,
        }

    def leave(self) -> None:
        """Hang up and forget who subscribed; the units stay as they are."""
        super().leave()
        self._subscribers.clear()

    def set(self, unit: str, active: str = "", sub: str = "", **properties: object) -> None:
        """A new unit, or what changes of one; properties by systemd's names, and `State` of its job."""
        self.do(lambda: self._set(unit, active, sub, properties))

    def _set(self, unit: str, active: str, sub: str, properties: dict[str, object]) -> None:
        path = unit_path(unit)
        if unit not in self._rows:
            self._rows[unit] = [unit, unit, "loaded", "inactive", "dead", "", path, 0, "", "/"]
            self._units[path] = unit
            self._properties[unit] = {}
            self._tell(MANAGER_PATH, MANAGER, "UnitNew", "so", unit, path)
        row = self._rows[unit]
        row[3:5] = active or row[3], sub or row[4]
        self._properties[unit].update(properties)
        self._tell_changed(unit)

    def set_quietly(self, unit: str, active: str = "", sub: str = "", **properties: object) -> None:
        """What changes without a signal."""
        row = self._rows[unit]
        row[3:5] = active or row[3], sub or row[4]
        self._properties[unit].update(properties)

    def load(self, row: list[Any], properties: dict[str, Any]) -> None:
        """A unit as the real one listed it."""
        self.do(lambda: self._set(row[0], row[3], row[4], properties))
        self._rows[row[0]][7:10] = row[7:10]

    def remove(self, unit: str) -> None:
        """Unload it."""

        def remove() -> None:
            path = self._rows.pop(unit)[6]
            del self._properties[unit], self._units[path]
            self._tell(MANAGER_PATH, MANAGER, "UnitRemoved", "so", unit, path)

        self.do(remove)

    def reload(self) -> None:
        """What is signalled at the end of a `systemctl daemon-reload`."""
        self.do(lambda: self._tell(MANAGER_PATH, MANAGER, "Reloading", "b", False))

    def catch_up(self) -> None:
        """Answer what was asked meanwhile."""

        def answer() -> None:
            late, self._late = self._late, []
            for message in late:
                self.send(self.answer(message))

        self.slow.clear()
        self.do(answer)

    async def asked(self, member: str, times: int = 1) -> None:
        """Wait until a method was called that often."""

        def wait() -> bool:
            with self._called:
                return self._called.wait_for(lambda: self.calls[member] >= times, 10)

        assert await asyncio.to_thread(wait)

    def begin(self, unit: str, kind: str) -> None:
        """A job that nobody here asked for, and that `finish` ends."""
        self.do(lambda: self._queue(unit, kind))

    def set_job_state(self, unit: str, state: str) -> None:
        """As when a job that waited begins to run: a signal of the job alone."""

        def run() -> None:
            self._properties[unit]["State"] = state
            changed = {"State": Variant("s", state)}
            self._tell(self._rows[unit][9], PROPERTIES, "PropertiesChanged", "sa{sv}as", JOB, changed, [])

        self.do(run)

    def finish(self, unit: str, result: str = "done", *, told: bool = True) -> None:
        """End the unit's job; without `told` nobody hears of it."""
        self.do(lambda: self._finish(unit, result, told=told))

    def _finish(self, unit: str, result: str, *, told: bool = True) -> None:
        row = self._rows[unit]
        number, kind, path = row[7:10]
        row[7:10] = 0, "", "/"
        if result == "done":
            skipped = kind != "stop" and self._properties[unit].get("ConditionResult") is False
            row[3:5] = ("inactive", "dead") if kind == "stop" or skipped else ("active", "running")
        elif result == "failed":
            row[3:5] = "failed", "failed"
        if told:
            self._tell(MANAGER_PATH, MANAGER, "JobRemoved", "uoss", number, path, unit, result)
            self._tell_changed(unit)

    def _tell(self, path: str, interface: str, member: str, signature: str, *body: object) -> None:
        if self._subscribers:
            self.send(Message.new_signal(path, interface, member, signature, list(body)))

    def _tell_changed(self, unit: str) -> None:
        row = self._rows[unit]
        changed = {"ActiveState": Variant("s", row[3]), "SubState": Variant("s", row[4])}
        for interface, values in ((SERVICE, {}), (UNIT, changed)):
            self._tell(row[6], PROPERTIES, "PropertiesChanged", "sa{sv}as", interface, values, [])

    def answer(self, message: Message) -> Message | None:
        """The reply; None where it is slow."""
        member = message.member or ""
        with self._called:
            self.calls[member] += 1
            self._called.notify_all()
        if member in self.slow or (member == "Get" and message.body[1] in self.slow):
            self._late.append(message)
            return None
        if member in self.refusals:
            return Message.new_error(message, *self.refusals[member])
        try:
            signature, body = self._answers[member](message)
        except KeyError as error:
            what = "Job" if member in ("GetJob", "CancelJob") else "Unit"
            return Message.new_error(message, f"{SYSTEMD}.NoSuch{what}", f"{what} {error.args[0]} not found.")
        return Message.new_method_return(message, signature, body)

    def _list(self, message: Message) -> tuple[str, list[Any]]:
        patterns = tuple(message.body[1])
        return "a(ssssssouso)", [[row for unit, row in self._rows.items() if _matches(unit, patterns)]]

    def _subscribe(self, message: Message) -> tuple[str, list[Any]]:
        self._subscribers.add(message.sender or "")
        return "", []

    def _hold(self, message: Message, more: int) -> tuple[str, list[Any]]:
        self.held[message.body[0]] += more
        return "", []

    def _kill(self, message: Message) -> tuple[str, list[Any]]:
        unit, whom, number = message.body
        row = self._rows[unit]
        self.killed.append((unit, whom, number))
        if unit in self.unkillable:
            return "", []
        row[3:5] = "failed", "failed"
        self._properties[unit].update(Result="signal", ExecMainCode=2, ExecMainStatus=number, MainPID=0)
        if row[8] == "stop":
            job, _, path = row[7:10]
            row[7:10] = 0, "", "/"
            self._tell(MANAGER_PATH, MANAGER, "JobRemoved", "uoss", job, path, unit, "done")
        self._tell_changed(unit)
        return "", []

    def _begin(self, message: Message) -> tuple[str, list[Any]]:
        unit = message.body[0]
        path = self._queue(unit, (message.member or "").removesuffix("Unit").lower())
        outcome = self.outcomes.get(unit, "done")
        if outcome != "wait":
            self._finish(unit, outcome)
        return "o", [path]

    def _start_transient(self, message: Message) -> tuple[str, list[Any]]:
        unit, mode, properties, _ = message.body
        self.transient.append((unit, mode, {name: value.value for name, value in properties}))
        return "o", [f"{MANAGER_PATH}/job/1"]

    def _queue(self, unit: str, kind: str) -> str:
        row = self._rows[unit]
        if row[7]:
            self._finish(unit, "canceled")
        self._last_job += 1
        path = f"{MANAGER_PATH}/job/{self._last_job}"
        row[7:10] = self._last_job, kind, path
        self._tell(MANAGER_PATH, MANAGER, "JobNew", "uos", self._last_job, path, unit)
        self._tell_changed(unit)
        return path

    def _get_job(self, message: Message) -> tuple[str, list[Any]]:
        return "o", [{row[7]: row[9] for row in self._rows.values()}[message.body[0]]]

    def _cancel_job(self, message: Message) -> tuple[str, list[Any]]:
        self._finish({row[7]: row[0] for row in self._rows.values()}[message.body[0]], "canceled")
        return "", []

    def _get_all(self, message: Message) -> tuple[str, list[Any]]:
        return "a{sv}", [{name: self._property(message.path, "", name) for name in (*_LISTED, *_SIGNATURES, "Result")}]

    def _property(self, path: str | None, interface: str, name: str) -> Variant:
        if interface == JOB:
            unit = next((row[0] for row in self._rows.values() if row[9] == path), "")
            return Variant("s", self._properties[unit].get(name, "running"))
        row = self._rows.get(self._units.get(path or "", ""))
        if name in _LISTED:
            column, unloaded = _LISTED[name]
            return Variant("s", row[column] if row else unloaded)
        signature = _SIGNATURES.get(name, "t" if name.endswith("Timestamp") else "s")
        values = {"Result": "success", **(self._properties[row[0]] if row else {})}
        return Variant(signature, values.get(name, _EMPTY[signature]))


@cache
def _matches(unit: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(unit, pattern) for pattern in patterns)
