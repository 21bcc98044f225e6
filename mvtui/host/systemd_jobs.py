"""Jobs of systemd: ask for one and wait for its end."""

import asyncio
import contextlib
import re

from dbus_fast import Message

from mvtui.errors import MvtuiError
from mvtui.host.systemd_bus import UNIT, SystemBus
from mvtui.host.systemd_errors import ReplyError
from mvtui.host.systemd_outcome import UNSEEN, Ending, ending_questions, job_result
from mvtui.host.systemd_units import unit_path
from mvtui.model.unit import JobResult, UnitVerb, parse_unit_name

_METHODS = {
    UnitVerb.START: "StartUnit",
    UnitVerb.STOP: "StopUnit",
    UnitVerb.RESTART: "RestartUnit",
    UnitVerb.KILL: "StopUnit",
}
_SIGKILL = 9
_NOTHING_TO_KILL = ("org.freedesktop.systemd1.NoSuchProcess", "org.freedesktop.systemd1.NoSuchUnit")

# VALID_CHARS and UNIT_NAME_MAX of systemd's unit-name.c.
_VALID_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")

# Seconds until the signal is sent again, and until the job is looked at: its end may have been signalled while there
# was no connection.
_KILL_AGAIN = 1.0
_LOOK_AGAIN = 10.0


class Jobs:
    """The jobs that mvtui waits for."""

    def __init__(self, bus: SystemBus) -> None:
        self._bus = bus
        self._waits: set[_Wait] = set()

    def note(self, signal: Message | None) -> None:
        """Take in a signal of systemd, or None: the connection or systemd itself came or went."""
        for wait in self._waits:
            wait.note(signal)

    async def run(self, verb: UnitVerb, unit: str) -> JobResult:
        """As `Units.run_job`. When it is cancelled, systemd goes on with the job."""
        wait = _Wait(unit)
        self._waits.add(wait)
        try:
            if not _VALID_NAME.fullmatch(unit):
                raise ReplyError("org.freedesktop.DBus.Error.InvalidArgs", "that is no valid name of a unit")
            # Without a hold on it an inactive unit is forgotten together with its result. Rights to start a unit may
            # lack that to hold it.
            with contextlib.suppress(ReplyError):
                await self._bus.call("RefUnit", "s", unit)
            return await self._run(verb, wait)
        except ReplyError as error:
            raise error.explained(f"{verb} {unit}") from error
        finally:
            self._waits.discard(wait)
            self._bus.post("UnrefUnit", "s", unit)

    async def _run(self, verb: UnitVerb, wait: "_Wait") -> JobResult:
        unit, kill = wait.unit, False
        if verb is UnitVerb.KILL:
            (active_state,) = await self._bus.properties([(unit_path(unit), UNIT, "ActiveState")])
            kill = active_state not in ("inactive", "failed")
        # A service with Restart=always that is killed without a stop job comes back.
        (wait.job,) = await self._bus.call(_METHODS[verb], "ss", unit, "replace")
        seen = await self._ended(wait, kill=kill)
        if verb is UnitVerb.KILL and not kill:
            return JobResult(unit, "done", f"{unit}: was not running")
        result = wait.results[wait.job][1] if seen else UNSEEN
        ending = await self._ending(unit)
        name = wait.culprit()
        culprit = (name, await self._ending(name)) if name else None
        return job_result(verb, unit, result, ending, culprit, replaced=wait.replaced)

    async def _ended(self, wait: "_Wait", *, kill: bool) -> bool:
        """Wait for the job's end; False where it ended unseen. With `kill` nothing of the unit gets time to comply."""
        while wait.job not in wait.results:
            if kill:
                await self._kill(wait.unit)
            if await wait.news(_KILL_AGAIN if kill else _LOOK_AGAIN):
                continue
            if not await self._exists(wait):
                return wait.job in wait.results
        return True

    async def _exists(self, wait: "_Wait") -> bool:
        """False where systemd is there and does not know the job."""
        try:
            await self._bus.call("GetJob", "u", wait.number)
        except ReplyError as error:
            return error.name != "org.freedesktop.systemd1.NoSuchJob"
        except MvtuiError as error:
            if self._bus.connected:
                return True
            message = f"how the job of {wait.unit} ends is not known: {error.message}"
            raise MvtuiError(message, f"systemd goes on with it; {error.hint}") from error
        return True

    async def _kill(self, unit: str) -> None:
        try:
            await self._bus.call("KillUnit", "ssi", unit, "all", _SIGKILL)
        except ReplyError as error:
            if error.name not in _NOTHING_TO_KILL:
                raise

    async def _ending(self, unit: str) -> Ending:
        """What there is to say of the unit now; nothing where systemd has become silent: the job's end is known."""
        try:
            return Ending(*await self._bus.properties(ending_questions(unit)))
        except MvtuiError:
            return Ending()


class _Wait:
    """One job's end, awaited. `results` are (unit, systemd's word) by job, of the unit and all of its microVM's:
    they are collected from before the question, whose answer may come after the end."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.job = ""
        self.results: dict[str, tuple[str, str]] = {}
        self._microvm = _microvm(unit)
        self._newest = 0
        self._event = asyncio.Event()
        self._unsure = False

    @property
    def number(self) -> int:
        """The job's id, from its object path."""
        return int(self.job.rpartition("/")[2])

    @property
    def replaced(self) -> bool:
        """Whether the unit has had another job since."""
        return self._newest > self.number

    def note(self, signal: Message | None) -> None:
        if signal is not None and signal.member == "JobNew" and signal.body[2] == self.unit:
            self._newest = max(self._newest, signal.body[0])
            return
        if signal is None:
            self._unsure = True
        elif signal.member == "JobRemoved" and self._concerns(signal.body[2]):
            _, job, unit, result = signal.body
            self.results[job] = (unit, result)
        else:
            return
        self._event.set()

    def _concerns(self, unit: str) -> bool:
        return unit == self.unit or (self._microvm is not None and _microvm(unit) == self._microvm)

    async def news(self, seconds: float) -> bool:
        """True where a job ended; False where nothing is heard for `seconds`, or something may have been missed."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        unsure, self._unsure = self._unsure, False
        return not unsure

    def culprit(self) -> str | None:
        """The unit of this microVM whose failure ended the job."""
        if self.results.get(self.job, ("", ""))[1] != "dependency":
            return None
        return next((unit for unit, result in self.results.values() if result in ("failed", "timeout")), None)


def _microvm(unit: str) -> str | None:
    parsed = parse_unit_name(unit)
    return parsed[1] if parsed else None
