"""What is armed of a host's microVMs, from look to look, and whether anything will run it."""

import os
import time
from collections.abc import Mapping

from mvtui.errors import MvtuiError
from mvtui.host import drop_ins
from mvtui.host.armed import armed_names, read_arming
from mvtui.host.aside import aside
from mvtui.host.ports import ARMED, Host
from mvtui.model.arming import ArmedState, Arming

# The manager is asked again after so many seconds for what no drop-in of mvtui's runs.
_ASK_AGAIN = 15.0


class ArmedStates:
    """Reads the records of what is armed; one that has not changed is read once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._read: dict[str, tuple[tuple[int, int], Arming]] = {}
        self._by_host: dict[str, tuple[float, bool]] = {}

    async def look(self) -> Mapping[str, ArmedState]:
        """By microVM. Never raises: what can't be told counts as run."""
        states = await aside(self._records)
        if self._host.units.manager == "systemd":
            for name, state in states.items():
                if state.idle:
                    states[name] = state._replace(idle="" if await self._runs(name) else state.idle)
        return states

    def _records(self) -> dict[str, ArmedState]:
        names = armed_names(self._host.records)
        self._read = {name: known for name, known in self._read.items() if name in names}
        return {name: self._state(name) for name in names}

    def _state(self, name: str) -> ArmedState:
        try:
            arming = self._arming(name)
        except MvtuiError as error:
            return ArmedState(None, error.message)
        if arming is None:  # it went meanwhile
            return ArmedState(None)
        return ArmedState(arming, self._idle(name, arming))

    def _arming(self, name: str) -> Arming | None:
        try:
            facts = os.stat(self._host.records / ARMED / name)
        except OSError:
            return None
        sign = facts.st_ino, facts.st_mtime_ns
        known = self._read.get(name)
        if known is not None and known[0] == sign:
            return known[1]
        arming = read_arming(self._host.records, name)
        if arming is not None:
            self._read[name] = sign, arming
        return arming

    def _idle(self, name: str, arming: Arming) -> str:
        """Why nothing would run it, as far as files tell: a drop-in that is loaded runs what it names, or nothing."""
        if self._host.units.manager != "systemd":
            return ""
        for persistent in (False, True):
            program = drop_ins.program_of(self._host, name, persistent=persistent)
            if program is not None:
                gone = program and not os.path.exists(self._host.on_disk(program))
                return f"{program}, which its drop-in runs, is gone" if gone else ""
        if arming.by_host:
            return "the host's own configuration does not run it any more"
        if arming.persistent:
            return f"its drop-in is gone from {drop_ins.PERSISTENT}"
        return f"its drop-in in {drop_ins.RUNTIME} went with the last boot of the host"

    async def _runs(self, name: str) -> bool:
        """Whether the host's own configuration runs it; also where nobody answers."""
        now = time.monotonic()
        known = self._by_host.get(name)
        if known is not None and now < known[0]:
            return known[1]
        try:
            runs = await host_runs_it(self._host, name)
        except MvtuiError:
            return True
        self._by_host[name] = now + _ASK_AGAIN, runs
        return runs


async def host_runs_it(host: Host, name: str) -> bool:
    """Whether the host's own configuration, and not a drop-in of mvtui's, runs `reset --if-armed` before the microVM
    starts. Raises MvtuiError where systemd does not answer."""
    commands = await host.units.before_start(name)
    return any(drop_ins.is_armed_reset(command) and not drop_ins.is_own(command) for command in commands)
